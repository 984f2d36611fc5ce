"""Paths in any order, brought into that of a tree, in little memory however many they are.

Source: the external merge sort of Knuth, TAOCP volume 3, 5.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from struct import Struct

from acspec.archive.spool import Spool

_RUN_BYTES = 4 * 1024 * 1024
_ITEM_BYTES = 200  # what Python needs for one item, beside its bytes
_BLOCK = 64 * 1024
_LENGTHS = Struct("<II")

_Item = tuple[bytes, bytes]


class TreeOrder:
    """Paths with a few bytes each; what is in a directory comes right behind it. `close` must be called.

    Sorted in memory while they are few; else in runs that are merged when they are taken.
    """

    __slots__ = ("_items", "_runs", "_size", "_spool")

    def __init__(self) -> None:
        self._spool = Spool()
        self._runs: list[tuple[int, int]] = []
        self._items: list[_Item] = []
        self._size = 0

    def put(self, path: bytes, data: bytes) -> None:
        """Add a *path*, which has no zero byte and comes only once. Raises: StorageError."""
        self._items.append((path.replace(b"/", b"\0"), data))  # so that no byte of a name sorts before a slash
        self._size += _ITEM_BYTES + len(path) + len(data)
        if self._size > _RUN_BYTES:
            self._write_run()

    def __iter__(self) -> Iterator[_Item]:
        """Return all paths with their bytes. Nothing may be put meanwhile. Raises: StorageError."""
        self._items.sort()
        runs = [self._read_run(start, end) for start, end in self._runs]
        for key, data in merge(*runs, self._items, key=itemgetter(0)):
            yield key.replace(b"\0", b"/"), data

    def close(self) -> None:
        """Throw all of it away. May be called again."""
        self._spool.close()

    def _write_run(self) -> None:
        self._items.sort()
        start = self._spool.append(b"")
        for key, data in self._items:
            self._spool.append(_LENGTHS.pack(len(key), len(data)) + key + data)
        self._runs.append((start, self._spool.append(b"")))
        self._items = []
        self._size = 0

    def _read_run(self, place: int, end: int) -> Iterator[_Item]:
        rest = b""
        while place < end:
            more = self._spool.read(place, min(_BLOCK, end - place))
            place += len(more)
            block = rest + more
            used = 0
            for key, data, end_of_item in _items_of(block):
                yield key, data
                used = end_of_item
            rest = block[used:]


def _items_of(block: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Return the items that are in *block* as a whole, each with the place where it ends."""
    start = 0
    while len(block) - start >= _LENGTHS.size:
        key_size, data_size = _LENGTHS.unpack_from(block, start)
        key = start + _LENGTHS.size
        end = key + key_size + data_size
        if end > len(block):
            return
        yield block[key : end - data_size], block[end - data_size : end], end
        start = end
