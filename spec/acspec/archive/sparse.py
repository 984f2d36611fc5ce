"""Maps of sparse files: which pieces of a file are in the archive. All the rest is holes, and reads as zeros.

GNU tar has written them in four ways: type S, with the map in the header and in blocks behind it; pax records, one for each number
(0.0) or one for all (0.1); and a map in front of the data, announced by pax records (1.0). What readers disagree on is refused.

Source: GNU tar manual, Storing Sparse Files and Basic Tar Format.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from struct import Struct

from acspec import limits
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK, is_gnu, parse_number
from acspec.escape import escape
from acspec.typed import NamedTuple

KEYWORDS = b"GNU.sparse."

_MOST = 2**63 - 1
_PIECE = Struct("12s12s")
_BLANK_PIECE = (bytes(12), bytes(12))
_ZEROS = memoryview(bytes(64 * 1024))


class SparseMap:
    """The pieces of a sparse file of *size* bytes, in order; `stored` is what they have together, `holes` all the rest."""

    __slots__ = ("_count", "_end", "_numbers", "_ragged", "size", "stored")

    def __init__(self, size: int) -> None:
        self.size = size
        self.stored = 0
        self._numbers = array("Q")
        self._count = 0
        self._end = 0
        self._ragged = False

    @property
    def holes(self) -> int:
        """The bytes of the file that are not in the archive."""
        return self.size - self.stored

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Return offset and length of each piece that is not empty."""
        return zip(self._numbers[::2], self._numbers[1::2], strict=True)

    def add(self, offset: int, length: int) -> None:
        """Add the next piece, which may be empty. Raises: Fault.

        Source: GNU tar manual, Storing Sparse Files.
        """
        self._count += 1
        if self._count > limits.SPARSE_MAP_ENTRIES:
            raise Fault(f"a sparse file in more than the limit of {limits.SPARSE_MAP_ENTRIES} pieces")
        if offset < self._end:
            raise Fault("a sparse file whose pieces overlap or are out of order")
        if offset + length > self.size:
            raise Fault(f"a sparse file with data beyond its size of {self.size} bytes")
        self._end = offset + length
        if not length:
            return
        if self._ragged:  # GNU tar goes on at the next block, libarchive at the next byte
            raise Fault("a sparse file with a piece that is not of whole blocks, and another one after it")
        self._ragged = length % BLOCK != 0
        self._numbers.extend((offset, length))
        self.stored += length

    def check(self, stored: int) -> None:
        """Check the map as a whole against the *stored* bytes of the entry. Raises: Fault."""
        if self._end != self.size:  # GNU tar makes the file as long as its map, libarchive as long as its size
            raise Fault(f"a sparse file of {self.size} bytes whose map ends at {self._end}")
        if self.stored != stored:
            raise Fault(f"a sparse file with {stored} bytes of data, whose map speaks of {self.stored}")


NO_PIECES = SparseMap(0)


class Rest(Enum):
    """Where the map goes on, behind the header that begins it."""

    NOWHERE = "the map is complete"
    BLOCKS = "in blocks of its own, before the data"
    DATA = "at the beginning of the data"


class Announcement(NamedTuple):
    """What a header says of a sparse file: its name, where that differs from the header's, and its map, as far as it is there."""

    name: bytes | None
    map: SparseMap
    rest: Rest


def parse_old_header(block: bytes) -> Announcement:
    """Return what a header block of type S says: four pieces, whether more follow, and the real size.

    Raises: Fault.
    Source: GNU tar manual, Basic Tar Format.
    """
    if not is_gnu(block):
        raise Fault("a sparse file that is not in GNU's format")
    found = SparseMap(parse_number(block[483:495], "real size", 0, _MOST))
    more = _add_pieces(found, block[386:482], block[482])
    return Announcement(None, found, Rest.BLOCKS if more else Rest.NOWHERE)


def add_old_block(block: bytes, found: SparseMap) -> bool:
    """Add the 21 pieces in a block behind a header of type S, and return whether one more block follows. Raises: Fault.

    Source: GNU tar manual, Basic Tar Format.
    """
    return _add_pieces(found, block[:504], block[504])


