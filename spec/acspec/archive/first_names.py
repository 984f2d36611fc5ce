"""The first names of files that have several, however many there are: in eight bytes a file and as much again for room.

The names themselves, and which file each of them is, wait in a spool: what is found by a part of a hash is compared with it.

Source: inode(7); Knuth, The Art of Computer Programming, 6.4: open addressing, linear probing.
"""

from __future__ import annotations

import os
from array import array
from struct import Struct

from acspec.archive.path_table import enlarge
from acspec.archive.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import stat_result

_NUMBERS = Struct("<QQ")  # device and inode
_PLACE_BITS = 36  # a million names, each as long as may be, take 32
_PLACE = (1 << _PLACE_BITS) - 1
_HASH = 2**64 - 1 - _PLACE
_START_SLOTS = 1 << 10
_GROWTH = 2


class FirstNames:
    """An open-addressed hash table: places in a spool, below the part of a hash that finds them. `close` must be called."""

    __slots__ = ("_count", "_key", "_mask", "_slots", "_spool")

    def __init__(self) -> None:
        self._key = os.urandom(16)  # a file system may give its files whatever numbers it likes
        self._spool = Spool()
        self._spool.append(b"\0")  # so that nothing is at 0, which stands for a free slot
        self._slots = array("Q", bytes(8 * _START_SLOTS))
        self._mask = _START_SLOTS - 1
        self._count = 0

    def add(self, status: stat_result, name: bytes) -> bytes:
        """Add a *name* of the file of *status* and return the first that was added: *name* itself when there was none.

        Raises: StorageError.
        Source: inode(7), Device and Inode number.
        """
        numbers = _NUMBERS.pack(status.st_dev, status.st_ino)
        hashed = hash(self._key + numbers) & _HASH
        slots, mask, get = self._slots, self._mask, self._spool.get
        slot = hashed >> _PLACE_BITS & mask
        while word := slots[slot]:
            if word & _HASH == hashed and (known := get(word & _PLACE)).startswith(numbers):
                return known[_NUMBERS.size :]
            slot = slot + 1 & mask
        slots[slot] = hashed | self._spool.put(numbers + name)
        self._count += 1
        if self._count * 3 > mask * 2:
            self._grow()
        return name

    def _grow(self) -> None:
        self._slots = enlarge(self._slots, _GROWTH, _PLACE_BITS)
        self._mask = len(self._slots) - 1

    def close(self) -> None:
        """Throw all of it away. May be called again."""
        self._spool.close()
