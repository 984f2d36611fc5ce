"""Keys given back in their order, however many there are: sorted piece by piece, and merged from a spool.

Source: Knuth, The Art of Computer Programming, 5.4 External Sorting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from struct import Struct

from acspec.archive.spool import Spool

_PIECE_BYTES = 4 * 1024 * 1024
_COST = 150  # of an item in memory, beside its own bytes
_MOST_PIECES = 8  # of one log: a thousand may be read at a time
_WINDOW = 8 * 1024
_HEAD = Struct("<II")

_Item = tuple[bytes, bytes]


class SortedLog:
    """Keys, each with a few bytes; iterating over it gives both, by key and then by those bytes, as often as it is asked for."""

    __slots__ = ("_most_pieces", "_pending", "_piece_bytes", "_pieces", "_room", "_spool")

    def __init__(self, spool: Spool, piece_bytes: int = _PIECE_BYTES, most_pieces: int = _MOST_PIECES) -> None:
        """Keep about *piece_bytes* in memory at a time, and the rest in *spool*.

        To read it takes up to 8 KiB for each of *most_pieces*; when there are more, all are made one first.
        """
        self._spool = spool
        self._pending: list[_Item] = []
        self._piece_bytes = self._room = piece_bytes
        self._pieces: list[tuple[int, int]] = []
        self._most_pieces = most_pieces

    def add(self, key: bytes, data: bytes) -> None:
        """Note down one key. Raises: what the spool raises."""
        self._pending.append((key, data))
        self._room -= len(key) + len(data) + _COST
        if self._room < 0:
            self.put_aside()

    def put_aside(self) -> None:
        """Keep nothing of it in memory. Raises: what the spool raises."""
        if self._pending:
            self._pending.sort()
            self._pieces.append(self._write(self._pending))
            self._pending.clear()
            self._room = self._piece_bytes

    def __iter__(self) -> Iterator[_Item]:
        """Return all keys with their bytes, in order; none may be added any more. Raises: what the spool raises."""
        self.put_aside()
        if len(self._pieces) > self._most_pieces:
            self._pieces = [self._write(merge(*map(self._read, self._pieces)))]
        return merge(*map(self._read, self._pieces))

    def _write(self, items: Iterable[_Item]) -> tuple[int, int]:
        """Append one sorted piece to the spool and return where it starts and ends."""
        append, pack = self._spool.append, _HEAD.pack
        start = append(b"")
        for key, data in items:
            append(pack(len(key), len(data)) + key + data)
        return start, append(b"")

    def _read(self, piece: tuple[int, int]) -> Iterator[_Item]:
        start, end = piece
        unpack, rest = _HEAD.unpack_from, b""
        for offset in range(start, end, _WINDOW):
            window = rest + self._spool.read(offset, min(_WINDOW, end - offset))
            place = 0
            while (key := place + _HEAD.size) <= len(window):
                key_size, data_size = unpack(window, place)
                data = key + key_size
                stop = data + data_size
                if stop > len(window):
                    break
                yield window[key:data], window[data:stop]
                place = stop
            rest = window[place:]
