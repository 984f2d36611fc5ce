"""Images that come several at once: how many, in what order they count, and what is left when one of them fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from acfetch.prefetch import AT_ONCE
from acspec.store import Store
from tests.acfetch.customer import ARCH, PROGRAM, Customer, app, id_of
from tests.support.server import Answer, Request
from tests.support.stores import check_store

NAME = "example.com/app"
UNSIGNED = "--insecure-options=image"
WAIT = 60  # seconds after which a test has failed


def url_of(name: str) -> str:
    return f"https://example.com/images/example.com/{name}-latest-linux-{ARCH}.aci"


def put(customer: Customer, name: str, *needs: str | dict[str, Any]) -> bytes:
    """Put an image that depends on others where it is found, unsigned."""
    dependencies = [{"imageName": f"example.com/{need}"} if isinstance(need, str) else need for need in needs]
    data = app(f"example.com/{name}", dependencies=dependencies)
    customer.server.answers[url_of(name)] = Answer(data)
    return data


class Meeting:
    """Answers that come when so many are asked for at once, and no earlier; `most` is how many there were."""

    def __init__(self, customer: Customer, names: list[str], size: int) -> None:
        self.most = 0
        self._size = size
        self._here = 0
        self._changed = threading.Condition()
        for name in names:
            url = url_of(name)
            customer.server.decisions[url] = self._make(customer.server.answers[url])

    def _make(self, answer: Answer) -> Callable[[Request], Answer]:
        def answer_together(_: Request) -> Answer:
            with self._changed:
                self._here += 1
                self.most = max(self.most, self._here)
                self._changed.notify_all()
                assert self._changed.wait_for(lambda: self.most >= self._size, WAIT)
                self._here -= 1
            return answer

        return answer_together


def test_dependencies_come_several_at_once_and_no_more_than_that(customer: Customer) -> None:
    names = [f"d{number}" for number in range(4 * AT_ONCE)]
    images = [put(customer, name) for name in names]
    put(customer, "app", *names)
    meeting = Meeting(customer, names, AT_ONCE)
    [line] = customer.fetch(UNSIGNED, NAME)
    assert meeting.most == AT_ONCE
    assert customer.record(line)["dependencies"] == [id_of(data) for data in images]


def test_what_is_asked_for_comes_several_at_once_and_is_printed_in_order(customer: Customer) -> None:
    names = [f"d{number}" for number in range(AT_ONCE)]
    images = [put(customer, name) for name in names]
    Meeting(customer, names, AT_ONCE)
    lines = customer.fetch(UNSIGNED, *(f"example.com/{name}" for name in names))
    assert [os.path.basename(line) for line in lines] == [f"{id_of(data)}.aci" for data in images]


def test_dependencies_of_dependencies_come_at_once_too(customer: Customer) -> None:
    for side in "ab":
        put(customer, f"{side}-base")
        put(customer, side, f"{side}-base")
    put(customer, "app", "a", "b")
    Meeting(customer, ["a", "b"], 2)
    Meeting(customer, ["a-base", "b-base"], 2)
    customer.fetch(UNSIGNED, NAME)


def test_each_image_is_fetched_once_however_often_and_by_whom_it_is_named(customer: Customer) -> None:
    put(customer, "base")
    sides = [f"d{number}" for number in range(8)]
    for name in sides:
        put(customer, name, "base")
    put(customer, "app", *sides, "base")
    customer.fetch(UNSIGNED, NAME, "example.com/base", "example.com/d0")
    images = [url for url in customer.server.asked if url.endswith(".aci")]
    assert len(images) == len(set(images)) == 10


def held(data: bytes, *, come: threading.Event, go: threading.Event) -> Iterator[bytes]:
    """Yield the first half of an image, set *come*, and yield the rest when *go* is set."""
    yield data[: len(data) // 2]
    come.set()
    go.wait(WAIT)
    yield data[len(data) // 2 :]


def test_a_failure_ends_what_comes_after_it(customer: Customer) -> None:
    """The first one is not there; the other stands still in its middle, and would for ever."""
    slow = put(customer, "slow")
    come, go = threading.Event(), threading.Event()
    customer.server.answers[url_of("slow")] = Answer(held(slow, come=come, go=go), length=len(slow))

    def absent(_: Request) -> Answer:
        assert come.wait(WAIT)
        return Answer(status=404)

    customer.server.decisions[url_of("gone")] = absent
    put(customer, "app", "gone", "slow")
    try:
        assert "gone" in customer.refused(69, UNSIGNED, NAME)
    finally:
        go.set()


def test_of_several_failures_the_first_in_order_is_told_whichever_comes_first(customer: Customer) -> None:
    told = threading.Event()

    def late(_: Request) -> Answer:
        assert told.wait(WAIT)
        return Answer(status=404)

    def early(_: Request) -> Answer:
        told.set()
        return Answer(status=404)

    customer.server.decisions[url_of("first")] = late
    customer.server.decisions[url_of("second")] = early
    put(customer, "app", "first", "second")
    assert "example.com/first-latest" in customer.refused(69, UNSIGNED, NAME)


def test_a_cycle_is_shown_when_its_images_come_at_once(customer: Customer) -> None:
    put(customer, "a", "b", "c")
    put(customer, "b", "c")
    put(customer, "c", "a")
    assert customer.refused(65, UNSIGNED, "example.com/a").endswith(
        "example.com/a -> example.com/b -> example.com/c -> example.com/a"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_them(number: signal.Signals, customer: Customer) -> None:
    events = []
    go = threading.Event()
    names = [f"d{count}" for count in range(AT_ONCE)]
    for name in names:
        data, come = put(customer, name), threading.Event()
        events.append(come)
        customer.server.answers[url_of(name)] = Answer(held(data, come=come, go=go), length=len(data))
    put(customer, "app", *names)
    with subprocess.Popen([*PROGRAM, UNSIGNED, NAME], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert all(come.wait(WAIT) for come in events)
        process.send_signal(number)
        out, err = process.communicate(timeout=45)
    go.set()
    assert (process.returncode, out, err) == (128 + number, b"", b"")
    assert os.listdir(customer.store / "tmp") == []
    assert customer.images() == {}


def test_events_of_images_that_come_at_once_are_whole_lines_in_each_images_order(customer: Customer) -> None:
    names = [f"d{number}" for number in range(8)]
    for name in names:
        put(customer, name)
    put(customer, "app", *names)
    with open(customer.path / "events", "wb") as file:
        ended = customer.run("--quiet", UNSIGNED, "--events", str(file.fileno()), NAME)
    assert (ended.code, ended.err) == (0, "")
    events = [json.loads(line) for line in (customer.path / "events").read_text().splitlines()]
    for name in names:
        own = [event["event"] for event in events if event["ref"] == f"example.com/{name}"]
        assert own == ["start", "discovered", "try", "download", "bytes", "verified", "stored", "done"]


def test_what_comes_ahead_and_is_needed_no_more_is_gone(customer: Customer) -> None:
    """The pinned one is found in the store before anybody waits for the other by its name."""
    lib = put(customer, "lib")
    customer.fetch(UNSIGNED, "example.com/lib")
    put(customer, "app", {"imageName": "example.com/lib", "imageID": id_of(lib)}, "lib")
    customer.fetch(UNSIGNED, NAME)
    assert len(check_store(customer.store)) == len(list(Store.open(str(customer.store)).records())) == 2
