"""Tar archives that need be no images, such as other programs write: the same strict reader, without the rules of an image.

Source: POSIX.1-2017, pax, ustar Interchange Format; spec/image-archive.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from acspec import limits
from acspec.archive.compression import decompress, recognise
from acspec.archive.entry import Entry
from acspec.archive.faults import Fault
from acspec.archive.feeds import ThreadFeed
from acspec.archive.header import BLOCK
from acspec.archive.reader import TarReader
from acspec.archive.source import Source
from acspec.archive.stream import TarStream
from acspec.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class PlainArchive:
    """A tar archive in a descriptor, compressed or not: iterate over its entries once, inside `with`."""

    def __init__(self, descriptor: int, what: str) -> None:
        """Read from *descriptor*; *what* names it in errors. Raises: FormatError when it is no tar; StorageError; OSError."""
        self.what = what
        self._source = Source(descriptor, what)
        start = b""
        try:
            while len(start) < BLOCK and (more := self._source.read(BLOCK)):
                start += more
            chunks = decompress(self._source, start, recognise(start))
        except Fault as fault:
            self._source.close()
            raise FormatError(what, str(fault)) from None
        except BaseException:
            self._source.close()
            raise
        self._feed = ThreadFeed(chunks, self._source.interrupt)
        self._tar = TarReader(TarStream(self._feed, limits.IMAGE_UNPACKED_BYTES, []))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the reading, wherever it stands."""
        self._feed.close()
        self._source.close()

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in their order. Raises: FormatError; StorageError. Source: POSIX.1-2017, pax."""
        try:
            for count, entry in enumerate(self._tar, start=1):
                if count > limits.ARCHIVE_ENTRIES:
                    raise Fault(f"more than the limit of {limits.ARCHIVE_ENTRIES} entries")
                yield entry
        except Fault as fault:
            raise self._error(fault) from None

    def read_pieces(self, _: Entry) -> Iterator[tuple[int, memoryview]]:
        """Return the data of the entry that came last, in windows with the offset of each; holes are left out.

        Raises: FormatError; StorageError.
        """
        try:
            yield from self._tar.read_pieces()
        except Fault as fault:
            raise self._error(fault) from None

    def _error(self, fault: Fault) -> FormatError:
        return FormatError(self.what, str(fault) if self._tar.at_end else f"{self._tar.place}: {fault}")
