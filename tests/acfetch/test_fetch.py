"""The sequence as a person sees it: names, pins, paths and URLs, into the store or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from acspec.store import Store
from tests.acfetch.customer import ARCH, PAGE, TEMPLATE, Customer, Ended, app, id_of, page
from tests.support.gpg import Signer
from tests.support.server import EXPIRED, Answer

NAME = "example.com/app"
DEFAULT = {"os": "linux", "arch": ARCH}


def test_a_name_becomes_an_image_in_the_store(customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    [line] = customer.fetch(NAME)
    assert line == f"{customer.store}/images/{id_of(data)}.aci"
    assert f"sha512-{hashlib.sha512(Path(line).read_bytes()).hexdigest()}" == id_of(data)
    assert stat.S_IMODE(os.stat(line).st_mode) == 0o444
    record = customer.record(line)
    assert (record["origin"], record["servedSize"], record["dependencies"]) == (url, len(data), [])
    assert record["servedDigest"] == f"sha512-{hashlib.sha512(data).hexdigest()}"
    assert record["labels"] == [{"name": "os", "value": "linux"}, {"name": "arch", "value": ARCH}]
    assert customer.server.asked == ["https://example.com/app?ac-discovery=1", PAGE, f"{url}.asc", url]


def test_a_parent_page_and_a_redirect_lead_to_it_as_well(customer: Customer) -> None:
    url = customer.publish("example.com/team/app", app("example.com/team/app"))
    for end in ("", ".asc"):
        elsewhere = f"https://cdn.example.net/x{end}"
        customer.server.answers[elsewhere] = customer.server.answers[f"{url}{end}"]
        customer.server.answers[f"{url}{end}"] = Answer(status=307, headers={"Location": elsewhere})
    customer.fetch("example.com/team/app")


def test_all_lines_come_in_the_order_asked_for_and_what_was_fetched_is_not_fetched_again(customer: Customer) -> None:
    one, two = app("example.com/one"), app("example.com/two")
    urls = [customer.publish("example.com/one", one), customer.publish("example.com/two", two)]
    lines = customer.fetch("example.com/two", "example.com/one", "example.com/two")
    assert [os.path.basename(line) for line in lines] == [f"{id_of(data)}.aci" for data in (two, one, two)]
    assert [customer.server.asked.count(url) for url in urls] == [1, 1]


def test_of_several_images_none_is_kept_or_printed_when_one_fails(customer: Customer) -> None:
    customer.publish("example.com/old", app("example.com/old"))
    customer.fetch("example.com/old")
    customer.publish("example.com/one", app("example.com/one"))
    customer.publish("example.com/bad", app("example.com/other"))
    message = customer.refused(77, "example.com/one", "example.com/bad")
    assert message == "acfetch: example.com/bad: asked for example.com/bad, the image says example.com/other"
    assert len(list((customer.store / "images").glob("*.aci"))) == 1


# Name and labels


MISMATCHES: dict[str, tuple[str, dict[str, str], str]] = {
    "another version": (f"{NAME}:2", {**DEFAULT, "version": "1"}, 'label version: asked for "2", the image says "1"'),
    "no version": (f"{NAME}:2", DEFAULT, 'label version: asked for "2", the image has no such label'),
    "a version that begins the same": (f"{NAME}:1", {**DEFAULT, "version": "1.0"}, 'asked for "1", the image says "1.0"'),
    "another machine's": (NAME, {"os": "linux", "arch": "s390x"}, f'label arch: asked for "{ARCH}", the image says "s390x"'),
}


@pytest.mark.parametrize(("asked", "labels", "message"), MISMATCHES.values(), ids=MISMATCHES)
def test_an_image_is_refused_that_is(asked: str, labels: dict[str, str], message: str, customer: Customer) -> None:
    customer.publish(NAME, app(labels=labels), version=asked.partition(":")[2] or "latest")
    assert message in customer.refused(77, asked)


def test_latest_in_the_template_is_any_version_in_the_manifest(customer: Customer) -> None:
    customer.publish(NAME, app(labels={**DEFAULT, "version": "7.3"}))
    customer.fetch(NAME)


def test_os_and_arch_that_nobody_asked_for_may_be_absent(customer: Customer) -> None:
    customer.publish(NAME, app(labels={}))
    customer.fetch(NAME)
    assert "the image has no such label" in customer.refused(77, f"{NAME},os=linux")


def test_a_label_that_tries_to_lead_elsewhere_stays_in_its_place(customer: Customer) -> None:
    version = "../../{ext}?a#b %2e%2e"
    encoded = "..%2F..%2F%7Bext%7D%3Fa%23b%20%252e%252e"
    customer.publish(NAME, app(labels={**DEFAULT, "version": version}), version=encoded)
    customer.fetch(f"{NAME}:{version}")


# Pins


def test_a_pin_refuses_every_other_image(customer: Customer) -> None:
    data, other = app(), app(labels={})
    customer.publish(NAME, data)
    message = customer.refused(77, f"{NAME}@{id_of(other)}")
    assert f"asked for {id_of(other)}, the image is {id_of(data)}" in message
    customer.fetch(f"{NAME}@{id_of(data)}")


def test_what_is_pinned_and_there_needs_no_network(customer: Customer) -> None:
    data = app(dependencies=[{"imageName": "example.com/lib"}])
    customer.publish(NAME, data)
    customer.publish("example.com/lib", app("example.com/lib"))
    lines = customer.fetch(NAME)
    customer.server.clear()
    assert customer.fetch(f"{NAME}@{id_of(data)}") == lines
    assert customer.server.asked == []


def test_a_pinned_image_in_the_store_must_be_what_else_was_asked_for(customer: Customer) -> None:
    data = app(labels={**DEFAULT, "version": "1"})
    customer.publish(NAME, data)
    customer.fetch(NAME)
    assert "asked for example.com/other, the image says example.com/app" in customer.refused(77, f"example.com/other@{id_of(data)}")
    assert 'label version: asked for "2"' in customer.refused(77, f"{NAME}:2@{id_of(data)}")


def _forget_dependency(customer: Customer, data: bytes) -> None:
    (customer.store / f"images/{id_of(app('example.com/lib'))}.json").unlink()


def _damage_record(customer: Customer, data: bytes) -> None:
    (customer.store / f"images/{id_of(data)}.json").write_bytes(b"{}")


def _remove_image(customer: Customer, data: bytes) -> None:
    (customer.store / f"images/{id_of(data)}.aci").unlink()


def _give_up(customer: Customer, data: bytes) -> None:
    file = customer.store / f"images/{id_of(data)}.json"
    file.write_bytes(json.dumps({**json.loads(file.read_bytes()), "givenUp": ["image"], "signer": None}).encode())


def _sign_by_nobody(customer: Customer, data: bytes) -> None:
    file = customer.store / f"images/{id_of(data)}.json"
    file.write_bytes(json.dumps({**json.loads(file.read_bytes()), "signer": "0" * 40}).encode())


def _tie_in_a_knot(customer: Customer, data: bytes) -> None:
    file = customer.store / f"images/{id_of(data)}.json"
    file.write_bytes(json.dumps({**json.loads(file.read_bytes()), "dependencies": [id_of(data)]}).encode())


STALE: dict[str, Callable[[Customer, bytes], None]] = {
    "lacks a dependency": _forget_dependency,
    "has a damaged record": _damage_record,
    "has no file": _remove_image,
    "was taken without a signature": _give_up,
    "was signed by a key that is trusted no more": _sign_by_nobody,
    "depends on itself by its record": _tie_in_a_knot,
}


@pytest.mark.parametrize("spoil", STALE.values(), ids=STALE)
def test_a_pinned_image_is_fetched_again_when_the_store_s(spoil: Callable[[Customer, bytes], None], customer: Customer) -> None:
    data = app(dependencies=[{"imageName": "example.com/lib"}])
    url = customer.publish(NAME, data)
    customer.publish("example.com/lib", app("example.com/lib"))
    lines = customer.fetch(NAME)
    spoil(customer, data)
    customer.server.requests.clear()
    assert customer.fetch(f"{NAME}@{id_of(data)}") == lines
    assert url in customer.server.asked
    assert len(list(Store.open(str(customer.store)).records())) == 2
    assert customer.record(lines[0])["signer"] == customer.publisher.fingerprint.lower()


# What is given up


def test_without_a_signature_the_record_says_so_until_there_is_one(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    del customer.server.answers[f"{url}.asc"]
    [line] = customer.fetch("--insecure-options=image", NAME)
    assert (customer.record(line)["signer"], customer.record(line)["givenUp"]) == (None, ["image"])
    assert f"{url}.asc" not in customer.server.asked
    customer.publish(NAME, app())
    customer.fetch(NAME)
    assert customer.record(line)["givenUp"] == []
    customer.fetch("--insecure-options=image", NAME)
    assert customer.record(line)["givenUp"] == [], "what has been verified once stays verified"


def test_without_a_signature_name_and_labels_count_all_the_same(customer: Customer) -> None:
    customer.publish(NAME, app("example.com/other"))
    assert "asked for example.com/app" in customer.refused(77, "--insecure-options=image", NAME)


def test_a_certificate_or_https_is_given_up_by_its_own_word_only(customer: Customer) -> None:
    data = app()
    bad, plain = f"https://{EXPIRED}/app.aci", "http://example.com/app.aci"
    customer.put(bad, data)
    customer.put(plain, data)
    assert "its certificate is not accepted: certificate has expired" in customer.refused(69, "--insecure-options=http,image", bad)
    assert "is plain http (--insecure-options=http allows it)" in customer.refused(76, "--insecure-options=tls,image", plain)
    [line] = customer.fetch("--insecure-options=tls", bad)
    assert customer.record(line)["givenUp"] == ["tls"]
    customer.fetch("--insecure-options=http", plain)


def test_a_template_for_plain_http_is_left_out(customer: Customer) -> None:
    customer.server.answers[PAGE] = page(("example.com", TEMPLATE.replace("https", "http")))
    assert 'its scheme is "http"' in customer.refused(69, NAME)


# Paths and URLs


def test_a_file_is_taken_with_the_signature_beside_it(customer: Customer, publisher: Signer) -> None:
    data = app()
    (customer.path / "x.aci").write_bytes(data)
    assert customer.refused(77, "./x.aci").endswith("x.aci.asc: there is no signature (--insecure-options=image goes without)")
    (customer.path / "x.aci.asc").write_bytes(publisher.sign(data))
    [line] = customer.fetch("x.aci")
    assert customer.fetch(f"file://{customer.path}/x.aci") == [line]
    assert customer.record(line)["origin"] == f"{customer.path}/x.aci"
    assert customer.server.asked == []


def test_a_file_whose_name_is_no_text_can_be_taken(customer: Customer) -> None:
    (customer.path / "x\udcff.aci").write_bytes(app())
    [line] = customer.fetch("--insecure-options=image", "./x\udcff.aci")
    assert customer.record(line)["origin"] == f"{customer.path}/x\\xff.aci"


@pytest.mark.parametrize("word", ["./nowhere.aci", "/nowhere/x.aci", "file:///nowhere.aci", "data/version/x.aci"])
def test_a_file_that_is_not_there(word: str, customer: Customer) -> None:
    assert "no such file" in customer.refused(66, word)
    assert "no such file" in customer.refused(66, "--insecure-options=image", word)


def test_a_directory_is_no_image(customer: Customer) -> None:
    assert "a directory, not an image archive" in customer.refused(65, "--insecure-options=image", "./config")


def test_a_url_is_taken_with_the_signature_beside_it(customer: Customer) -> None:
    customer.put("https://mirror.example.net/some/x.aci", app())
    customer.fetch("https://mirror.example.net/some/x.aci")
    assert customer.server.asked == ["https://mirror.example.net/some/x.aci.asc", "https://mirror.example.net/some/x.aci"]


def test_a_file_is_no_answer_to_a_dependency_of_the_same_letters(customer: Customer, publisher: Signer) -> None:
    # "x.aci" is a path on a command line and a name in a manifest.
    mine = app("example.com/mine")
    (customer.path / "x.aci").write_bytes(mine)
    (customer.path / "x.aci.asc").write_bytes(publisher.sign(mine))
    customer.publish(NAME, app(dependencies=[{"imageName": "x.aci"}]))
    assert "x.aci: cannot be discovered" in customer.refused(69, "x.aci", NAME)


# The store


def test_a_store_that_is_read_only_serves_what_it_has_and_asks_nobody_for_more(customer: Customer) -> None:
    data = app()
    customer.publish(NAME, data)
    customer.publish("example.com/new", app("example.com/new"))
    [line] = customer.fetch(NAME)
    customer.server.requests.clear()
    places = [customer.store, *customer.store.iterdir()]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    pinned, new = (customer.run_program(word, held_to_modes=True) for word in (f"{NAME}@{id_of(data)}", "example.com/new"))
    assert pinned == Ended(0, f"{line}\n", "")
    assert new == Ended(77, "", f"acfetch: {customer.store}: permission denied\n")
    assert customer.server.asked == []


def test_a_store_of_another_format_is_bad_configuration(customer: Customer) -> None:
    customer.publish(NAME, app())
    (customer.store / "version").write_text("2\n")
    assert 'this store has format "2", this program knows 1' in customer.refused(78, NAME)
    assert customer.server.asked == []


def test_two_processes_at_once_fetch_the_same_image(customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    both = Barrier(2)

    def body() -> Iterator[bytes]:
        yield data[:50]
        both.wait(60)  # each has half of the image now
        yield data[50:]

    class Halves:
        def __iter__(self) -> Iterator[bytes]:
            return body()

    customer.server.answers[url] = Answer(Halves(), length=len(data))
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(customer.run_program, [NAME, NAME]))
    expected = f"{customer.store}/images/{id_of(data)}.aci"
    assert [(one.code, one.out) for one in ended] == [(0, f"{expected}\n")] * 2, ended
    assert f"sha512-{hashlib.sha512(Path(expected).read_bytes()).hexdigest()}" == id_of(data)
    assert sorted(customer.images()) == [f"{id_of(data)}.{end}" for end in ("aci", "asc", "json")]
    assert os.listdir(customer.store / "tmp") == []
