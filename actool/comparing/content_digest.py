"""A digest of a file's content that takes holes for the zeros they are, but does not count through them.

A few bytes of a sparse file can stand for as many zeros as an image may have. The digest is SHA-256 over the SHA-256 of each block
of 16 KiB, the last one cut where the file ends; of a block of zeros it is known beforehand.

Source: FIPS 180-4.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

BLOCK = 16 * 1024

_ZEROS = bytes(BLOCK)
_MANY = 1024
_MANY_ZEROS = sha256(_ZEROS).digest() * _MANY


def digest_content(pieces: Iterable[tuple[int, bytes | memoryview]], size: int) -> bytes:
    """Return the digest of a file of *size* bytes, of which *pieces* are all but zeros: 32 bytes.

    Each piece comes with its offset; they ascend and do not overlap.

    Source: FIPS 180-4.
    """
    content = _Content()
    for offset, data in pieces:
        content.skip(offset - content.size)
        content.update(data)
    content.skip(size - content.size)
    return content.digest()


class _Content:
    """The blocks of a file, one after another."""

    __slots__ = ("_block", "_blocks", "_used", "size")

    def __init__(self) -> None:
        self.size = 0
        self._blocks = sha256()
        self._block = sha256()
        self._used = 0

    def update(self, data: bytes | memoryview) -> None:
        """Add *data*."""
        view = memoryview(data)
        self.size += len(view)
        while view:
            part = view[: BLOCK - self._used]
            self._block.update(part)
            self._used += len(part)
            if self._used == BLOCK:
                self._end_block()
            view = view[len(part) :]

    def skip(self, size: int) -> None:
        """Add *size* zeros."""
        if self._used:
            rest = min(size, BLOCK - self._used)
            self.update(_ZEROS[:rest])
            size -= rest
        whole, rest = divmod(size, BLOCK)
        for _ in range(whole // _MANY):
            self._blocks.update(_MANY_ZEROS)
        self._blocks.update(_MANY_ZEROS[: whole % _MANY * 32])
        self.size += whole * BLOCK
        self.update(_ZEROS[:rest])

    def digest(self) -> bytes:
        if self._used:
            self._end_block()
        return self._blocks.digest()

    def _end_block(self) -> None:
        self._blocks.update(self._block.digest())
        self._block = sha256()
        self._used = 0
