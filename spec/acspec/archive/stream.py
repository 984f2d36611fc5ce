"""The uncompressed bytes of an archive, taken in order: exact blocks, windows of data, or nothing but a skip.

Every byte is counted, shown to the taps (the hash, the copy into the store) and never joined with more than it must be.
Where the bytes come from is the feed's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from acspec.archive.faults import Fault, StreamFault
from acspec.archive.header import BLOCK
from acspec.typed import Protocol

Tap = Callable[[bytes], object]


class Feed(Protocol):
    """A giver of uncompressed bytes."""

    def next_chunk(self) -> bytes:
        """Return the next bytes, or `b""` at the end."""

    def skip(self, size: int) -> int:
        """Leave out up to *size* bytes without reading them, and return how many; 0 where that cannot be."""


class TarStream:
    """The bytes of a tar archive from its start to its end; `offset` is where the next one stands.

    It stands at `position` of `chunk`, which begins `base` bytes after the start.
    """

    __slots__ = ("_feed", "_limit", "_room", "_taps", "_view", "base", "chunk", "position")

    def __init__(self, feed: Feed, limit: int, taps: Sequence[Tap] = ()) -> None:
        """Read from *feed*, at most *limit* bytes; each chunk is given to each of *taps* as soon as it has come."""
        self._feed = feed
        self._limit = limit
        self._room = limit
        self._taps = taps
        self.chunk = b""
        self._view = memoryview(self.chunk)
        self.position = 0
        self.base = 0

    @property
    def offset(self) -> int:
        """The number of bytes that have been taken."""
        return self.base + self.position

    def _advance(self) -> bool:
        """Bring the next chunk, once the last one is used up; False at the end. Raises: Fault beyond the limit."""
        self.base += len(self.chunk)
        self.position = 0
        self.chunk = self._feed.next_chunk()
        self._view = memoryview(self.chunk)
        if self.base + len(self.chunk) > self._room:
            raise self._beyond()
        for tap in self._taps:
            tap(self.chunk)
        return bool(self.chunk)

    def check_room(self, size: int) -> None:
        """Check that *size* more bytes are within the limit, before anybody waits for them. Raises: Fault."""
        if self.base + self.position + size > self._room:
            raise self._beyond()

    def count_holes(self, size: int) -> None:
        """Count *size* bytes that are not in the stream, but in the files that it stands for. Raises: Fault beyond the limit.

        A few bytes could name files larger than any disk, which somebody will read, or copy without their holes.
        """
        self.check_room(size)
        self._room -= size

    def _beyond(self) -> StreamFault:
        return StreamFault(f"larger than the limit of {self._limit} bytes uncompressed")

    def take_block(self) -> bytes:
        """Return the next block of 512 bytes, or `b""` when the stream ends here. Raises: Fault when it ends inside."""
        end = self.position + BLOCK
        if end <= len(self.chunk):
            block = self.chunk[self.position : end]
            self.position = end
            return block
        if self.position == len(self.chunk) and not self._advance():
            return b""
        return self.take(BLOCK)

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes in one piece. Raises: Fault when there are fewer."""
        return b"".join(self.pieces(size))

    def find_whole(self, size: int) -> memoryview | None:
        """Return the next *size* bytes as one window, valid until the next, or None when not all of them are at hand."""
        end = self.position + size
        if end > len(self.chunk):
            return None
        window = self._view[self.position : end]
        self.position = end
        return window

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Return the next *size* bytes as windows into what was read; each is valid until the next. Raises: Fault."""
        while size:
            if self.position == len(self.chunk) and not self._advance():
                raise Fault("truncated: the archive ends in the middle of an entry")
            window = self._view[self.position : self.position + size]
            self.position += len(window)
            size -= len(window)
            yield window

    def skip(self, size: int) -> None:
        """Pass over *size* bytes. Raises: Fault when there are fewer."""
        here = len(self.chunk) - self.position
        if size <= here:
            self.position += size
            return
        self.position += here
        size -= here
        if skipped := self._feed.skip(size):
            self.base += skipped
            size -= skipped
        for _ in self.pieces(size):
            pass

    def rest(self) -> Iterator[bytes]:
        """Return everything up to the end, in chunks. Raises: Fault beyond the limit."""
        if self.position < len(self.chunk):
            yield self.chunk[self.position :]
        while self._advance():
            yield self.chunk
