"""Block devices behind paths: the whole disks whose throughput is limited when that of an app is.

Source: kernel Documentation/ABI/stable/sysfs-block; proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SYSFS = "/sys/dev/block"


def find_block_devices(paths: Iterable[str], sysfs: str = _SYSFS) -> list[str]:
    """Return the disks that hold *paths*, each once as MAJOR:MINOR; none for what lies in memory or on a network."""
    numbers = {_number(path): None for path in paths}
    return list(dict.fromkeys(disk for number in numbers if number is not None and (disk := _find_disk(number, sysfs)) is not None))


def _number(path: str) -> int | None:
    try:
        number = os.stat(path).st_dev
    except OSError:  # whoever mounts it says so
        return None
    return number if os.major(number) else _source_of(number)


def _source_of(number: int) -> int | None:
    """Return the device behind a file system that has no number of its own device, such as btrfs: what was mounted says which."""
    wanted = f"{os.major(number)}:{os.minor(number)}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split(" ") for line in file]
    for fields in lines:
        if fields[2] == wanted and "-" in fields[6:]:
            source = fields[fields.index("-", 6) + 2]
            try:
                status = os.stat(source) if source.startswith("/") else None
            except OSError:
                return None
            return status.st_rdev if status is not None and stat.S_ISBLK(status.st_mode) else None
    return None


def _find_disk(number: int, sysfs: str) -> str | None:
    """Return the disk of a device, itself or the one that it is a partition of: only a disk has a queue."""
    name = f"{os.major(number)}:{os.minor(number)}"
    place = os.path.realpath(f"{sysfs}/{name}")
    if os.path.exists(f"{place}/partition"):
        place = os.path.dirname(place)
    try:
        with open(f"{place}/dev") as file:
            return file.read().strip()
    except OSError:
        return None
