"""What happens in a run, and who follows it: a person through `progress`, a program through `events`.

One protocol for both: a follower is told of each event, in order, and decides itself what it makes of it. To follow never changes
what is fetched.

Source: spec/events.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from acspec.store import ImageRecord


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the image asked for as *ref*: as it was typed, or as a dependency is written."""

    ref: str


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The image is wanted from now on, *needed_by* another one or because somebody typed it."""

    needed_by: str | None


@dataclass(frozen=True, slots=True)
class Discovered(Event):
    """Discovery has found *places*, the URLs that the image may be at."""

    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried(Event):
    """The image is looked for at *place*, a URL or a path."""

    place: str


@dataclass(frozen=True, slots=True)
class Began(Event):
    """The bytes of the image at *place* begin to come, *size* of them where that is known."""

    place: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Came(Event):
    """So many bytes more have come."""

    count: int


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """A server has failed as *why* says, and is asked again after *seconds*, the *number*th time of at most *most*."""

    why: str
    seconds: float
    number: int
    most: int


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """The image is whole and is what was asked for; *signer* is a fingerprint, or None where no signature was asked for."""

    image_id: str
    signer: str | None


@dataclass(frozen=True, slots=True)
class Stored(Event):
    """The image is in the store at *path*, and was not before."""

    record: ImageRecord
    path: str


@dataclass(frozen=True, slots=True)
class Done(Event):
    """The image and all that it depends on are in the store."""

    image_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The image is not to be had in this run."""

    why: str


@dataclass(frozen=True, slots=True)
class Note(Event):
    """A line for people."""


class Follower(Protocol):
    """Who is told what happens."""

    def follow(self, event: Event) -> None:
        """Take note of an event. Never raises."""

    def end(self) -> None:
        """Take note that nothing more happens. Never raises; may be called again."""


class Meter(Protocol):
    """Who is told of the bytes of one image."""

    def begin(self, what: str, size: int | None) -> None:
        """Take note that the bytes of *what* begin to come, *size* of them when that is known."""

    def advance(self, count: int) -> None:
        """Take note that *count* more bytes have come."""


class Following:
    """All who follow one run, its threads one at a time; used as a context manager, at whose end what was not done has failed."""

    def __init__(self, *followers: Follower) -> None:
        self._followers = followers
        self._lock = Lock()
        self._open: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Tell of all that has not been done, the last that began first, and end."""
        for ref in reversed(list(self._open)):
            self.follow(Failed(ref, _explain(value)))
        for follower in self._followers:
            follower.end()

    def follow(self, event: Event) -> None:
        """Tell everybody of an event."""
        with self._lock:
            if isinstance(event, Started):
                self._open[event.ref] = None
            elif isinstance(event, Done | Failed):
                self._open.pop(event.ref, None)
            for follower in self._followers:
                follower.follow(event)

    def tell(self, text: str) -> None:
        """Tell people one line."""
        self.follow(Note(text))

    def meter(self, ref: str) -> Meter:
        """Return who is to be told of the bytes of the image asked for as *ref*."""
        return _Bytes(self, ref)


class _Bytes:
    def __init__(self, following: Following, ref: str) -> None:
        self._following = following
        self._ref = ref

    def begin(self, what: str, size: int | None) -> None:
        self._following.follow(Began(self._ref, what, size))

    def advance(self, count: int) -> None:
        self._following.follow(Came(self._ref, count))


def _explain(error: BaseException | None) -> str:
    if error is None:
        return "ended"
    return str(error) if isinstance(error, Exception) else "interrupted"
