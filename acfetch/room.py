"""Room on the disk: an image is refused before the disk is full, since others write to it, too.

Source: statvfs(3); spec/store.md, Adding an image.
"""

from __future__ import annotations

import os

from acspec.errors import StorageError
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LEFT = 64 << 20  # bytes that are left to others; on a small disk a 64th of it
_EVERY = 8 << 20  # bytes between two looks


def measure_room(path: str) -> int:
    """Return the bytes that may be written below *path*, none or less when only what is left to others is free. Raises: OSError."""
    status = os.statvfs(path)
    left = min(MOST_LEFT, status.f_blocks * status.f_frsize // 64)
    return status.f_bavail * status.f_frsize - left


class Room:
    """The room for one image below the data directory *path*."""

    def __init__(self, path: str, what: str) -> None:
        self._path = path
        self._what = what
        self._unseen = 0

    def check(self, size: int) -> None:
        """Check that *size* more bytes may be written. Raises: StorageError; OSError."""
        room = measure_room(self._path)
        if size > room:
            why = f"no room for {self._what}: {human_size(size)} and a reserve are more than is free"
            raise StorageError(self._path, why, "acfetch gc")

    def guard(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """Return *write*, with a look at the disk now and then. Raises: StorageError, when called."""

        def watched(data: bytes) -> None:
            self._unseen += len(data)
            if self._unseen >= _EVERY:
                self._unseen = 0
                self.check(_EVERY)
            write(data)

        return watched
