"""acstage1, whose monitor, pod init and app's process are killed and failed at their system calls one by one.

A failure ends the run with 125 and one line; a kill leaves at most what `acstage1 gc` removes. Nothing of a pod outlives both.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Call, every, find_calls, run_with_fault
from tests.support.poddirs import STAGE1, AppSpec, cgroups_of, run, wait_for_end, write_pod
from tests.support.userland import make_rootfs

MOST = 8
# In the order in which a start makes them; the errors are those that the kernel can answer.
FAMILIES = {
    "mount": ("error=ENOMEM", "error=EPERM"),
    "openat2": ("error=EMFILE", "error=ENOMEM"),
    "mkdir": ("error=ENOSPC",),
    "rename": ("error=ENOSPC", "error=EIO"),
    "unshare": ("error=ENOMEM",),
    "clone": ("error=EAGAIN",),
    "sendto": (),
    "prctl": (),
    "capset": ("error=EPERM",),
    "setresuid": ("error=EAGAIN",),
}


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_rootfs(tmp_path_factory.mktemp("faults") / "rootfs")


def make_pod(tmp_path: Path, rootfs: Path) -> Path:
    app = AppSpec(["/bin/probe", "exit", "7"], {"user": "1234"}, {"mounts": [{"volume": "v", "path": "/data/deep"}]})
    return write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "v", "kind": "empty"}]})


def check_nothing_is_left(pod: Path, what: str) -> None:
    for process in _processes(pod):
        wait_for_end(process)
    if (pod / "cgroups").exists():
        assert run(pod, verb="gc").code == 0, what
        assert cgroups_of(pod) == [], what
    assert str(pod) not in Path("/proc/self/mounts").read_text(), what


def _processes(pod: Path) -> list[int]:
    try:
        value: dict[str, Any] = json.loads((pod / "pid").read_text())
    except FileNotFoundError:
        return []
    entries = [value["init"], *value["apps"].values()]
    return [entry["pid"] for entry in entries if entry is not None]


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_of_a_pod_outlives_a_fault(tmp_path: Path, rootfs: Path, family: str) -> None:
    calls: list[Call] = every(find_calls([*STAGE1, "run", str(make_pod(tmp_path, rootfs))], family, code=7), MOST)
    assert calls, f"no {family} in a start"
    for call in calls:
        for fault in ("signal=KILL", *FAMILIES[family]):
            what = f"{fault} at {call}"
            pod = make_pod(tmp_path, rootfs)
            result = run_with_fault([*STAGE1, "run", str(pod)], call, fault)
            if fault != "signal=KILL":
                assert result.returncode in (7, 125), f"{what}: {result.stderr}"
                assert len(result.stderr.splitlines()) <= 1, f"{what}: {result.stderr}"
                assert "is a bug" not in result.stderr, f"{what}: {result.stderr}"
            check_nothing_is_left(pod, what)
            assert os.path.isdir(pod)
