"""The members of a tar archive, one after another, in one pass that ends where the stream does.

This is tar as such; what an image may hold is `layout`'s to say.

Source: POSIX.1-2017, pax, ustar Interchange Format.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec import limits
from acspec.archive.entry import Entry
from acspec.archive.extensions import EXTENSIONS, Extensions
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK, ZERO_BLOCK, Header, parse_header
from acspec.archive.stream import TarStream
from acspec.escape import escape


class TarReader:
    """Iterates over the entries of a tar archive; the data of the current one is there until the next is asked for."""

    __slots__ = ("_extended", "_extensions", "_padding", "_place", "_stream", "_unread", "at_end", "warnings")

    def __init__(self, stream: TarStream) -> None:
        """Read from *stream*. After the last entry `warnings` holds what is odd, but not wrong."""
        self.warnings: list[str] = []
        self.at_end = False
        self._stream = stream
        self._extensions = Extensions()
        self._extended = 0
        self._unread = 0
        self._padding = 0
        self._place: int | bytes = 0

    @property
    def place(self) -> str:
        """Where the reader stands, in words for an error."""
        if isinstance(self._place, int):
            return f"header at byte {self._place}"
        return f'entry "{escape(self._place)}"'

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in their order. Raises: Fault."""
        stream = self._stream
        while (header := self._next_header()) is not None:
            self._place = self._extensions.name_of(header) or self._place
            entry = self._extensions.make_entry(header, stream.offset)
            self._unread = entry.size
            self._padding = -entry.size % BLOCK
            self._place = entry.name
            stream.check_room(entry.size)
            yield entry
            stream.skip(self._unread + self._padding)
            self._unread = 0
        if self._extensions.pending:
            raise Fault("a header that describes an entry, and no entry after it")
        self.at_end = True
        self._check_rest()

    def read_chunks(self) -> Iterator[memoryview]:
        """Return the data of the current entry in windows, each valid until the next. Raises: Fault."""
        for window in self._stream.pieces(self._unread):
            self._unread -= len(window)
            yield window

    def _next_header(self) -> Header | None:
        """Return the header of the next entry, or None at the end of the archive."""
        stream = self._stream
        while True:
            self._place = stream.offset
            block = stream.take_block()
            if not block:
                self.warnings.append("the archive ends without its two blocks of zeros")
                return None
            if block == ZERO_BLOCK:
                return None
            header = parse_header(block)
            if header.type_flag not in EXTENSIONS:
                return header
            self._extensions.add(header.type_flag, self._extension_data(header.size))

    def _extension_data(self, size: int) -> bytes:
        if size > limits.PAX_HEADER_BYTES:
            raise Fault(f"an extended header larger than the limit of {limits.PAX_HEADER_BYTES} bytes")
        self._extended += size
        if self._extended > limits.PAX_HEADERS_BYTES:
            raise Fault(f"extended headers that are together larger than the limit of {limits.PAX_HEADERS_BYTES} bytes")
        data = self._stream.take(size)
        self._stream.skip(-size % BLOCK)
        return data

    def _check_rest(self) -> None:
        """Read on to the end of the stream, which may hold nothing but zeros."""
        count = 0
        for chunk in self._stream.rest():
            if chunk.count(0) != len(chunk):
                raise Fault("data after the end of the archive")
            count += len(chunk)
        if count < BLOCK and not self.warnings:
            self.warnings.append("the archive ends with one block of zeros instead of two")
