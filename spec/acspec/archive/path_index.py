"""An index from paths to numbers of any size, in sixteen bytes a path and as much again for room, however long the paths are.

Of a path 63 bits of a keyed hash are kept, as `path_table` does, and with the same odds of taking one path for another.
"""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b

_START_SLOTS = 1 << 10
_USED = 1  # the bit of a slot that is set when it is taken


class PathIndex:
    """An open-addressed hash table of two arrays: what a path is known by, and its number."""

    __slots__ = ("_count", "_key", "_mask", "_numbers", "_slots")

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._count = 0
        self._make(_START_SLOTS)

    def find(self, path: bytes) -> int | None:
        """Return the number of *path*, None when it has none."""
        slot = self._slot(self._hash(path))
        return self._numbers[slot] if self._slots[slot] else None

    def put(self, path: bytes, number: int) -> None:
        """Give *path* a *number* of at most 64 bits, in the place of any it had."""
        hashed = self._hash(path)
        slot = self._slot(hashed)
        self._count += not self._slots[slot]
        self._slots[slot], self._numbers[slot] = hashed, number
        if self._count * 3 > self._mask * 2:
            self._grow()

    def _make(self, size: int) -> None:
        self._slots = array("Q", bytes(8 * size))
        self._numbers = array("Q", bytes(8 * size))
        self._mask = size - 1

    def _hash(self, path: bytes) -> int:
        return int.from_bytes(blake2b(path, digest_size=8, key=self._key).digest(), "little") | _USED

    def _slot(self, hashed: int) -> int:
        """Return the slot that holds *hashed*, or the free one where it belongs."""
        slots, mask = self._slots, self._mask
        slot = hashed >> 1 & mask
        while (found := slots[slot]) and found != hashed:
            slot = slot + 1 & mask
        return slot

    def _grow(self) -> None:
        slots, numbers = self._slots, self._numbers
        self._make(2 * len(slots))
        for hashed, number in zip(slots, numbers, strict=True):
            if hashed:
                slot = self._slot(hashed)
                self._slots[slot], self._numbers[slot] = hashed, number