def _add_pieces(found: SparseMap, pieces: bytes, more: int) -> bool:
    ended = False
    for piece in _PIECE.iter_unpack(pieces):
        if piece == _BLANK_PIECE:
            ended = True
        elif ended:
            raise Fault("a sparse file with a gap in its map")
        else:
            offset, length = (parse_number(field, "sparse map", 0, _MOST) for field in piece)
            found.add(offset, length)
    if more not in (0, 1) or (more and ended):
        raise Fault("a sparse file whose map may go on or not")
    return more == 1


def parse_announcement(records: Iterable[tuple[bytes, bytes]]) -> Announcement:
    """Return what the `GNU.sparse.` records of one pax header say, in the form 0.0, 0.1 or 1.0.

    Raises: Fault, also for records of two forms.
    Source: GNU tar manual, Storing Sparse Files.
    """
    fields: dict[bytes, bytes] = {}
    numbers: list[bytes] = []
    for keyword, value in records:
        field = keyword[len(KEYWORDS) :]
        if field == (b"numbytes" if len(numbers) % 2 else b"offset"):
            numbers.append(value)
        elif field in fields or field in (b"numbytes", b"offset"):
            raise Fault(f'a sparse file with the pax record "{escape(keyword, 80)}" out of place')
        else:
            fields[field] = value
    name = fields.pop(b"name", None)
    if fields.keys() == {b"major", b"minor", b"realsize"} and not numbers:
        if (fields[b"major"], fields[b"minor"]) != (b"1", b"0"):
            raise Fault("a sparse file in an unknown version of GNU's format")
        return Announcement(name, SparseMap(_parse_number(fields[b"realsize"])), Rest.DATA)
    if fields.keys() == {b"size", b"numblocks", b"map"} and not numbers:
        numbers = fields[b"map"].split(b",") if fields[b"map"] else []
    elif fields.keys() != {b"size", b"numblocks"}:
        raise Fault("a sparse file in none of GNU's formats 0.0, 0.1 and 1.0")
    return Announcement(name, _make_map(fields, numbers), Rest.NOWHERE)


def _make_map(fields: dict[bytes, bytes], numbers: list[bytes]) -> SparseMap:
    if len(numbers) != 2 * _parse_number(fields[b"numblocks"]):
        raise Fault("a sparse file whose map is not as long as it says")
    found = SparseMap(_parse_number(fields[b"size"]))
    for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
        found.add(_parse_number(offset), _parse_number(length))
    return found


def read_map(take_block: Callable[[], bytes], found: SparseMap) -> None:
    """Fill *found* with the map at the beginning of an entry's data, taken by whole blocks: a count, then offsets and lengths.

    Raises: Fault; what *take_block* raises at the end of the data.
    Source: GNU tar manual, Storing Sparse Files (version 1.0).
    """
    lines = _Lines(take_block)
    for _ in range(lines.take_number()):
        found.add(lines.take_number(), lines.take_number())
    lines.check_padding()


class _Lines:
    """Numbers, each on a line of its own, in blocks that are padded with zeros."""

    def __init__(self, take_block: Callable[[], bytes]) -> None:
        self._take_block = take_block
        self._text = b""
        self._start = 0

    def take_number(self) -> int:
        while (end := self._text.find(b"\n", self._start)) < 0:
            if len(self._text) - self._start > 20:
                raise _bad_number(self._text[self._start :])
            self._text = self._text[self._start :] + self._take_block()
            self._start = 0
        digits, self._start = self._text[self._start : end], end + 1
        return _parse_number(digits)

    def check_padding(self) -> None:
        if self._text[self._start :].strip(b"\0"):
            raise Fault("a sparse file with something between its map and its data")


def _parse_number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 19 or (number := int(digits)) > _MOST:
        raise _bad_number(digits)
    return number


def _bad_number(digits: bytes) -> Fault:
    return Fault(f'a sparse file with the bad number "{escape(digits, 40)}"')


def fill_holes(pieces: Iterable[tuple[int, memoryview]], size: int) -> Iterator[memoryview]:
    """Return the whole content of a file of *size* bytes, made of *pieces* in order and zeros, in windows.

    Source: GNU tar manual, Storing Sparse Files.
    """
    end = 0
    for offset, window in pieces:
        yield from _zeros(offset - end)
        yield window
        end = offset + len(window)
    yield from _zeros(size - end)


def _zeros(count: int) -> Iterator[memoryview]:
    while count > 0:
        yield _ZEROS[:count]
        count -= len(_ZEROS)
