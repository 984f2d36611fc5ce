"""What the network and the publisher may do wrong: each refusal is one line and a code, and leaves the store as it was."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.desk import Desk, app_image, app_manifest, assert_refused, probe_files, snapshot
from tests.support.gpg import Signer
from tests.support.images import image, image_id, tar
from tests.support.publisher import write_page

GOOD = app_image()


@pytest.fixture
def before(stocked_desk: Desk) -> dict[str, tuple[str, int, str]]:
    """Return what the store, which holds one image, is like before."""
    return dict(snapshot(stocked_desk.store))


def _cut(desk: Desk, **fields: object) -> None:
    desk.answer(desk.publish("example.com/hello", GOOD), cut=len(GOOD) // 2, **fields)


def _signature_answer(desk: Desk, **fields: object) -> None:
    desk.answer(f"{desk.publish('example.com/hello', GOOD)}.asc", **fields)


def _answer(desk: Desk, **fields: object) -> None:
    desk.answer(desk.publish("example.com/hello", GOOD), **fields)


# What the publisher does, the exit code, and words of the message.
TRANSPORT: dict[str, tuple[Callable[[Desk], object], int, str]] = {
    "a download that breaks in the middle": (_cut, 69, ".aci: "),
    "a download that ends in the middle without a length said": (lambda desk: _cut(desk, length=None), 65, "truncated"),
    "an image that is not there": (lambda desk: _answer(desk, status=404), 69, "the server answered 404"),
    "an image that the server cannot give": (lambda desk: _answer(desk, status=503), 69, "the server answered 503"),
    "a part of an image": (lambda desk: _answer(desk, status=206), 69, "the server answered 206"),
    "a body that claims to be compressed on the way": (
        lambda desk: _answer(desk, headers={"Content-Encoding": "gzip"}),
        76,
        'content-encoding "gzip"',
    ),
    "a redirect to plain http": (lambda desk: _answer(desk, location="http://example.com/x.aci"), 76, "is plain http"),
    "a redirect to a file of the host": (lambda desk: _answer(desk, location="file:///etc/passwd"), 76, "file:///etc/passwd"),
    "a redirect in a circle": (
        lambda desk: desk.answer(path := desk.publish("example.com/hello", GOOD), location=f"/{path}"),
        76,
        "more than the limit of 20 redirects",
    ),
    "a redirect to a host whose certificate is another's": (
        lambda desk: _answer(desk, location="https://other.example/x.aci"),
        69,
        "its certificate is not accepted",
    ),
    "no signature": (lambda desk: _signature_answer(desk, status=404), 77, "there is no signature"),
    "a signature that the server cannot give": (lambda desk: _signature_answer(desk, status=500), 69, "the server answered 500"),
    "a discovery page that the server cannot give": (lambda desk: desk.answer("index.html", status=500), 69, "answered 500"),
    "a discovery page over 1 MiB": (
        lambda desk: (desk.machine.site / "index.html").write_bytes(b" " * (1 << 20) + b"!"),
        76,
        "larger than the limit of 1048576 bytes",
    ),
    "no discovery page": (lambda desk: (desk.machine.site / "index.html").unlink(), 69, "example.com answered 404"),
    "a discovery page for other names": (
        lambda desk: write_page(desk.machine.site, "example.com/hell", "https://example.com/{name}.{ext}"),
        69,
        "has tags for other names only",
    ),
    "a template that leads to plain http": (
        lambda desk: write_page(desk.machine.site, "example.com", "http://example.com/{name}.{ext}"),
        69,
        'its scheme is "http"',
    ),
}


@pytest.mark.parametrize("case", TRANSPORT)
def test_what_goes_wrong_on_the_way_leaves_nothing(desk: Desk, before: dict[str, object], case: str) -> None:
    arrange, code, words = TRANSPORT[case]
    arrange(desk)
    assert_refused(desk.shell("acfetch example.com/hello"), code, words, "acfetch")
    assert snapshot(desk.store) == before


SIGNATURES: dict[str, tuple[Callable[[Signer, Signer], bytes], int, str]] = {
    "by a key that nobody trusts": (lambda _, stranger: stranger.sign(GOOD), 77, "not among the trusted ones"),
    "of another file": (lambda signer, _: signer.sign(b"another file"), 77, "the signature is of another file"),
    "of the uncompressed image": (
        lambda signer, _: signer.sign(tar(probe_files(), app_manifest())),
        77,
        "the signature is of another file",
    ),
    "that holds its own text": (
        lambda signer, _: signer.sign(b"text\n", "--clearsign"),
        65,
        "not an ascii-armoured detached signature",
    ),
    "without armour": (lambda signer, _: signer.run("--detach-sign", data=GOOD), 65, "not an ascii-armoured detached signature"),
    "that is a key": (lambda signer, _: signer.public, 65, "not an ascii-armoured detached signature"),
    "that is nothing": (lambda *_: b"", 65, "not an ascii-armoured detached signature"),
    "that is larger than 64 KiB": (lambda signer, _: signer.sign(GOOD) + b"\n" * 65536, 76, "limit of 65536 bytes"),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_a_signature_that_does_not_count_keeps_the_image_out(
    desk: Desk, signer: Signer, stranger: Signer, before: dict[str, object], case: str
) -> None:
    make, code, words = SIGNATURES[case]
    desk.publish("example.com/hello", GOOD, signature=make(signer, stranger))
    assert_refused(desk.shell("acfetch example.com/hello"), code, words, "acfetch")
    assert snapshot(desk.store) == before
    ended = desk.shell("acfetch --quiet example.com/hello | acrun")
    assert (ended.code, ended.stdout) == (125, "")
    assert len(ended.stderr.splitlines()) == 2


@pytest.mark.parametrize("prefix", ["example.com/hell", "example.com/hello/sub", "example.co"])
def test_a_key_counts_for_whole_path_components_and_else_nothing_is_downloaded(
    desk: Desk, stranger: Signer, before: dict[str, object], prefix: str
) -> None:
    for path in (desk.path / "config").rglob("*"):
        if path.is_file():
            path.unlink()
    desk.trust(stranger, prefix)
    desk.publish("example.com/hello", GOOD, by=stranger)
    desk.machine.log.write_text("")
    assert_refused(desk.shell("acfetch example.com/hello"), 77, "no key is trusted for this name", "acfetch")
    assert not [line for line in desk.machine.requests if ".aci" in line]
    assert snapshot(desk.store) == before


MANIFESTS = {
    "another name": ("example.com/hello", app_manifest("example.com/other"), "the image says example.com/other"),
    "a name that only begins like it": (
        "example.com/hello",
        app_manifest("example.com/hello2"),
        "the image says example.com/hello2",
    ),
    "another version": (
        "example.com/hello:1.0",
        app_manifest(labels=[{"name": "version", "value": "2.0"}]),
        'label version: asked for "1.0", the image says "2.0"',
    ),
    "no version": ("example.com/hello:1.0", app_manifest(), "the image has no such label"),
    "another machine": (
        "example.com/hello",
        app_manifest(labels=[{"name": "os", "value": "linux"}, {"name": "arch", "value": "s390x"}]),
        'the image says "s390x"',
    ),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_an_image_that_is_not_the_one_asked_for_stays_out(desk: Desk, before: dict[str, object], case: str) -> None:
    asked, manifest, words = MANIFESTS[case]
    desk.publish("example.com/hello", image(probe_files(), manifest), version=asked.partition(":")[2] or "latest")
    assert_refused(desk.shell(f"acfetch {asked}"), 77, words, "acfetch")
    assert snapshot(desk.store) == before


def test_an_image_id_that_is_not_the_one_asked_for(desk: Desk, before: dict[str, object]) -> None:
    desk.publish("example.com/hello", GOOD)
    wrong = image_id(b"another")
    assert_refused(desk.shell(f"acfetch example.com/hello@{wrong}"), 77, f"asked for {wrong}, the image is sha512-", "acfetch")
    assert snapshot(desk.store) == before


BASE = app_image("example.com/base")
DEPENDENCIES: dict[str, tuple[dict[str, object], Callable[[Desk, Signer], object], int, str]] = {
    "that is not there": ({}, lambda *_: None, 69, "the server answered 404"),
    "that a stranger signed": (
        {},
        lambda desk, stranger: desk.publish("example.com/base", BASE, by=stranger),
        77,
        "not among the trusted ones",
    ),
    "of another size": (
        {"size": len(BASE) + 1},
        lambda desk, _: desk.publish("example.com/base", BASE),
        77,
        "the dependency's size says",
    ),
    "that is larger than said": (
        {"size": 10},
        lambda desk, _: desk.publish("example.com/base", BASE),
        77,
        "larger than the 10 bytes",
    ),
    "of another image ID": (
        {"imageID": image_id(b"another")},
        lambda desk, _: desk.publish("example.com/base", BASE),
        77,
        "asked for sha512-",
    ),
    "of other labels": (
        {"labels": [{"name": "version", "value": "3"}]},
        lambda desk, _: desk.publish("example.com/base", BASE, version="3"),
        77,
        "no such label",
    ),
    "that is hostile": ({}, lambda desk, _: desk.publish("example.com/base", BASE[:-8]), 65, "truncated"),
}


@pytest.mark.parametrize("case", DEPENDENCIES)
def test_an_image_is_not_kept_for_a_dependency(desk: Desk, stranger: Signer, before: dict[str, object], case: str) -> None:
    fields, arrange, code, words = DEPENDENCIES[case]
    desk.publish("example.com/hello", app_image(dependencies=[{"imageName": "example.com/base", **fields}]))
    arrange(desk, stranger)
    assert_refused(desk.shell("acfetch --quiet example.com/hello"), code, words, "acfetch")
    assert snapshot(desk.store) == before


def test_one_of_several_that_fails_prints_no_path_at_all(desk: Desk) -> None:
    desk.publish("example.com/hello", GOOD)
    assert_refused(desk.shell("acfetch --quiet example.com/hello example.com/nope"), 69, "nope", "acfetch")


@pytest.mark.parametrize("size", ["1m", "12k"], ids=["no room for the image", "no room for the keys"])
def test_a_full_disk_is_told_and_leaves_nothing(desk: Desk, size: str) -> None:
    desk.publish("example.com/hello", app_image(files={"big": bytes(range(256)) * 8192}))
    small = f"mkdir small && mount -t tmpfs -o size={size} tmpfs small && acfetch --dir small --quiet example.com/hello"
    ended = desk.run("unshare", "--mount", "sh", "-c", f"{small}; code=$?; find small -type f ! -name version 1>&2; exit $code")
    assert_refused(ended, 74, "no space left on device", "acfetch")


def test_what_was_given_up_is_in_the_record_for_ever(desk: Desk, stranger: Signer) -> None:
    desk.publish("example.com/hello", GOOD, by=stranger)
    path = desk.shell("acfetch --quiet --insecure-options=image example.com/hello").stdout.strip()
    record = json.loads(Path(path).with_suffix(".json").read_text())
    assert (record["signer"], record["givenUp"]) == (None, ["image"])
    assert not Path(path).with_suffix(".asc").exists()
    assert_refused(desk.shell("acfetch example.com/hello"), 77, "not among the trusted ones", "acfetch")


def test_a_download_that_is_killed_leaves_nothing_for_longer_than_the_next_fetch(desk: Desk, tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    desk.publish("example.com/good", app_image("example.com/good"))
    _cut(desk, hold=str(held), length=len(GOOD))
    with desk.start("acfetch", "example.com/hello") as acfetch:
        assert held.read_text() == "held\n"
        assert sorted(name.partition("-")[0] for name in os.listdir(desk.store / "tmp")) == ["gpg", "image"]
        acfetch.kill()
        assert acfetch.communicate() == ("", "")
    assert desk.shell("acfetch --quiet example.com/good").code == 0
    assert sorted({Path(name).suffix for name in os.listdir(desk.store / "images")}) == [".aci", ".asc", ".json"]
    assert len(os.listdir(desk.store / "images")) == 3
    assert os.listdir(desk.store / "tmp") == []


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_download_that_is_interrupted_leaves_nothing(desk: Desk, tmp_path: Path, name: str, code: int) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    _cut(desk, hold=str(held), length=len(GOOD))
    with desk.start("acfetch", "example.com/hello") as acfetch:
        assert held.read_text() == "held\n"
        acfetch.send_signal(getattr(signal, name))
        assert acfetch.communicate() == ("", "")
    assert acfetch.returncode in (code, 128 - code)
    assert os.listdir(desk.store / "images") == []
    assert os.listdir(desk.store / "tmp") == []
