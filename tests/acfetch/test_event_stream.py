"""Events as a program reads them: the whole story of a fetch, and readers that are slow, gone or none."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from acfetch.event_stream import STEP_BYTES, EventStream, check_descriptor
from acfetch.events import Downloading, Failed, Listeners, Received, Started, Tried
from acspec.errors import UsageError
from tests.acfetch.customer import Customer, app, id_of
from tests.support.server import Answer

NAME = "example.com/app"
NO_DESCRIPTOR = str(2**31 - 1)  # however many this process has open


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            pass


def read(descriptor: int) -> list[dict[str, Any]]:
    """Return what can be read at once, as JSON."""
    os.set_blocking(descriptor, False)
    data = b""
    try:
        while part := os.read(descriptor, 1 << 16):
            data += part
    except BlockingIOError:
        pass
    return [json.loads(line) for line in data.splitlines()]


def told(customer: Customer, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Run acfetch and return the events, without what no test knows beforehand."""
    with open(customer.path / "events", "wb") as file:
        ended = customer.run("--quiet", "--events", str(file.fileno()), *words)
    assert ended.code == code, ended.err
    return [json.loads(line) for line in (customer.path / "events").read_text().splitlines()]


def words(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["ref"]) for event in events]


def test_a_fetch_is_told_from_its_start_to_its_end(customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    path = f"{customer.store}/images/{id_of(data)}.aci"
    signer = customer.publisher.fingerprint.lower()
    assert told(customer, NAME) == [
        {"event": "start", "ref": NAME},
        {"event": "discovered", "ref": NAME, "places": [url]},
        {"event": "try", "ref": NAME, "place": url},
        {"event": "download", "ref": NAME, "place": url, "size": len(data)},
        {"event": "bytes", "ref": NAME, "received": len(data), "size": len(data)},
        {"event": "verified", "ref": NAME, "id": id_of(data), "signer": signer},
        {"event": "stored", "ref": NAME, "id": id_of(data), "path": path},
        {"event": "done", "ref": NAME, "id": id_of(data), "path": path},
    ]


def test_an_image_that_is_there_is_done_at_once(customer: Customer) -> None:
    data = app()
    customer.publish(NAME, data)
    customer.fetch(NAME)
    assert words(told(customer, f"{NAME}@{id_of(data)}")) == [(word, f"{NAME}@{id_of(data)}") for word in ("start", "done")]


def test_each_event_is_of_its_own_image(customer: Customer) -> None:
    customer.publish(NAME, app(dependencies=[{"imageName": "example.com/lib"}]))
    customer.publish("example.com/lib", app("example.com/lib"))
    events = told(customer, NAME)
    assert {"event": "start", "ref": "example.com/lib", "neededBy": NAME} in events
    assert [ref for word, ref in words(events) if word == "verified"] == [NAME, "example.com/lib"]
    assert [ref for word, ref in words(events) if word == "stored"] == ["example.com/lib", NAME]
    assert {ref for word, ref in words(events) if word == "done"} == {NAME, "example.com/lib"}


def test_what_started_and_is_not_done_has_failed(customer: Customer) -> None:
    customer.publish("example.com/good", app("example.com/good"))
    customer.publish(NAME, app(dependencies=[{"imageName": "example.com/lib"}]))
    events = told(customer, "example.com/good", NAME, code=69)
    started, failed = ([ref for word, ref in words(events) if word == wanted] for wanted in ("start", "failed"))
    assert failed == started[::-1], "the last that began first, whichever that was"
    assert sorted(failed) == [NAME, "example.com/good", "example.com/lib"]
    assert words(events)[-3:] == [("failed", ref) for ref in failed]
    assert "the server answered 404" in events[-1]["why"]
    assert not [word for word, _ in words(events) if word in ("stored", "done")]


def test_a_place_after_the_other_is_told(customer: Customer) -> None:
    customer.configure("sources.json", {"*": {"templates": ["https://mirror.example/{name}.{ext}"]}})
    customer.server.answers[f"https://mirror.example/{NAME}.aci.asc"] = Answer(status=503)
    customer.publish(NAME, app())
    places = [event["place"] for event in told(customer, NAME) if event["event"] == "try"]
    assert [place.split("/")[2] for place in places] == ["mirror.example", "example.com"]


def test_text_that_is_not_utf_8_is_told_all_the_same(customer: Customer) -> None:
    (customer.path / "a\udcff.aci").write_bytes(app())
    [start, *_] = told(customer, "--insecure-options=image", "./a\udcff.aci")
    assert start["ref"] == "./a\\xff.aci"


def test_bytes_are_told_by_their_count(pipe: tuple[int, int]) -> None:
    events = EventStream(pipe[1])
    events.notify(Downloading("a", "https://example.com/a", 1000 * STEP_BYTES))
    for _ in range(1000):
        events.notify(Received("a", STEP_BYTES))
    events.notify(Received("a", 0))
    received = [event["received"] for event in read(pipe[0]) if event["event"] == "bytes"]
    assert received == [10 * STEP_BYTES * number for number in range(1, 101)]


def test_without_a_size_each_mebibyte_is_told(pipe: tuple[int, int]) -> None:
    events = EventStream(pipe[1])
    events.notify(Downloading("a", "https://example.com/a", None))
    for count in (1, STEP_BYTES - 2, 1, 1, STEP_BYTES):
        events.notify(Received("a", count))
    assert [event["received"] for event in read(pipe[0]) if event["event"] == "bytes"] == [STEP_BYTES, 2 * STEP_BYTES + 1]


def test_a_slow_reader_misses_bytes_and_nothing_else(pipe: tuple[int, int]) -> None:
    events = EventStream(pipe[1])
    for number in range(3000):  # more than any pipe holds
        events.notify(Tried("a", f"https://example.com/{number}"))
        events.notify(Received("a", STEP_BYTES))
    data = os.read(pipe[0], 1 << 20)
    while not data.endswith(b'/2999"}\n'):
        events.notify(Received("a", 0))
        events._write(0)
        data += os.read(pipe[0], 1 << 20)
    found = [json.loads(line) for line in data.splitlines()]
    assert [event["place"] for event in found if event["event"] == "try"] == [f"https://example.com/{n}" for n in range(3000)]
    assert 0 < len([event for event in found if event["event"] == "bytes"]) < 1000


def test_a_reader_that_went_away_is_told_no_more(customer: Customer, pipe: tuple[int, int]) -> None:
    customer.publish(NAME, app())
    os.close(pipe[0])
    ended = customer.run("--quiet", "--events", str(pipe[1]), NAME)
    assert (ended.code, ended.err) == (0, "")


def test_a_pipe_that_nobody_reads_does_not_hold_up_a_fetch(customer: Customer, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], bytes(fcntl.fcntl(pipe[1], fcntl.F_GETPIPE_SZ)))
    customer.publish(NAME, app())
    ended = customer.run("--quiet", "--events", str(pipe[1]), NAME)
    assert (ended.code, ended.err) == (0, "")


