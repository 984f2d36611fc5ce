"""What an app uses, out of recorded trees of control files, and of a process of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acrun.records import read_state
from acrun.states import PodState
from acrun.usage import measure_app, measure_pod
from acspec.execution import boot_id
from acspec.pods import Pods

UUID = "6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c11"
V1 = {
    "cpuacct/cpuacct.usage": "1500000000\n",
    "cpu/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
    "memory/memory.usage_in_bytes": "10485760\n",
    "memory/memory.stat": "cache 5\ninactive_file 7\ntotal_inactive_file 485760\n",
    "memory/memory.limit_in_bytes": "9223372036854771712\n",
    "pids/pids.current": "3\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": (
        "8:0 Read 100\n8:0 Write 20\n8:0 Sync 120\n8:16 Read 1\n8:16 Write 2\nTotal 123\n"
    ),
}
V2 = {
    "v2/cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "v2/memory.current": "10485760\n",
    "v2/memory.stat": "anon 1\ninactive_file 485760\n",
    "v2/memory.max": "20971520\n",
    "v2/pids.current": "3\n",
    "v2/io.stat": "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n",
}
COUNTED = {"cpuSeconds": 1.5, "memoryBytes": 10_000_000, "pids": 3, "readBytes": 101, "writtenBytes": 22}
HOSTS = {
    "version 1": (V1, COUNTED | {"memoryLimitBytes": None}),
    "version 2": (V2, COUNTED | {"memoryLimitBytes": 20 << 20}),
    "both, version 2 without controllers": (V1 | {"v2/cpu.stat": "usage_usec 7\n"}, COUNTED | {"memoryLimitBytes": None}),
    "version 2 without a limit, and no file was read yet": (
        V2 | {"v2/memory.max": "max\n", "v2/io.stat": ""},
        COUNTED | {"memoryLimitBytes": None, "readBytes": 0, "writtenBytes": 0},
    ),
}


def running(run: Path, files: Mapping[str, str], apps: Mapping[str, Any] | None = None) -> PodState:
    """Write a pod with one app, whose cgroups have *files*, and return its state as if it ran."""
    path = run / "pods" / "run" / UUID
    path.mkdir(parents=True)
    names = dict.fromkeys(name.partition("/")[0] for name in files)
    (path / "cgroups").write_text("".join(f"{run}/{name}/appc-{UUID}/{leaf}\n" for name in names for leaf in ("init", "app-one")))
    for name, text in files.items():
        hierarchy, _, file = name.partition("/")
        directory = run / hierarchy / f"appc-{UUID}" / "app-one"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / file).write_text(text)
    (path / "pod").write_text(json.dumps({"apps": [{"name": "one"}]}))
    (path / "pid").write_text(json.dumps({"apps": apps or {}, "boot": boot_id()}))
    pods = Pods(str(run))
    state = read_state(pods.get(UUID))
    state.state = "running"
    return state


@pytest.mark.parametrize(("files", "expected"), HOSTS.values(), ids=HOSTS)
def test_usage_is_what_the_kernel_counted(files: Mapping[str, str], expected: Mapping[str, Any], tmp_path: Path) -> None:
    state = running(tmp_path, files)
    usage = measure_app(state, state.apps[0])
    assert usage is not None
    assert usage.to_json() == expected
    total = measure_pod(state)
    assert total is not None
    assert total.to_json() == {**expected, "memoryLimitBytes": None}


def _start(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_what_no_controller_counts_is_summed_up_over_the_processes(tmp_path: Path) -> None:
    own = {"one": {"pid": os.getpid(), "start": _start(os.getpid())}}
    state = running(tmp_path, {"pids/pids.current": "77\n"}, own)
    usage = measure_app(state, state.apps[0])
    assert usage is not None
    assert usage.pids == 77
    assert (usage.cpu_seconds or 0) > 0
    assert (usage.memory_bytes or 0) > 1 << 20


GONE = {
    "no process at all": {},
    "a process number that another has now": {"one": {"pid": os.getpid(), "start": 1}},
    "one that nobody can have": {"one": {"pid": 1 << 30, "start": 1}},
    "none, in the file's words": {"one": None},
}


@pytest.mark.parametrize("apps", GONE.values(), ids=GONE)
def test_an_app_that_is_gone_uses_nothing(apps: Mapping[str, Any], tmp_path: Path) -> None:
    state = running(tmp_path, {}, apps)
    assert measure_app(state, state.apps[0]) is None
    assert measure_pod(state) is None


def test_an_app_that_has_ended_in_a_pod_that_runs_uses_nothing(tmp_path: Path) -> None:
    state = running(tmp_path, V1)
    state.apps[0].status = {"exit": 0}
    assert measure_app(state, state.apps[0]) is None


BAD = ("", "max", "x\n", "1 2 3", "usage_usec", "8:0 Read", "8:0 rbytes=x")


@pytest.mark.parametrize("text", BAD)
def test_control_files_that_make_no_sense_are_as_if_they_were_not_there(text: str, tmp_path: Path) -> None:
    state = running(tmp_path, dict.fromkeys((*V1, *V2), text))
    assert measure_app(state, state.apps[0]) is None
