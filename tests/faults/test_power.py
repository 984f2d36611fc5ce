"""The plug is pulled at chosen moments: an ext4 on a loop device loses all that was not synced, as a disk does.

What acfetch has printed is there and whole afterwards; what it has not printed is there whole, or not at all.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import images
from tests.support.disks import Disk
from tests.support.faults import every, find_calls, run_with_fault

ACFETCH = [sys.executable, "-c", "import sys; from acfetch.cli import main; sys.exit(main())", "--insecure-options=image", "-q"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path)
    try:
        yield disk
    finally:
        disk.unmount()


@contextmanager
def empty(disk: Disk) -> Iterator[Path]:
    """Yield an empty data directory on a new file system."""
    disk.make()
    try:
        yield disk.place / "data"
    finally:
        disk.unmount()


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    (tmp_path / "hello.aci").write_bytes(images.image({"file": os.urandom(300_000)}))
    return [*ACFETCH, str(tmp_path / "hello.aci")]


def check_store(data: Path) -> list[Path]:
    """Check that every image that the store has is whole, and return their files."""
    records = sorted((data / "images").glob("*.json"))
    for record in records:
        image = record.with_suffix(".aci")
        assert f"sha512-{hashlib.sha512(image.read_bytes()).hexdigest()}" == image.stem
        assert record.read_bytes().endswith(b"}\n")
    return records


def test_what_was_printed_is_there_after_a_power_cut(disk: Disk, command: list[str]) -> None:
    with empty(disk) as data:
        environment = {**os.environ, "APPC_DIR": str(data)}
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
        disk.pull_the_plug()
        assert [record.with_suffix(".aci") for record in check_store(data)] == [Path(printed)]


@pytest.mark.parametrize("family", ["write", "fsync", "rename"])
def test_a_power_cut_in_the_middle_leaves_whole_images_or_none(disk: Disk, command: list[str], family: str) -> None:
    with empty(disk) as data:
        calls = every(find_calls(command, family, about=data, environment={"APPC_DIR": str(data)}), 4)
    assert calls
    for call in calls:
        with empty(disk) as data:
            environment = {"APPC_DIR": str(data)}
            run_with_fault(command, call, "signal=KILL", environment)
            disk.pull_the_plug()
            check_store(data)
            ended = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, f"{call}: {ended.stderr}"
            assert len(check_store(data)) == 1, str(call)