def test_the_descriptor_stays_as_it_was(customer: Customer, pipe: tuple[int, int]) -> None:
    customer.publish(NAME, app())
    customer.run("--quiet", "--events", str(pipe[1]), NAME)
    assert os.get_blocking(pipe[1])
    assert words(read(pipe[0]))[-1] == ("done", NAME)


def test_a_descriptor_is_refused_that_nothing_can_be_written_to(customer: Customer, pipe: tuple[int, int], tmp_path: Path) -> None:
    bad = {"1": "standard output holds the result", NO_DESCRIPTOR: "is not open", str(pipe[0]): "for reading only"}
    for descriptor, why in bad.items():
        assert why in customer.refused(2, "--events", descriptor, NAME)
    for number in (-1, 2**40):
        with pytest.raises(UsageError, match="is not open"):
            check_descriptor(number)
    assert customer.server.asked == []


def test_an_interrupted_run_says_so(pipe: tuple[int, int]) -> None:
    with ExitStack() as run:
        run.enter_context(pytest.raises(KeyboardInterrupt))
        run.enter_context(Listeners(EventStream(pipe[1]))).notify(Started("a", None))
        raise KeyboardInterrupt
    assert read(pipe[0])[-1] == {"event": "failed", "ref": "a", "why": "interrupted"}


def test_a_failure_ends_a_reference_once(pipe: tuple[int, int]) -> None:
    with Listeners(EventStream(pipe[1])) as listeners:
        listeners.notify(Started("a", None))
        listeners.notify(Failed("a", "x"))
    assert words(read(pipe[0])) == [("start", "a"), ("failed", "a")]
