"""Keys given back in their order, however many there are: sorted piece by piece, and merged from a spool.

Source: Knuth, The Art of Computer Programming, 5.4 External Sorting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from struct import Struct

from acspec.archive.spool import Spool

_PIECE_BYTES = 4 * 1024 * 1024
_COST = 130  # of a key in memory, beside its own bytes
_MOST_PIECES = 8  # of one log: a thousand may be read at a time
_WINDOW = 8 * 1024
_HEAD = Struct("<IQ")


class SortedLog:
    """Keys, each with a number below 2^64; iterating over it gives both, by key and then by number, as often as it is asked for."""

    __slots__ = ("_pending", "_piece_bytes", "_pieces", "_room", "_spool")

    def __init__(self, spool: Spool, piece_bytes: int = _PIECE_BYTES) -> None:
        """Keep about *piece_bytes* in memory at a time, and the rest in *spool*."""
        self._spool = spool
        self._pending: list[tuple[bytes, int]] = []
        self._piece_bytes = self._room = piece_bytes
        self._pieces: list[tuple[int, int]] = []

    def add(self, key: bytes, number: int) -> None:
        """Note down one key. Raises: OSError."""
        self._pending.append((key, number))
        self._room -= len(key) + _COST
        if self._room < 0:
            self._put_aside()

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        """Return all keys with their numbers, in order; none may be added any more. Raises: OSError."""
        if self._pending:
            self._put_aside()
        if len(self._pieces) > _MOST_PIECES:
            self._pieces = [self._write(self._merge())]
        return self._merge()

    def _put_aside(self) -> None:
        self._pending.sort()
        self._pieces.append(self._write(self._pending))
        self._pending.clear()
        self._room = self._piece_bytes

    def _write(self, pairs: Iterable[tuple[bytes, int]]) -> tuple[int, int]:
        """Append one sorted piece to the spool and return where it starts and ends."""
        start = end = self._spool.append(b"")
        for key, number in pairs:
            end = self._spool.append(_HEAD.pack(len(key), number) + key) + _HEAD.size + len(key)
        return start, end

    def _merge(self) -> Iterator[tuple[bytes, int]]:
        return merge(*(self._read(start, end) for start, end in self._pieces))

    def _read(self, start: int, end: int) -> Iterator[tuple[bytes, int]]:
        rest = b""
        for offset in range(start, end, _WINDOW):
            data = rest + self._spool.read(offset, min(_WINDOW, end - offset))
            place = 0
            while place + _HEAD.size <= len(data):
                length, number = _HEAD.unpack_from(data, place)
                stop = place + _HEAD.size + length
                if stop > len(data):
                    break
                yield data[stop - length : stop], number
                place = stop
            rest = data[place:]
