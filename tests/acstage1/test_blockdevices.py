"""The disks behind paths: on this machine, and in directories that imitate those of sysfs."""

from __future__ import annotations

import os
from pathlib import Path

from acstage1.blockdevices import find_block_devices


def test_a_path_on_a_disk_has_one_and_one_in_memory_has_none(tmp_path: Path) -> None:
    found = find_block_devices([str(tmp_path), str(tmp_path.parent), "/dev/shm", "/proc", "/no/such/path"])
    assert all((Path("/sys/dev/block") / number).exists() for number in found)
    assert len(found) <= 1
    assert find_block_devices(["/dev/shm", "/proc"]) == []


def test_a_partition_is_limited_by_its_disk(tmp_path: Path) -> None:
    device = os.stat(tmp_path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    disk = tmp_path / "devices" / "sda"
    (disk / "sda1").mkdir(parents=True)
    (disk / "dev").write_text("8:0\n")
    (disk / "sda1" / "dev").write_text(f"{number}\n")
    (disk / "sda1" / "partition").write_text("1\n")
    (tmp_path / number).symlink_to("devices/sda/sda1")
    assert find_block_devices([str(tmp_path)], str(tmp_path)) == ["8:0"]
    (disk / "sda1" / "partition").unlink()
    assert find_block_devices([str(tmp_path)], str(tmp_path)) == [number]
