"""Retries: what is tried again, how often, and how long the waits are. Nobody waits here."""

from __future__ import annotations

import threading

import pytest

from acfetch import retrying
from acfetch.errors import HTTPStatusError, StartOverError, TransportRefusedError, UnreachableError
from acfetch.http import _retry_after
from acfetch.retrying import FIRST, HEADWAY, LONGEST, TOGETHER, Retrier, is_transient
from acspec.errors import ToolError

BROKEN = UnreachableError("x", "broke", is_transient=True)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that would have been waited."""
    waits: list[float] = []

    def pause(seconds: float, stopped: threading.Event) -> bool:
        waits.append(seconds)
        return stopped.is_set()

    monkeypatch.setattr(retrying, "pause", pause)
    return waits


def exhaust(retrier: Retrier, headway: int = 0) -> None:
    """Wait until the retries are used up; so many bytes come before each wait."""

    def wait_for_ever() -> None:
        while True:
            retrier.advance(headway)
            retrier.wait(BROKEN, threading.Event())

    with pytest.raises(UnreachableError):
        wait_for_ever()


def test_waits_double_and_are_scattered(waits: list[float]) -> None:
    exhaust(Retrier(5))
    assert len(waits) == 5
    for number, seconds in enumerate(waits):
        assert FIRST * 2**number / 2 <= seconds <= FIRST * 2**number


def test_the_waits_together_are_bounded_whatever_is_set(waits: list[float]) -> None:
    exhaust(Retrier(100))
    assert sum(waits) <= TOGETHER
    assert max(waits) <= LONGEST
    waits.clear()
    exhaust(Retrier(4), HEADWAY)  # a server that breaks after each MiB is not followed for ever
    assert sum(waits) <= TOGETHER


def test_headway_is_worth_new_patience(waits: list[float]) -> None:
    retrier = Retrier(1)
    for _ in range(3):
        retrier.wait(BROKEN, threading.Event())
        retrier.advance(HEADWAY // 2)
        retrier.advance(HEADWAY // 2)
    retrier.wait(BROKEN, threading.Event())
    retrier.advance(HEADWAY - 1)
    exhaust(retrier)
    assert len(waits) == 4


def test_a_server_that_names_a_time_is_obeyed_within_bounds(waits: list[float]) -> None:
    Retrier(1).wait(HTTPStatusError("x", 503, retry_after=7), threading.Event())
    assert waits == [7]
    assert not is_transient(HTTPStatusError("x", 503, retry_after=LONGEST + 1))


def test_a_wait_can_be_ended() -> None:
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(UnreachableError):
        Retrier(1).wait(BROKEN, stopped)


PASSING: dict[str, tuple[ToolError, bool]] = {
    "a connection that broke": (BROKEN, True),
    "a certificate that is not accepted": (UnreachableError("x", "…"), False),
    "too many requests": (HTTPStatusError("x", 429), True),
    "a failure of the server": (HTTPStatusError("x", 500), True),
    "nothing there": (HTTPStatusError("x", 404), False),
    "nobody let in": (HTTPStatusError("x", 403), False),
    "something else than before": (StartOverError("x", "…"), False),
    "a URL that may not be used": (TransportRefusedError("x", "…"), False),
}


@pytest.mark.parametrize(("error", "passing"), PASSING.values(), ids=PASSING)
def test_what_may_pass(error: ToolError, passing: bool, waits: list[float]) -> None:
    answers: list[ToolError | str] = ["here", error]

    def ask() -> str:
        answer = answers.pop()
        if isinstance(answer, ToolError):
            raise answer
        return answer

    if passing:
        assert Retrier(1).call(ask) == "here"
    else:
        with pytest.raises(type(error)):
            Retrier(1).call(ask)
    assert len(waits) == passing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("", None), ("soon", None), ("-1", None), ("9" * 400, None), ("Sun, 06 Nov 1994 08:49:37 GMT", 0)],
)
def test_a_time_to_come_again_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert _retry_after(text) == seconds
