"""The events of a run for a program: one JSON object a line to its descriptor, and nothing that it does holds up the fetch.

A reader that is slow misses how many bytes have come, and nothing else; one that goes away misses the rest.

Source: spec/events.md; pipe(7) (what fits into one page is written at once when poll says that there is room).
"""

from __future__ import annotations

import fcntl
import os
import select
from threading import Lock

from acfetch.events import Discovered, Done, Downloading, Failed, Received, Started, Stored, Tried, Verified, Waiting
from acspec.errors import UsageError
from acspec.jsontext import dump_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.events import Event
    from acspec.jsontext import JSONValue

STEP_BYTES = 1 << 20  # of an image whose size nobody knows, and the least of one whose size is known
STEPS = 100
PATIENCE_MS = 2000  # for a reader at the end, each time that it takes nothing
_PIECE = select.PIPE_BUF
_WORDS = {
    Started: "start",
    Discovered: "discovered",
    Tried: "try",
    Downloading: "download",
    Waiting: "waiting",
    Verified: "verified",
    Stored: "stored",
    Done: "done",
    Failed: "failed",
}


class EventStream:
    """The events of one run, written to a descriptor."""

    def __init__(self, descriptor: int) -> None:
        """Write to *descriptor*, which stays whoever's it is. Raises: UsageError when it cannot be written to."""
        check_descriptor(descriptor)
        self._descriptor = descriptor
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._lock = Lock()
        self._waiting = b""
        self._gone = False
        self._counts: dict[str, _Count] = {}

    def notify(self, event: Event) -> None:
        """Write a line for the event, when there is one to write."""
        with self._lock:
            if isinstance(event, Received):
                self._advance(event)
            elif type(event) in _WORDS:
                if isinstance(event, Downloading):
                    self._counts[event.ref] = _Count(event.size)
                self._waiting += _line(_WORDS[type(event)], event.ref, _describe(event))
                self._write(0)

    def _advance(self, event: Received) -> None:
        count = self._counts.setdefault(event.ref, _Count(None))
        if count.add(event.count):
            self._write(0)
            if not self._waiting:  # who has not read the last is not told this
                self._waiting = _line("bytes", event.ref, {"received": count.received, "size": count.size})
                self._write(0)

    def end(self) -> None:
        """Write what waits, as long as the reader takes some of it."""
        with self._lock:
            self._write(PATIENCE_MS)

    def _write(self, patience: int) -> None:
        """Write what waits, as far as there is room within *patience*, in milliseconds."""
        while self._waiting and not self._gone:
            ready = self._room.poll(patience)
            if not ready:
                return
            try:
                written = os.write(self._descriptor, self._waiting[:_PIECE])
            except BlockingIOError:
                return
            except OSError:
                self._gone = True
            else:
                self._waiting = self._waiting[written:]
        if self._gone:
            self._waiting = b""


class _Count:
    """How many bytes of an image have come, and whether enough of them to tell."""

    def __init__(self, size: int | None) -> None:
        self.size = size
        self.received = 0
        self._step = max(STEP_BYTES, (size or 0) // STEPS)
        self._told = 0

    def add(self, count: int) -> bool:
        """Count bytes; tell whether a step more of them is full, or the whole."""
        self.received += count
        if self.received - self._told < self._step and (self.received != self.size or not count):
            return False
        self._told = self.received
        return True


def check_descriptor(descriptor: int) -> None:
    """Check that events can go to *descriptor*. Raises: UsageError."""
    what = f"--events {descriptor}"
    if descriptor == 1:
        raise UsageError(what, "standard output holds the result and nothing else", "--events 3 3>FILE")
    try:
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except (OSError, ValueError, OverflowError):
        raise UsageError(what, "is not open") from None
    if mode == os.O_RDONLY:
        raise UsageError(what, "is open for reading only")


def _describe(event: Event) -> dict[str, JSONValue]:
    match event:
        case Started(_, needed_by):
            return {} if needed_by is None else {"neededBy": _text(needed_by)}
        case Discovered(_, places):
            return {"places": [_text(place) for place in places]}
        case Tried(_, place):
            return {"place": _text(place)}
        case Downloading(_, place, size):
            return {"place": _text(place), "size": size}
        case Waiting(_, why, seconds, number, most):
            return {"why": _text(why), "milliseconds": round(seconds * 1000), "number": number, "most": most}
        case Verified(_, image_id, signer):
            return {"id": image_id, "signer": signer}
        case Stored(_, record, path):
            return {"id": record.id, "path": _text(path)}
        case Done(_, image_id, path):
            return {"id": image_id, "path": _text(path)}
        case Failed(_, why):
            return {"why": _text(why)}
        case _:
            return {}


def _line(word: str, ref: str, more: dict[str, JSONValue]) -> bytes:
    return dump_json({"event": word, "ref": _text(ref), **more})


def _text(value: str) -> str:
    r"""Return *value* as JSON can hold it: bytes that are not UTF-8 as `\xNN`."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
