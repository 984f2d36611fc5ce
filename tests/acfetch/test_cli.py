"""The program: its streams, its exit codes, what it imports, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from acfetch.cli import COMMANDS
from tests.acfetch.customer import ARCH, PAGE, PROGRAM, TEMPLATE, Customer, app, id_of, page
from tests.support.gpg import Signer
from tests.support.server import Answer

NAME = "example.com/app"


def test_help_and_version(customer: Customer) -> None:
    text = customer.run("--help").out
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert customer.run("-h").out == customer.run("help").out == text
    assert customer.run("--version").out == customer.run("-V").out == "acfetch 0.1.0 (App Container specification 0.8.11)\n"
    assert customer.run().code == 2
    for command in COMMANDS:
        ended = customer.run(command, "--help")
        assert (ended.code, ended.err) == (0, "")
        assert f"acfetch {command}" in ended.out
        assert customer.run("help", command).out == ended.out


USAGE: dict[str, tuple[str, ...]] = {
    "an unknown option": ("--explode", NAME),
    "no image": ("fetch",),
    "an empty word": ("",),
    "a word that is no name": ("Example.com/app",),
    "a scheme that nobody speaks": ("ftp://example.com/x.aci",),
    "an ID alone": ("sha512-" + "0" * 128,),
    "--output for two": ("--output", "x", NAME, NAME),
    "a word to give up that there is not": ("--insecure-options=all", NAME),
    "another one beside a good one": ("--insecure-options=image,pubkey", NAME),
    "bytes that are no text": ("example.com/\udcff",),
    "control characters": ("example.com/\x1b[31m\n",),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is_one_line_and_2(words: tuple[str, ...], customer: Customer) -> None:
    assert customer.refused(2, *words).isprintable()
    assert customer.server.asked == []


# The words typed, what is not understood, and the hint.
MEANT = {
    "a command behind an option": (("--quiet", "discover", NAME), "discover: is a command, which comes first (acfetch discover …)"),
    "a word of other tools": (("pull", NAME), "pull: no such command (did you mean acfetch fetch?)"),
    "a word that no tool has": (("frobnicate", NAME), "frobnicate: cannot be discovered"),
}


@pytest.mark.parametrize("title", MEANT)
def test_a_word_that_leads_nowhere_may_have_been_a_command(title: str, customer: Customer) -> None:
    words, line = MEANT[title]
    ended = customer.run(*words)
    assert ended.code in (2, 69)
    assert ended.err.startswith(f"acfetch: {line}")


def test_fetch_is_the_command_when_none_is_named(customer: Customer) -> None:
    customer.publish(NAME, app())
    customer.publish("images", app("images"))
    assert customer.fetch(NAME) == customer.fetch("fetch", NAME) == customer.fetch("--quiet", NAME)
    customer.server.answers["https://images/?ac-discovery=1"] = page(("images", TEMPLATE))
    assert "no key is trusted" in customer.refused(77, "fetch", "images")


def test_json_is_an_object_a_line(customer: Customer, publisher: Signer) -> None:
    lib = app("example.com/lib")
    customer.publish("example.com/lib", lib)
    data = app(labels={"os": "linux", "version": "ü,1"}, dependencies=[{"imageName": "example.com/lib"}])
    customer.publish(NAME, data)
    first, second = map(json.loads, customer.fetch("--json", NAME, "example.com/lib"))
    assert first == {
        "id": id_of(data),
        "name": NAME,
        "labels": [{"name": "os", "value": "linux"}, {"name": "version", "value": "ü,1"}],
        "path": f"{customer.store}/images/{id_of(data)}.aci",
        "signer": publisher.fingerprint.lower(),
        "dependencies": [id_of(lib)],
    }
    assert second["id"] == id_of(lib)


def test_notes_go_to_stderr_and_quiet_leaves_them_out(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    customer.server.answers[PAGE] = page(("example.com", "hdfs://x/{name}.{ext}"), ("example.com", TEMPLATE))
    ended = customer.run(NAME)
    size = len(app())
    assert ended.err.splitlines() == [
        f"acfetch: {NAME}: left out template hdfs://x/{{name}}.{{ext}}: "
        'its scheme is "hdfs", and there is no acfetch-transport-hdfs on PATH',
        f"acfetch: {NAME}: {id_of(app())[:19]}, {size} bytes, signed by {customer.publisher.fingerprint.lower()}",
    ]
    assert customer.run("-q", NAME) == type(ended)(0, ended.out, "")
    assert url in customer.server.asked


def test_a_copy_of_what_was_served(customer: Customer, publisher: Signer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    customer.fetch(NAME)
    customer.fetch("--output", "out.aci", f"{NAME}@{id_of(data)}")
    assert (customer.path / "out.aci").read_bytes() == data
    assert (customer.path / "out.aci.asc").read_bytes() == customer.server.answers[f"{url}.asc"].body
    customer.fetch("--output", str(customer.path / "bare.aci"), "--insecure-options=image", NAME)
    assert sorted(path.name for path in customer.path.glob("*.aci*")) == ["bare.aci", "out.aci", "out.aci.asc"]


def test_a_copy_is_not_touched_when_something_fails(customer: Customer, mallory: Signer) -> None:
    (customer.path / "out.aci").write_bytes(b"old")
    customer.publish(NAME, app(), by=mallory)
    customer.refused(77, "--output", "out.aci", NAME)
    assert (customer.path / "out.aci").read_bytes() == b"old"
    assert sorted(path.name for path in customer.path.glob("*out*")) == ["out.aci"]


@pytest.mark.parametrize("file", ["config", "nowhere/out.aci", "file/out.aci"])
def test_a_copy_that_cannot_be_made_stops_all_before_it_begins(file: str, customer: Customer) -> None:
    (customer.path / "file").touch()
    customer.publish(NAME, app())
    assert customer.refused(73, "--output", file, NAME).startswith(f"acfetch: {file}: ")
    assert customer.server.asked == []


def test_the_data_directory_can_be_named_and_is_made(customer: Customer) -> None:
    customer.publish(NAME, app())
    assert customer.fetch("--dir", "elsewhere/data", NAME) == [f"{customer.path}/elsewhere/data/images/{id_of(app())}.aci"]
    assert os.listdir(customer.store) == []


ODD = {"a line feed": "a\nb", "bytes that are no text": "a\udcffb"}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_a_path_that_lines_or_json_cannot_hold_is_told(name: str, customer: Customer) -> None:
    customer.publish(NAME, app())
    plain, as_json = (customer.run_program("--dir", name, *option, NAME) for option in ((), ("--json",)))
    assert sorted(ended.code for ended in (plain, as_json)) == [0, 2]
    for ended in (plain, as_json):
        assert ended.out.count("\n") == (ended.code == 0)
        assert ended.err.count("\n") == 1


def test_images_are_listed(customer: Customer, publisher: Signer) -> None:
    assert customer.run("images").out == ""
    one = app(labels={"os": "linux", "arch": ARCH, "version": "1.2", "note": "\x1b[31mred"})
    customer.publish(NAME, one)
    customer.publish("example.com/two", app("example.com/two"))
    customer.fetch("example.com/two")
    customer.fetch(NAME, "--insecure-options=image")
    first, second = customer.run("images").out.splitlines()
    assert first.startswith(f"{id_of(one)[:19]}  unsigned          ")
    assert first.endswith(f"Z  {NAME}:1.2,os=linux,arch={ARCH},note=\\x1b[31mred")
    assert second.startswith(f"{id_of(app('example.com/two'))[:19]}  {publisher.fingerprint.lower()[-16:]}  20")
    records = [json.loads(line) for line in customer.run("images", "--json").out.splitlines()]
    assert [record["name"] for record in records] == [NAME, "example.com/two"]
    assert records[0]["givenUp"] == ["image"]
    assert customer.refused(2, "images", "x")


def test_a_bar_is_shown_on_a_terminal_only(customer: Customer) -> None:
    customer.publish(NAME, app())
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError:  # the other side is closed
            pass
        assert process.stdout is not None
        assert process.stdout.read().count(b"\n") == 1
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" in shown
    assert b"https://example.com/images/example.com/app" in shown
    assert "\x1b" not in customer.run(NAME).err


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize(("number", "code"), SIGNALS.items())
def test_a_signal_ends_a_download_that_stalls_and_leaves_nothing(number: signal.Signals, code: int, customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    silent = threading.Event()
    customer.server.answers[url] = Answer(data[:60], length=len(data), silent=silent)
    environment = {**os.environ, "TMPDIR": str(customer.path / "tmp")}
    with subprocess.Popen([*PROGRAM, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert silent.wait(60)
        process.send_signal(number)
        out, err = process.communicate(timeout=45)  # it would wait longer for the server
    assert (process.returncode, out, err) == (code, b"", b"")
    assert os.listdir(customer.path / "tmp") == os.listdir(customer.store / "tmp") == os.listdir(customer.store / "images") == []


def test_under_nohup_a_hangup_ends_nothing(customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    started, going_on = threading.Event(), threading.Event()

    def halves() -> Iterator[bytes]:
        yield data[:60]
        assert started.wait(60)
        process.send_signal(signal.SIGHUP)
        going_on.set()
        yield data[60:]

    customer.server.answers[url] = Answer(halves(), length=len(data))
    with subprocess.Popen(["sh", "-c", 'trap "" HUP && exec "$@"', "sh", *PROGRAM, "-q", NAME], stdout=subprocess.PIPE) as process:
        started.set()
        assert going_on.wait(60)
        out, _ = process.communicate()
    assert (process.returncode, out.count(b"\n")) == (0, 1)


def test_a_reader_that_goes_away_ends_it_quietly(customer: Customer) -> None:
    customer.publish(NAME, app())
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run([*PROGRAM, "-q", NAME], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


def test_a_full_output_is_an_error(customer: Customer) -> None:
    customer.publish(NAME, app())
    with open("/dev/full", "wb") as full:
        result = subprocess.run([*PROGRAM, "-q", NAME], stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 74
    assert result.stderr.count(b"\n") == 1


def test_without_gpg_the_message_says_so(customer: Customer) -> None:
    customer.publish(NAME, app())
    customer.monkeypatch.setenv("PATH", "/nowhere")
    assert "gpg: is not installed" in customer.refused(66, NAME)


def test_a_proxy_that_cannot_be_used_is_bad_configuration(customer: Customer) -> None:
    customer.monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    assert "names a proxy that cannot be used" in customer.refused(78, NAME)


def test_what_a_server_says_cannot_move_the_terminal(customer: Customer) -> None:
    customer.server.answers[PAGE] = Answer(
        '<meta name="ac-discovery" content="example.com https://a.b/\x1b[2J\u202e{name}">'.encode()
    )
    assert customer.refused(69, NAME).isprintable()
    customer.server.answers[PAGE] = page(("example.com", TEMPLATE))
    customer.publish(NAME, app(labels={"version": "\x1b]0;title\x07\r\n"}), version="1")
    assert customer.refused(77, f"{NAME}:1").endswith('the image says "\\x1b]0;title\\x07\\x0d\\x0a"')


IMPORTS = [
    (["--version"], ["typer", "httpx", "dataclasses", "ssl", "json", "rich"]),
    (["images"], ["httpx", "ssl", "gnupg", "selectolax", "rich", "pydantic", "click", "jsonschema"]),
    (["trust", "list"], ["httpx", "ssl", "gnupg", "selectolax", "rich", "pydantic"]),
]


@pytest.mark.parametrize(("words", "absent"), IMPORTS)
def test_nothing_is_imported_before_it_is_needed(words: list[str], absent: list[str], customer: Customer) -> None:
    code = f"import sys; from acfetch.cli import main; main(); print(*(m for m in {absent!r} if m in sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert result.stderr == "\n"
