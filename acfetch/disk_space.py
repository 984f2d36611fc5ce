"""Free space on the disk, reserved for images that are coming: one is refused before the disk is full, since others write to it.

Source: statvfs(3); spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
from threading import Lock

from acspec.errors import StorageError
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

MOST_LEFT = 64 << 20  # bytes that are left to others; on a small disk a 64th of it
_EVERY = 8 << 20  # bytes between two looks


def measure_free_space(path: str) -> int:
    """Return the bytes that may be written below *path*, none or less when only what is left to others is free. Raises: OSError."""
    status = os.statvfs(path)
    left = min(MOST_LEFT, status.f_blocks * status.f_frsize // 64)
    return status.f_bavail * status.f_frsize - left


class Disk:
    """What one run may write below the data directory *path*, and what its images, several at once, have yet to."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = Lock()
        self._expected: dict[Reservation, int] = {}

    def expect(self, reservation: Reservation, size: int) -> bool:
        """Take down that an image will have *size* bytes more; tell whether there is room for all. Raises: OSError."""
        with self._lock:
            self._expected[reservation] = size
            return sum(self._expected.values()) <= measure_free_space(self.path)

    def forget(self, reservation: Reservation) -> None:
        """Expect nothing more of an image."""
        with self._lock:
            self._expected.pop(reservation, None)


class Reservation:
    """The room for one image on *disk*; used as a context manager, at whose end nothing more is expected."""

    def __init__(self, disk: Disk, what: str) -> None:
        self._disk = disk
        self._what = what
        self._expected = 0
        self._unseen = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Expect nothing more."""
        self._disk.forget(self)

    def check(self, size: int) -> None:
        """Check that *size* more bytes may be written. Raises: StorageError; OSError."""
        self._expected = size
        if not self._disk.expect(self, size):
            why = f"no room for {self._what}: {human_size(size)} and a reserve are more than is free"
            raise StorageError(self._disk.path, why, "acfetch gc")

    def guard(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """Return *write*, with a look at the disk now and then. Raises: StorageError, when called."""

        def watched(data: bytes) -> None:
            self._unseen += len(data)
            if self._unseen >= _EVERY:
                self.check(max(self._expected - self._unseen, _EVERY))
                self._unseen = 0
            write(data)

        return watched
