"""What comes from the store and what from the network: --pull, --offline, and what servers say of how long an answer is good."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acspec.store import Store
from tests.acfetch.customer import ARCH, Customer, app, id_of
from tests.support.server import Answer, Request

NAME = "example.com/app"
FRESH = {"ETag": '"one"', "Cache-Control": "max-age=600"}
OLD, NEW = app(), app(labels={"os": "linux", "arch": ARCH, "version": "2"})


def offer(customer: Customer, data: bytes, headers: Mapping[str, str], name: str = NAME) -> str:
    """Publish an image whose server knows conditions; return its URL."""
    url = customer.publish(name, data)

    def answer(request: Request) -> Answer:
        asked = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        known = asked in ((headers.get("ETag", ""), None), (None, headers.get("Last-Modified", "")))
        return Answer(b"", 304, headers, length=None) if known else Answer(data, 200, headers)

    customer.server.decisions[url] = answer
    return url


def change_freshness(customer: Customer, line: str, **changes: Any) -> None:
    file = Path(line.removesuffix(".aci") + ".json")
    record = json.loads(file.read_bytes())
    record["freshness"] |= changes
    file.write_text(json.dumps(record))


def grow_stale(customer: Customer, line: str) -> None:
    change_freshness(customer, line, checked="2020-01-01T00:00:00Z", until="2020-01-01T00:00:01Z")
    customer.server.requests.clear()


def test_what_is_fresh_needs_no_network(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    lines = customer.fetch(NAME)
    customer.server.clear()
    for words in ([NAME], [f"{NAME}"], ["--pull=update", NAME], ["--pull=new", NAME], ["--offline", NAME]):
        assert customer.fetch(*words) == lines
    assert customer.server.asked == []
    freshness = customer.record(lines[0])["freshness"]
    assert (freshness["asked"], freshness["etag"], freshness["lastModified"]) == (NAME, '"one"', None)


def test_fresh_is_only_what_the_same_words_led_to(customer: Customer) -> None:
    offer(customer, app(labels={"os": "linux", "arch": ARCH, "version": "1"}), FRESH)
    customer.server.decisions[customer.publish(NAME, NEW, version="2")] = lambda _: Answer(NEW, headers=FRESH)
    customer.fetch(f"{NAME}:2")
    customer.server.requests.clear()
    customer.fetch(NAME)
    assert customer.server.asked != []
    customer.server.clear()
    customer.fetch(NAME, f"{NAME}:2", f"{NAME},version=2")
    assert customer.server.asked == []


CONDITIONS: dict[str, tuple[dict[str, str], str, str]] = {
    "its ETag": (FRESH, "if-none-match", '"one"'),
    "a weak ETag": ({"ETag": 'W/"one"'}, "if-none-match", 'W/"one"'),
    "its date": ({"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, "if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
}


@pytest.mark.parametrize(("headers", "name", "value"), CONDITIONS.values(), ids=CONDITIONS)
def test_what_is_stale_is_asked_for_by(headers: dict[str, str], name: str, value: str, customer: Customer) -> None:
    url = offer(customer, OLD, headers)
    [line] = customer.fetch(NAME)
    grow_stale(customer, line)
    assert customer.fetch(NAME) == [line]
    (asked,) = [request for request in customer.server.requests if request.url.startswith(url)]
    assert (asked.url, asked.headers[name]) == (url, value)
    assert customer.record(line)["freshness"]["checked"] > "2020-01-01T00:00:01Z"


def test_what_was_found_unchanged_is_fresh_again(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    grow_stale(customer, line)
    customer.fetch(NAME)
    customer.server.clear()
    assert customer.fetch(NAME) == [line]
    assert customer.server.asked == []


@pytest.mark.parametrize("word", ["tls", "http"])
def test_what_anybody_may_have_said_makes_nothing_fresh_again(word: str, customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    grow_stale(customer, line)
    assert customer.fetch(f"--insecure-options={word}", NAME) == [line]
    assert customer.record(line)["freshness"]["checked"] == "2020-01-01T00:00:00Z"


def test_what_has_changed_is_fetched(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    grow_stale(customer, line)
    offer(customer, NEW, {"ETag": '"two"'})
    [new] = customer.fetch(NAME)
    assert new.endswith(f"{id_of(NEW)}.aci")
    assert customer.fetch("--pull=new", NAME) == [new]


def test_new_takes_what_is_there_however_old(customer: Customer) -> None:
    customer.publish(NAME, OLD)
    lines = customer.fetch(NAME)
    customer.publish(NAME, NEW)
    customer.server.requests.clear()
    assert customer.fetch("--pull=new", NAME) == lines
    assert customer.server.asked == []
    assert "is not in the store" in customer.refused(66, "--pull=never", "example.com/other")
    customer.publish("example.com/other", app("example.com/other"))
    customer.fetch("--pull=new", "example.com/other")


def test_offline_says_what_is_wanting_and_asks_nobody(customer: Customer) -> None:
    customer.publish(NAME, OLD)
    message = f"acfetch: {NAME}: is not in the store (--pull=new fetches it)"
    assert customer.refused(66, "--offline", NAME) == message
    assert customer.refused(66, "--pull=never", NAME) == message
    assert "is not in the store" in customer.refused(66, "--offline", f"{NAME}@{id_of(OLD)}")
    assert "is not in the store" in customer.refused(66, "--offline", "https://example.com/x.aci")
    (customer.path / "x.aci").write_bytes(app("example.com/mine", dependencies=[{"imageName": NAME}]))
    assert customer.refused(66, "--offline", "--insecure-options=image", "./x.aci") == message
    assert customer.server.asked == []
    customer.fetch(NAME)
    customer.server.clear()
    customer.fetch("--offline", "--insecure-options=image", "./x.aci")
    assert "nothing may be" in customer.refused(66, "--offline", "--output", "out.aci", NAME)
    assert customer.server.asked == []


@pytest.mark.parametrize("pull", ["new", "update"])
def test_what_would_not_be_accepted_now_is_fetched_again_or_refused(pull: str, customer: Customer) -> None:
    url = offer(customer, OLD, FRESH)
    customer.fetch("--insecure-options=image", NAME)
    customer.server.requests.clear()
    customer.fetch(f"--pull={pull}", NAME)
    assert f"{url}.asc" in customer.server.asked
    (customer.config / f"trustedkeys/prefix.d/example.com/{customer.publisher.fingerprint.lower()}").unlink()
    assert "no trusted signature" in customer.refused(77, f"--pull={pull}", NAME)
    assert "is not in the store" in customer.refused(66, "--offline", NAME)


def test_a_url_is_fresh_as_well_and_a_file_is_always_read(customer: Customer) -> None:
    url = offer(customer, OLD, FRESH)
    lines = customer.fetch(url)
    customer.server.clear()
    assert customer.fetch(url) == customer.fetch("--offline", url) == lines
    assert customer.server.asked == []
    (customer.path / "x.aci").write_bytes(NEW)
    [line] = customer.fetch("--insecure-options=image", "--pull=new", "./x.aci")
    assert customer.record(line)["freshness"] is None


def test_a_record_from_before_there_was_freshness_is_read_and_means_nothing(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    file = Path(line.removesuffix(".aci") + ".json")
    record = json.loads(file.read_bytes())
    del record["freshness"]
    file.write_text(json.dumps(record))
    customer.server.requests.clear()
    assert customer.fetch(NAME) == [line]
    assert customer.server.asked != []
    assert customer.record(line)["freshness"]["asked"] == NAME


def test_a_run_that_fails_leaves_freshness_as_it_was(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    grow_stale(customer, line)
    customer.refused(69, NAME, "example.com/nowhere")
    assert customer.record(line)["freshness"]["checked"] == "2020-01-01T00:00:00Z"


def test_a_store_that_can_only_be_read_serves_what_is_unchanged(customer: Customer) -> None:
    offer(customer, OLD, FRESH)
    [line] = customer.fetch(NAME)
    record = Store.open(str(customer.store)).read_record(id_of(OLD))
    os.chmod(customer.store / "images", 0o555)
    os.chmod(customer.store / "lock", 0o400)
    ended = customer.run_program("--pull=update", NAME, held_to_modes=True)
    assert (ended.code, ended.out) == (0, f"{line}\n")
    assert Store.open(str(customer.store)).read_record(id_of(OLD)) == record


def test_a_dependency_pinned_to_an_image_of_the_same_run_is_that(customer: Customer) -> None:
    base = app("example.com/base")
    (customer.path / "base.aci").write_bytes(base)
    pinned = {"imageName": "example.com/base", "imageID": id_of(base)}
    (customer.path / "app.aci").write_bytes(app("example.com/mine", dependencies=[pinned]))
    lines = customer.fetch("--insecure-options=image", "./base.aci", "./app.aci")
    assert customer.record(lines[1])["dependencies"] == [id_of(base)]
    assert customer.server.asked == []
