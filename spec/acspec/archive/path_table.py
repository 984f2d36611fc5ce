"""A table from paths to small numbers that costs eight bytes a path, however long the paths are.

Of a path only 61 bits of a keyed hash are kept, so two paths can be taken for one: by chance once in ten million images of a
million entries, and not on purpose, as the key is new in each process. For short paths the interpreter's own SipHash takes a fifth
of BLAKE2's time; but only BLAKE2 can go on from the hash of a parent, without which long paths would take too long.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import blake2b as BLAKE2b  # noqa: N812 - a class in all but name

_VALUE_BITS = 3
_VALUE_MASK = (1 << _VALUE_BITS) - 1
_HASH_MASK = 2**64 - 1 - _VALUE_MASK
_START_SLOTS = 1 << 14
_GROWTH = 4  # the fewer growths, the less time; of a large table it would be too much memory
_LARGE = 1 << 20
# The interpreter's key may be known (PYTHONHASHSEED), that of the table is not: it stands before each path that is hashed.
_SHORT = 1024 if sys.hash_info.algorithm.startswith("siphash") and sys.hash_info.width == 64 else 0


class PathTable:
    """An open-addressed hash table: a slot is 0, or a hash of 61 bits with a value of 1 to 7 below it."""

    __slots__ = ("_key", "_mask", "_slots", "count")

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._slots = array("Q", bytes(8 * _START_SLOTS))
        self._mask = _START_SLOTS - 1
        self.count = 0

    def get(self, path: bytes) -> int:
        """Return the value of *path*, 0 when it is not in the table."""
        slots, mask, hashed = self._slots, self._mask, self._hash(path)
        slot = hashed >> _VALUE_BITS & mask
        while (found := slots[slot]) and found ^ hashed > _VALUE_MASK:
            slot = slot + 1 & mask
        return found & _VALUE_MASK

    def put(self, path: bytes, value: int) -> int:
        """Give *path* the *value*, 1 to 7, and return the one that it had, 0 when it was not in the table."""
        hashed = hash(self._key + path) & _HASH_MASK if len(path) <= _SHORT else self._hash(path)
        return self._put(hashed, value)

    def put_parents(self, path: bytes, value: int) -> bytes:
        """Give *value* to those parents of *path* that are not in the table; return the deepest that was, `b""` for none.

        A path counts on its parents being there: the unknown ones are all deeper than the known ones. Time grows with the
        length of the path and the number of new parents, not with their product.
        """
        cuts = list(_slashes(path))
        first = bisect_left(cuts, True, key=lambda cut: not self.get(path[:cut]))
        known = path[: cuts[first - 1]] if first else b""
        short = bisect_right(cuts, _SHORT)
        for cut in cuts[first:short]:
            self.put(path[:cut], value)
        if long := cuts[max(first, short) :]:
            self._put_long(path, long, value)
        return known

    def _put_long(self, path: bytes, cuts: list[int], value: int) -> None:
        digest, start = self._digest(b""), 0
        for cut in cuts:
            digest.update(path[start:cut])
            self._put(_as_hash(digest.copy().digest()), value)
            start = cut

    def _hash(self, path: bytes) -> int:
        if len(path) <= _SHORT:
            return hash(self._key + path) & _HASH_MASK
        return _as_hash(self._digest(path).digest())

    def _digest(self, path: bytes) -> BLAKE2b:
        from hashlib import blake2b

        return blake2b(path, digest_size=8, key=self._key)

    def _put(self, hashed: int, value: int) -> int:
        slots, mask = self._slots, self._mask
        slot = hashed >> _VALUE_BITS & mask
        while (before := slots[slot]) and before ^ hashed > _VALUE_MASK:
            slot = slot + 1 & mask
        slots[slot] = hashed | value
        if not before:
            self.count += 1
            if self.count * 3 > self._mask * 2:
                self._grow()
        return before & _VALUE_MASK

    def _grow(self) -> None:
        self._slots = enlarge(self._slots, _GROWTH if len(self._slots) < _LARGE else 2, _VALUE_BITS)
        self._mask = len(self._slots) - 1


def enlarge(old: array[int], growth: int, bits: int) -> array[int]:
    """Return a table *growth* times as large that holds what *old* does: words with a hash above their lowest *bits*, or 0.

    Source: Knuth, The Art of Computer Programming, 6.4: open addressing, linear probing.
    """
    slots = array("Q", bytes(8 * growth * len(old)))
    mask = len(slots) - 1
    for word in filter(None, old):  # each of them another path: any free slot will do
        slot = word >> bits & mask
        while slots[slot]:
            slot = slot + 1 & mask
        slots[slot] = word
    return slots


def _as_hash(digest: bytes) -> int:
    return int.from_bytes(digest, "little") & _HASH_MASK


def _slashes(path: bytes) -> Iterator[int]:
    find: Callable[[bytes, int], int] = path.find
    slash = find(b"/", 0)
    while slash >= 0:
        yield slash
        slash = find(b"/", slash + 1)
