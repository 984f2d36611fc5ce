"""Entries put aside in a spool, each to be had again by its place there.

Source: spec/image-archive.md, Writing.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from struct import Struct

from acspec.archive.entry import NO_XATTRS, Entry, Kind
from acspec.archive.spool import Spool
from acspec.typed import NamedTuple

# Where the first name of the file is; the mark; offset and size of the data; owners; the time as seconds and nanoseconds; device;
# mode and type; lengths of name, target and attributes, number of pieces.
_HEAD = Struct("<QQQQIIqIIIHBIIII")
_PAIR = Struct("<II")
_PLACE = Struct("<Q")
_GLANCE = 512
_KINDS = tuple(Kind)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class LoggedEntry(NamedTuple):
    """An entry; the place of that with the content, when its file has several names, else 0; the pieces of a sparse file; the mark.

    *pieces* are offset and length in turn, of what is no hole; empty stands for all of the file in one piece.
    """

    entry: Entry
    origin: int
    pieces: array[int]
    mark: int = 0


class EntryLog:
    """Entries in the order in which they were added, at places that are never 0."""

    __slots__ = ("_spool",)

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        spool.append(b"\0")  # so that no entry is at 0

    def add(self, entry: Entry, pieces: array[int]) -> int:
        """Note down one entry and return its place. Raises: OSError."""
        seconds, nanoseconds = divmod(entry.mtime_ns, 10**9)
        xattrs = pack_xattrs(entry.xattrs)
        head = _HEAD.pack(
            0,
            0,
            entry.data_offset,
            entry.size,
            entry.uid,
            entry.gid,
            seconds,
            nanoseconds,
            entry.major,
            entry.minor,
            entry.mode,
            _NUMBERS[entry.kind],
            len(entry.name),
            len(entry.link_name),
            len(xattrs),
            len(pieces),
        )
        return self._spool.append(b"".join((head, entry.name, entry.link_name, xattrs, pieces.tobytes())))

    def get(self, place: int) -> LoggedEntry:
        """Return the entry at *place*. Raises: OSError."""
        data = self._spool.read(place, _GLANCE)
        origin, mark, offset, size, uid, gid, seconds, nanoseconds, major, minor, mode, kind, *lengths, count = _HEAD.unpack_from(
            data
        )
        end = _HEAD.size + sum(lengths) + 8 * count
        if end > len(data):
            data = self._spool.read(place, end)
        name, link_name, xattrs, pieces = _cut(data[_HEAD.size : end], lengths)
        entry = Entry(
            name,
            _KINDS[kind],
            mode,
            uid,
            gid,
            seconds * 10**9 + nanoseconds,
            size,
            link_name,
            major,
            minor,
            unpack_xattrs(xattrs),
            offset,
        )
        return LoggedEntry(entry, origin, array("Q", pieces), mark)

    def mark(self, place: int, mark: int) -> None:
        """Give the entry at *place* a *mark* of 64 bits that is its caller's to read; before, it is 0. Raises: OSError."""
        self._spool.change(place + _PLACE.size, _PLACE.pack(mark))

    def join(self, link: int, target: int) -> None:
        """Note that the entries at both places are names of one file; *target* may be a link, joined before. Raises: OSError."""
        (origin,) = _PLACE.unpack(self._spool.read(target, _PLACE.size))
        if not origin:
            origin = target
            self._spool.change(origin, _PLACE.pack(origin))
        self._spool.change(link, _PLACE.pack(origin))


def _cut(data: bytes, lengths: list[int]) -> tuple[bytes, bytes, bytes, bytes]:
    first, second, third = lengths
    return (
        data[:first],
        data[first : first + second],
        data[first + second : first + second + third],
        data[first + second + third :],
    )


def pack_xattrs(xattrs: Mapping[bytes, bytes]) -> bytes:
    """Return extended attributes as bytes, in their order, for `unpack_xattrs`."""
    return b"".join(_PAIR.pack(len(name), len(value)) + name + value for name, value in xattrs.items())


def unpack_xattrs(data: bytes) -> Mapping[bytes, bytes]:
    """Return the extended attributes that `pack_xattrs` made *data* of."""
    xattrs: dict[bytes, bytes] = {}
    place = 0
    while place < len(data):
        length, size = _PAIR.unpack_from(data, place)
        place += _PAIR.size
        xattrs[data[place : place + length]] = data[place + length : place + length + size]
        place += length + size
    return xattrs or NO_XATTRS
