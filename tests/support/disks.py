"""File systems of their own for tests, each in a file, on a loop device: full soon, cut off from their disk, or of another kind."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = (2).to_bytes(4, "little")
# The least size of each kind, and how it is made.
MAKERS = {
    "ext4": (32 << 20, ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"]),
    "btrfs": (256 << 20, ["mkfs.btrfs", "-q", "-f", "--nodiscard"]),
}


class Disk:
    """A file system that can be cut off from its disk in the middle of anything.

    Whoever made a mount namespace meanwhile keeps the mount, and with it the loop device, as long as that lives. So no file is
    mounted a second time: a new one has a device of its own.
    """

    def __init__(self, base: Path, kind: str = "ext4") -> None:
        """Have it in *base*, of a *kind* that is in MAKERS."""
        self.file, self.place = base / "disk", base / "mounted"
        self.place.mkdir()
        self._size, self._maker = MAKERS[kind]

    def make(self) -> None:
        """Make it anew, empty, and mount it."""
        self.file.unlink(missing_ok=True)
        with open(self.file, "wb") as file:
            file.truncate(self._size)
        subprocess.run([*self._maker, str(self.file)], capture_output=True, check=True)
        self.mount()

    def mount(self) -> None:
        """Mount it."""
        # Of several that look for a free loop device at once, only one gets it.
        for _ in range(20):
            ended = subprocess.run(["mount", "-o", "loop", str(self.file), str(self.place)], capture_output=True, check=False)
            if ended.returncode == 0:
                return
        raise AssertionError(ended.stderr)

    def unmount(self) -> None:
        """Unmount it, if it is mounted."""
        if self.place.is_mount():
            subprocess.run(["umount", str(self.place)], check=True)

    def pull_the_plug(self) -> None:
        """Lose what was not synced, and come up again."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        os.close(descriptor)
        self.unmount()
        copy = self.file.with_suffix(".copy")
        shutil.copyfile(self.file, copy)
        copy.replace(self.file)
        self.mount()


@contextmanager
def mounted(base: Path, kind: str) -> Iterator[Path]:
    """Yield the place of a new file system."""
    disk = Disk(base, kind)
    try:
        disk.make()
        yield disk.place
    finally:
        disk.unmount()
