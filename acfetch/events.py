"""What happens in a run, and who listens to it: a person through `progress`, a program through `event_stream`.

One protocol for both: a listener is told of each event, in order, and decides itself what it makes of it. Listening never
changes what is fetched.

Source: spec/events.md.
"""

from __future__ import annotations

from threading import Lock

from acspec.typed import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import ClassVar, Self

    from acspec.store import ImageRecord


class Event:
    """Something that happens to the image asked for as *ref*: as it was typed, or as a dependency is written."""

    __slots__: ClassVar[tuple[str, ...]] = ("ref",)
    __match_args__: ClassVar[tuple[str, ...]] = ("ref",)

    def __init__(self, ref: str) -> None:
        self.ref = ref


class Started(Event):
    """The image is wanted from now on, *needed_by* another one or because somebody typed it."""

    __slots__ = ("needed_by",)
    __match_args__ = ("ref", "needed_by")

    def __init__(self, ref: str, needed_by: str | None) -> None:
        super().__init__(ref)
        self.needed_by = needed_by


class Discovered(Event):
    """Discovery has found *places*, the URLs that the image may be at."""

    __slots__ = ("places",)
    __match_args__ = ("ref", "places")

    def __init__(self, ref: str, places: tuple[str, ...]) -> None:
        super().__init__(ref)
        self.places = places


class Tried(Event):
    """The image is looked for at *place*, a URL or a path."""

    __slots__ = ("place",)
    __match_args__ = ("ref", "place")

    def __init__(self, ref: str, place: str) -> None:
        super().__init__(ref)
        self.place = place


class Downloading(Event):
    """The image at *place* begins to come, *size* bytes where that is known."""

    __slots__ = ("place", "size")
    __match_args__ = ("ref", "place", "size")

    def __init__(self, ref: str, place: str, size: int | None) -> None:
        super().__init__(ref)
        self.place = place
        self.size = size


class Received(Event):
    """*count* more bytes of the image have come."""

    __slots__ = ("count",)
    __match_args__ = ("ref", "count")

    def __init__(self, ref: str, count: int) -> None:
        super().__init__(ref)
        self.count = count


class Waiting(Event):
    """A server has failed as *why* says, and is asked again after *seconds*, the *number*th time of at most *most*."""

    __slots__ = ("most", "number", "seconds", "why")
    __match_args__ = ("ref", "why", "seconds", "number", "most")

    def __init__(self, ref: str, why: str, seconds: float, number: int, most: int) -> None:
        super().__init__(ref)
        self.why = why
        self.seconds = seconds
        self.number = number
        self.most = most


class Verified(Event):
    """The image is whole and is what was asked for; *signer* is a fingerprint, or None where no signature was asked for."""

    __slots__ = ("image_id", "signer")
    __match_args__ = ("ref", "image_id", "signer")

    def __init__(self, ref: str, image_id: str, signer: str | None) -> None:
        super().__init__(ref)
        self.image_id = image_id
        self.signer = signer


class Stored(Event):
    """The image is in the store at *path*, and was not before."""

    __slots__ = ("path", "record")
    __match_args__ = ("ref", "record", "path")

    def __init__(self, ref: str, record: ImageRecord, path: str) -> None:
        super().__init__(ref)
        self.record = record
        self.path = path


class Done(Event):
    """The image and all that it depends on are in the store."""

    __slots__ = ("image_id", "path")
    __match_args__ = ("ref", "image_id", "path")

    def __init__(self, ref: str, image_id: str, path: str) -> None:
        super().__init__(ref)
        self.image_id = image_id
        self.path = path


class Failed(Event):
    """The image is not to be had in this run."""

    __slots__ = ("why",)
    __match_args__ = ("ref", "why")

    def __init__(self, ref: str, why: str) -> None:
        super().__init__(ref)
        self.why = why


class Note(Event):
    """A line for people."""

    __slots__ = ()


class Listener(Protocol):
    """Who is told what happens."""

    def notify(self, event: Event) -> None:
        """Take note of an event. Never raises."""

    def end(self) -> None:
        """Take note that nothing more happens. Never raises; may be called again."""


class Meter(Protocol):
    """Who is told of the bytes of one image."""

    def begin(self, what: str, size: int | None) -> None:
        """Take note that the bytes of *what* begin to come, *size* of them when that is known."""

    def advance(self, count: int) -> None:
        """Take note that *count* more bytes have come."""


class Listeners:
    """All who listen to one run, told by one thread at a time; a context manager, at whose end what is not done has failed."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners
        self._lock = Lock()
        self._open: dict[str, None] = {}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Tell of all that has not been done, the last that began first, and end."""
        for ref in reversed(list(self._open)):
            self.notify(Failed(ref, _explain(value)))
        for listener in self._listeners:
            listener.end()

    def notify(self, event: Event) -> None:
        """Tell everybody of an event."""
        with self._lock:
            if isinstance(event, Started):
                self._open[event.ref] = None
            elif isinstance(event, Done | Failed):
                self._open.pop(event.ref, None)
            for listener in self._listeners:
                listener.notify(event)

    def tell(self, text: str) -> None:
        """Tell people one line."""
        self.notify(Note(text))

    def meter(self, ref: str) -> Meter:
        """Return who is to be told of the bytes of the image asked for as *ref*."""
        return _Meter(self, ref)


class _Meter:
    def __init__(self, listeners: Listeners, ref: str) -> None:
        self._listeners = listeners
        self._ref = ref

    def begin(self, what: str, size: int | None) -> None:
        self._listeners.notify(Downloading(self._ref, what, size))

    def advance(self, count: int) -> None:
        self._listeners.notify(Received(self._ref, count))


def _explain(error: BaseException | None) -> str:
    if error is None:
        return "ended"
    return str(error) if isinstance(error, Exception) else "interrupted"
