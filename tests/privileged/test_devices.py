"""Devices that apps can open, whatever they may mount: by the device controller on v1, by a program for BPF on v2."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acstage1.cgroupfs import remove_patiently
from acstage1.hierarchies import find_own_hierarchies
from acstage1.linux.bpf import allow_devices
from tests.support.poddirs import AppSpec, run, write_pod

RETAIN = {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_DAC_OVERRIDE"]}}


def test_an_app_that_may_mount_and_make_nodes_opens_no_disk(tmp_path: Path, rootfs: Path) -> None:
    """Its own file system is not nodev. The disk need not be there: without a limit its number would be what is not found."""
    script = "busybox mount -t tmpfs none /tmp && probe mknod /tmp/disk 7 77; cat /dev/null; head -c 1 /dev/zero > /dev/full"
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script], {"isolators": [RETAIN]})})
    result = run(pod)
    assert result.stdout == f"0 {errno.EPERM}\n"
    assert result.stderr == "head: standard output: No space left on device\n", "what it is to have, it has"


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """Return a new cgroup2 directory, below the root's so that no other limits it."""
    mount_point = next(hierarchy.mount_point for hierarchy in find_own_hierarchies() if not hierarchy.controllers)
    path = Path(mount_point, f"test-{os.getpid()}")
    path.mkdir()
    yield path
    assert remove_patiently([str(path)]) is None, "its last zombies may stay for a moment"


def inside(cgroup: Path, work: Callable[[], object]) -> int:
    """Do *work* in a process of *cgroup* and return the number of its error, or 0."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))
            work()
            code = 0
        except OSError as error:
            code = error.errno or 255
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_cgroup_opens_the_devices_of_its_list_and_makes_every_node(cgroup: Path, tmp_path: Path) -> None:
    def opens(path: str) -> int:
        return inside(cgroup, lambda: os.open(path, os.O_RDONLY | os.O_NOCTTY))

    assert [opens("/dev/null"), opens("/dev/zero")] == [0, 0]
    allow_devices(str(cgroup), [(1, 3), (5, None)])
    assert [opens("/dev/null"), opens("/dev/zero"), opens("/dev/urandom")] == [0, errno.EPERM, errno.EPERM]
    assert opens("/dev/ptmx") == 0, "every minor of 5"
    assert inside(cgroup, lambda: os.mknod(tmp_path / "disk", 0o60600, os.makedev(1, 3))) == 0
    allow_devices(str(cgroup), [(1, 5)])
    assert [opens("/dev/null"), opens("/dev/zero")] == [errno.EPERM] * 2, "what either forbids"


def test_a_directory_of_another_file_system_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="bpf: ") as caught:
        allow_devices(str(tmp_path), [(1, 3)])
    assert caught.value.filename == str(tmp_path)
