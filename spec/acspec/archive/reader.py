"""The members of a tar archive, one after another, in one pass that ends where the stream does.

This is tar as such; what an image may hold is `layout`'s to say.

Source: POSIX.1-2017, pax, ustar Interchange Format.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec import limits
from acspec.archive.entry import Entry
from acspec.archive.extensions import EXTENSIONS, PAX_GLOBAL, Extensions
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK, ZERO_BLOCK, Header, parse_header
from acspec.archive.sparse import NO_PIECES, Announcement, Rest, SparseMap, add_old_block, fill_holes, read_map
from acspec.archive.stream import TarStream
from acspec.escape import escape


class TarReader:
    """Iterates over the entries of a tar archive; the data of the current one is there until the next is asked for."""

    __slots__ = (
        "_extended",
        "_extensions",
        "_map",
        "_padding",
        "_place",
        "_stream",
        "_unread",
        "at_end",
        "header_offset",
        "warnings",
    )

    def __init__(self, stream: TarStream) -> None:
        """Read from *stream*. After the last entry `warnings` holds what is odd, but not wrong.

        `header_offset` is where the headers begin that are the current entry's own, or those of the next one.
        """
        self.warnings: list[str] = []
        self.at_end = False
        self.header_offset = 0
        self._stream = stream
        self._extensions = Extensions()
        self._extended = 0
        self._unread = 0
        self._map: SparseMap | None = None
        self._padding = 0
        self._place: int | bytes = 0

    @property
    def entry_place(self) -> str | None:
        """The name of the entry at which the reader stands, escaped, None where it stands at a header without one."""
        return None if isinstance(self._place, int) else escape(self._place)

    @property
    def place(self) -> str:
        """Where the reader stands, in words for an error."""
        if isinstance(self._place, int):
            return f"header at byte {self._place}"
        return f'entry "{escape(self._place)}"'

    @property
    def end_offset(self) -> int:
        """Where the current entry ends, the padding of its data included."""
        return self._stream.offset + self._unread + self._padding

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in their order. Raises: Fault."""
        stream, extensions = self._stream, self._extensions
        while True:
            sparse = None
            entry = extensions.take_plain(stream)
            if entry is not None:
                self.header_offset = entry.data_offset - BLOCK
            else:
                header = self._next_header()
                if header is None:
                    break
                self._place = extensions.name_of(header) or self._place
                sparse = extensions.sparse_of(header)
                entry = extensions.make_entry(header, stream.offset)
            self._place = entry.name
            if size := entry.size:
                self._unread = size
                stream.check_room(size)
            self._padding = -size % BLOCK
            if sparse is not None:
                entry = self._open_sparse(entry, sparse)
            yield entry
            stream.skip(self._unread + self._padding)
            self._unread = 0
            self._map = None
        if self._extensions.pending:
            raise Fault("a header that describes an entry, and no entry after it")
        self.at_end = True
        self._check_rest()

    def find_whole(self) -> memoryview | None:
        """Return all data of the current entry in one window, or None where there is none, or not all at hand, or with holes."""
        if not self._unread or self._map is not None or (window := self._stream.find_whole(self._unread)) is None:
            return None
        self._unread = 0
        return window

    def read_chunks(self) -> Iterator[memoryview]:
        """Return the data of the current entry in windows, each valid until the next, with zeros for holes. Raises: Fault."""
        if self._map is not None:
            yield from fill_holes(self.read_pieces(), self._map.size)
            return
        for window in self._stream.pieces(self._unread):
            self._unread -= len(window)
            yield window

    def read_pieces(self) -> Iterator[tuple[int, memoryview]]:
        """Return the data of the current entry in windows, each with its offset in the file, without the holes. Raises: Fault."""
        pieces = ((0, self._unread),) if self._map is None else self._map
        if self._map is not None:
            self._map = NO_PIECES  # so that no data comes twice
        for start, length in pieces:
            offset = start
            for window in self._stream.pieces(length):
                self._unread -= len(window)
                yield offset, window
                offset += len(window)

    def _open_sparse(self, entry: Entry, announcement: Announcement) -> Entry:
        """Read what is left of the map of a sparse file, and return its *entry* with its real size and the place of its data."""
        found = announcement.map
        if announcement.rest is Rest.DATA:
            read_map(self._take_map_data, found)
        more = announcement.rest is Rest.BLOCKS
        while more:
            more = add_old_block(self._take_map_block(), found)
        found.check(self._unread)
        self._stream.count_holes(found.holes)
        self._stream.check_room(self._unread)
        self._map = found
        return entry._replace(size=found.size, data_offset=self._stream.offset)

    def _take_map_data(self) -> bytes:
        if self._unread < BLOCK:
            raise Fault("a sparse file whose map does not end in its data")
        self._unread -= BLOCK
        return self._take_map_block()

    def _take_map_block(self) -> bytes:
        self._count_extended(BLOCK)
        return self._stream.take(BLOCK)

    def _next_header(self) -> Header | None:
        """Return the header of the next entry, or None at the end of the archive."""
        stream = self._stream
        self.header_offset = stream.offset
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
            if header.type_flag == PAX_GLOBAL:  # no entry's own
                self.header_offset = stream.offset

    def _extension_data(self, size: int) -> bytes:
        if size > limits.PAX_HEADER_BYTES:
            raise Fault(f"an extended header larger than the limit of {limits.PAX_HEADER_BYTES} bytes")
        self._count_extended(size)
        data = self._stream.take(size)
        self._stream.skip(-size % BLOCK)
        return data

    def _count_extended(self, size: int) -> None:
        self._extended += size
        if self._extended > limits.PAX_HEADERS_BYTES:
            raise Fault(f"extended headers that are together larger than the limit of {limits.PAX_HEADERS_BYTES} bytes")

    def _check_rest(self) -> None:
        """Read on to the end of the stream, which may hold nothing but zeros."""
        count = 0
        for chunk in self._stream.rest():
            if chunk.count(0) != len(chunk):
                raise Fault("data after the end of the archive")
            count += len(chunk)
        if count < BLOCK and not self.warnings:
            self.warnings.append("the archive ends with one block of zeros instead of two")
