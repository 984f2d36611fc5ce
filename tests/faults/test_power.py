"""The plug is pulled at chosen moments: an ext4 on a loop device loses all that was not synced, as a disk does.

What acfetch has printed is there and whole afterwards; what it has not printed is there whole, or not at all.
A pod that was prepared is there, and is run once; of one that ran a collection removes what is left.
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
from tests.support.userland import BUSYBOX

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


def acrun(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from acrun.cli import main; sys.exit(main())", *words]
    return subprocess.run(command, env={**os.environ, "APPC_DIR": str(data)}, capture_output=True, text=True, check=False)


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "hello.aci"
    manifest = images.manifest_bytes(app={"exec": ["/bin/busybox", "echo", "hello"], "user": "0", "group": "0"})
    path.write_bytes(images.image({"bin/busybox": images.Node(BUSYBOX.read_bytes(), mode=0o755)}, manifest))
    return str(path)


def test_a_prepared_pod_outlives_a_power_cut_and_is_run_once(disk: Disk, image: str) -> None:
    with empty(disk) as data:
        # Without an overlay, whose end in the kernel syncs the file system below it.
        uuid = acrun(data, "prepare", "--no-overlay", "--name", "web", image).stdout.strip()
        disk.pull_the_plug()
        assert acrun(data, "list", "--state", "prepared", "--quiet").stdout == f"{uuid}\n"
        assert acrun(data, "run-prepared", "web").stdout == "hello\n"
        disk.pull_the_plug()
        again = acrun(data, "run-prepared", "web")
        assert again.returncode == 125
        assert "not prepared" in again.stderr


def test_what_a_power_cut_leaves_of_a_pod_that_ran_is_collected(disk: Disk, image: str) -> None:
    with empty(disk) as data:
        for words in (["--name", "web", image], ["--rm", image]):
            assert acrun(data, *words).stdout == "hello\n"
            disk.pull_the_plug()
            collected = acrun(data, "gc", "--grace-period", "0")
            assert (collected.returncode, collected.stderr) == (0, "")
            assert not list((data / "pods").glob("*/*-*"))
        assert acrun(data, "--name", "web", image).stdout == "hello\n"
