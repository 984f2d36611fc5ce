"""Retries against a server: which failures are worth another try, how often, and how long to wait before it.

The waits double and are scattered, so that not all who were cut off at once come back at once; a server that names a time is obeyed
within bounds. Progress meanwhile makes the count start anew. No clock is read: the waits themselves are counted.

Source: RFC 9110, section 10.2.3 (Retry-After); spec/configuration.md, Settings.
"""

from __future__ import annotations

import os
import threading

from acfetch.errors import HTTPStatusError, UnreachableError
from acspec.typed import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from acspec.errors import ToolError, UnavailableError

    T = TypeVar("T")
    Tell = Callable[[ToolError, float, int, int], object]

FIRST = 0.5  # seconds; each wait is up to twice the one before
LONGEST = 60.0  # a server that wants to be left alone for longer gets its wish
TOGETHER = 300.0  # seconds of waiting, whatever comes in between
HEADWAY = 1 << 20  # bytes
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


def pause(seconds: float, stopped: threading.Event) -> bool:
    """Wait so long, or until *stopped* is set; tell whether it is."""
    return stopped.wait(seconds)


def is_transient(error: UnavailableError) -> bool:
    """Tell whether the same question may have a better answer in a moment."""
    if isinstance(error, HTTPStatusError):
        return error.status in _TRANSIENT and (error.retry_after or 0) <= LONGEST
    return isinstance(error, UnreachableError) and error.is_transient


def _tell_nobody(_error: ToolError, _seconds: float, _number: int, _most: int) -> None:
    pass


class Retrier:
    """The retries at one place: *tries* beyond the first, of which *tell* hears: why, in how long, which, of how many.

    It ends when *ended* is set, as it is when nothing more is wanted from anybody.
    """

    def __init__(self, tries: int, tell: Tell = _tell_nobody, ended: threading.Event | None = None) -> None:
        self._tries = tries
        self._tell = tell
        self._ended = threading.Event() if ended is None else ended
        self._left = tries
        self._wait = FIRST
        self._waited = 0.0
        self._headway = 0

    def advance(self, count: int) -> None:
        """Take note that *count* more bytes have come."""
        self._headway += count
        if self._headway >= HEADWAY:
            self._headway, self._left, self._wait = 0, self._tries, FIRST

    def wait(self, error: UnavailableError, stopped: threading.Event) -> None:
        """Wait until it is worth a try again. Raises: *error* when it is not, or *stopped* is set meanwhile."""
        seconds = self._seconds(error)
        is_over = stopped.is_set() or self._ended.is_set()
        if is_over or self._left <= 0 or self._waited + seconds > TOGETHER:
            raise error
        self._left -= 1
        self._wait *= 2
        self._waited += seconds
        self._tell(error, seconds, self._tries - self._left, self._tries)
        if pause(seconds, stopped):
            raise error

    def _seconds(self, error: UnavailableError) -> float:
        if isinstance(error, HTTPStatusError) and error.retry_after is not None:
            return error.retry_after
        chance = os.urandom(1)[0] / 255
        return min(self._wait, LONGEST) * (1 + chance) / 2

    def call(self, ask: Callable[[], T]) -> T:
        """Return what *ask* returns, asked again while what it raises may pass. Raises: what it raised last."""
        while True:
            try:
                return ask()
            except (UnreachableError, HTTPStatusError) as error:
                if not is_transient(error):
                    raise
                self.wait(error, self._ended)


class Getter(Protocol):
    """What gets pages."""

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes. Raises: HTTPStatusError; UnreachableError; ProtocolError."""


class RetryingGetter:
    """A connection for small files, each asked for again as its own *retrier* says."""

    def __init__(self, connection: Getter, retrier: Callable[[], Retrier]) -> None:
        self._connection = connection
        self._retrier = retrier

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes. Raises: what the connection raises."""
        return self._retrier().call(lambda: self._connection.get(url, limit))
