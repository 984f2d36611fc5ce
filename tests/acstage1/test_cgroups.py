"""The driver of cgroups on directories that imitate those of cgroup file systems, as recorded from kernels 6.1 (v2) and 6.18 (v1).

A plain file keeps what a shorter write leaves of it, so those that are written begin empty, or are compared by their beginning.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from acstage1.cgroups import PodCgroups, Setting
from acstage1.errors import StartError
from acstage1.hierarchies import Hierarchy

UUID = "6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c11"
V2_FILES = {
    "cgroup.controllers": "cpuset cpu io memory pids\n", "cgroup.type": "domain\n", "cgroup.subtree_control": "",
    "cgroup.procs": "", "memory.max": "", "memory.low": "", "memory.swap.max": "", "cpu.max": "", "cpu.weight": "",
    "io.max": "", "pids.max": "",
    "memory.events": "low 0\nhigh 0\nmax 61\noom 3\noom_kill 2\noom_group_kill 0\n",
}  # fmt: skip
V1_FILES = {
    "memory": {
        "cgroup.procs": "", "memory.limit_in_bytes": "", "memory.soft_limit_in_bytes": "",
        "memory.memsw.limit_in_bytes": "", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    },
    "devices": {"cgroup.procs": "", "devices.deny": "", "devices.allow": ""},
    "cpuset": {"cgroup.procs": "", "cpuset.cpus": "", "cpuset.mems": ""},
}  # fmt: skip
MEMORY = Setting("memory", [("memory.limit_in_bytes", "1"), ("nothing?", "1")], [("memory.max", "2"), ("memory.swap.max?", "0")])
BLOCK = Setting("blkio", [], [("io.max", "254:0 rbps=5 wbps=5")])


def fill(path: Path, files: dict[str, str]) -> None:
    """Give a directory the files that the kernel makes together with it."""
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / name).write_text(text)


def v2(tmp_path: Path, *apps: str, **files: str) -> PodCgroups:
    for name in ("", f"appc-{UUID}", f"appc-{UUID}/init", *(f"appc-{UUID}/app-{app}" for app in apps)):
        fill(tmp_path / name, {**V2_FILES, **files})
    return PodCgroups([Hierarchy(frozenset(), str(tmp_path), str(tmp_path))], UUID, apps, None)


def v1(tmp_path: Path, *apps: str) -> PodCgroups:
    hierarchies = []
    tmp_path.mkdir(exist_ok=True)
    for controller, files in V1_FILES.items():
        (tmp_path / controller).mkdir()
        for name in ("", f"appc-{UUID}", f"appc-{UUID}/init", *(f"appc-{UUID}/app-{app}" for app in apps)):
            fill(tmp_path / controller / name, files)
        hierarchies.append(Hierarchy(frozenset({controller}), str(tmp_path / controller), str(tmp_path / controller)))
    return PodCgroups(hierarchies, UUID, apps, None)


def test_the_directories_are_named_before_they_are_made(tmp_path: Path) -> None:
    cgroups = PodCgroups([Hierarchy(frozenset(), str(tmp_path), str(tmp_path))], UUID, ["a", "b"], None)
    pod = f"{tmp_path}/appc-{UUID}"
    assert cgroups.paths() == [pod, f"{pod}/init", f"{pod}/app-a", f"{pod}/app-b"]
    assert not Path(pod).exists()
    cgroups.make()
    assert all(Path(path).is_dir() for path in cgroups.paths())


def test_on_v2_controllers_are_handed_down_once_init_has_its_leaf(tmp_path: Path) -> None:
    cgroups = v2(tmp_path, "a")
    pod = tmp_path / f"appc-{UUID}"
    cgroups.make()
    assert (tmp_path / "cgroup.subtree_control").read_text().startswith("+pids"), "the last one written"
    assert (pod / "cgroup.subtree_control").read_text() == "", "a directory that a process is moved into"
    cgroups.admit_init(77)
    assert (pod / "cgroup.procs").read_text() == "77"
    (pod / "cgroup.procs").write_text("")  # the kernel does so when a process moves on
    cgroups.move_init_to_leaf(77)
    assert (pod / "init" / "cgroup.procs").read_text() == "77"
    assert (pod / "cgroup.subtree_control").read_text().startswith("+pids")


def test_on_v2_a_directory_with_processes_hands_nothing_down(tmp_path: Path) -> None:
    cgroups = v2(tmp_path, "a", **{"cgroup.procs": "41\n"})
    cgroups.make()
    assert (tmp_path / "cgroup.subtree_control").read_text() == ""


def test_on_v2_a_limit_is_written_by_its_new_name(tmp_path: Path) -> None:
    cgroups = v2(tmp_path, "a")
    app = tmp_path / f"appc-{UUID}" / "app-a"
    assert cgroups.set("a", MEMORY) == 2
    assert cgroups.set("a", BLOCK) == 2
    assert ((app / "memory.max").read_text(), (app / "memory.swap.max").read_text()) == ("2", "0")
    assert (app / "io.max").read_text() == "254:0 rbps=5 wbps=5"
    assert (app.parent / "memory.max").read_text() == ""
    assert cgroups.set(None, MEMORY) == 2
    assert (app.parent / "memory.max").read_text() == "2"


def test_on_v1_a_limit_is_written_where_its_controller_is(tmp_path: Path) -> None:
    cgroups = v1(tmp_path, "a")
    assert cgroups.set("a", MEMORY) == 1, "a file that not every kernel has is left out"
    assert (tmp_path / "memory" / f"appc-{UUID}" / "app-a" / "memory.limit_in_bytes").read_text() == "1"


def test_a_limit_without_a_controller_is_refused(tmp_path: Path) -> None:
    for cgroups in (v1(tmp_path, "a"), v2(tmp_path / "v2", "a", **{"cgroup.controllers": "memory pids\n"})):
        with pytest.raises(OSError, match="there is no blkio controller for it") as caught:
            cgroups.set("a", BLOCK)
        assert caught.value.errno == errno.ENOTSUP


def test_a_file_that_is_needed_and_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        v2(tmp_path, "a").set("a", Setting("memory", [], [("memory.other", "1")]))


def test_on_v1_devices_are_allowed_one_by_one_before_there_are_children(tmp_path: Path) -> None:
    cgroups = v1(tmp_path, "a")
    assert cgroups.why_no_devices is not None
    cgroups.make()
    pod = tmp_path / "devices" / f"appc-{UUID}"
    assert cgroups.why_no_devices is None
    assert (pod / "devices.deny").read_text() == "a"
    assert (pod / "devices.allow").read_text().startswith("b *:* m")
    assert (pod / "app-a" / "devices.deny").read_text() == ""


def test_on_v1_directories_have_the_processors_of_the_one_above(tmp_path: Path) -> None:
    cgroups = v1(tmp_path, "a")
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    cgroups.make()
    assert (tmp_path / "cpuset" / f"appc-{UUID}" / "app-a" / "cpuset.cpus").read_text() == "0-1\n"


def test_what_the_kernel_killed_is_counted_per_app(tmp_path: Path) -> None:
    assert v2(tmp_path / "2", "a").count_oom_kills("a") == 2
    assert v2(tmp_path / "2", "a").count_oom_kills(None) == 2
    (tmp_path / "2" / f"appc-{UUID}" / "memory.events.local").write_text("oom 1\noom_kill 1\n")
    assert v2(tmp_path / "2", "a").count_oom_kills(None) == 3, "before it was in its leaf"
    assert v1(tmp_path / "1", "a").count_oom_kills("a") == 1
    assert PodCgroups([], UUID, ["a"], None).count_oom_kills("a") == 0


def test_a_parent_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="is in no hierarchy, or not ours to write"):
        PodCgroups([Hierarchy(frozenset(), str(tmp_path), str(tmp_path))], UUID, [], "/no/such")
