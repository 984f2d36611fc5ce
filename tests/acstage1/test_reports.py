"""What goes between the monitor and init: messages, and descriptors with them."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from acstage1.reports import FAILED, NOTE, READY, Channel, Failure, open_channel, read_failure, write_failure


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Return both ends of a connection."""
    ours, theirs = open_channel()
    yield ours, theirs
    ours.close()
    theirs.close()


@contextmanager
def _room_for_two() -> Iterator[None]:
    """Let this process open two descriptors more and no other."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.open("/", os.O_PATH) for _ in range(2)]
    for descriptor in free:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[1] + 1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_message_comes_as_it_was_sent(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.send(NOTE, "one", "", "t\udcffo")
    assert ours.receive() == [NOTE, "one", "", "t\udcffo"]
    theirs.close()
    assert ours.receive() == []


def test_of_fields_that_are_too_long_none_is_lost(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    failure = Failure("s" * 99_999, 125, "p\N{EURO SIGN}" * 99_999, "w" * 99_999)
    theirs.send(FAILED, "a" * 99_999, "main", *failure.fields())
    kind, app, role, step, code, path, why = ours.receive()
    assert (kind, role, code) == (FAILED, "main", "125")
    assert [field[:2] for field in (app, step, path, why)] == ["aa", "ss", "p\N{EURO SIGN}", "ww"]


def test_a_report_has_its_reason_however_long_the_rest_is() -> None:
    reading, writing = os.pipe()
    write_failure(writing, Failure("s" * 99_999, 127, "p" * 99_999, "not found in the image"))
    seen = read_failure(os.read(reading, 8192))
    for end in (reading, writing):
        os.close(end)
    assert (seen.code, seen.path[:1], seen.why) == (127, "p", "not found in the image")


def test_descriptors_come_along(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.send(READY, descriptors=[theirs.fileno(), 0])
    assert ours.receive() == [READY]
    assert [os.path.samestat(os.fstat(one), os.fstat(two)) for one, two in zip(ours.handed, [theirs.fileno(), 0], strict=True)]
    assert not any(map(os.get_inheritable, ours.handed))


def test_some_of_the_descriptors_are_as_good_as_none(ends: tuple[Channel, Channel]) -> None:
    """Namespaces to be joined: with the first alone, what is to be done in the pod would be done on the host."""
    ours, theirs = ends
    theirs.send(READY, descriptors=[0] * 6)
    with pytest.raises(OSError, match="Too many open files"), _room_for_two():
        ours.receive()
