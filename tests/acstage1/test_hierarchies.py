"""Where a process stands in hierarchies, by texts as kernels write them, and where there is room for a pod on cgroup2."""

from __future__ import annotations

from pathlib import Path

import pytest

from acstage1.hierarchies import Hierarchy, find_hierarchies, find_own_hierarchies, get_base

V1 = """\
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
"""
MACHINES = {
    "v1, with two controllers in one hierarchy": (
        V1,
        "4:cpu,cpuacct:/a\n3:memory:/\n1:name=systemd:/user.slice\n0::/user.slice\n",
        {
            "/sys/fs/cgroup/cpu,cpuacct/a": {"cpu", "cpuacct"},
            "/sys/fs/cgroup/memory": {"memory"},
            "/sys/fs/cgroup/systemd/user.slice": {"name=systemd"},
            "/sys/fs/cgroup/unified/user.slice": set(),
        },
    ),
    "v2 alone": (
        "30 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
        "0::/user.slice/user-0.slice/session-1.scope\n",
        {"/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope": set()},
    ),
    "a container that sees its own part only": (
        "30 23 0:27 /box/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
        "0::/box/1/inner\n",
        {"/sys/fs/cgroup/inner": set()},
    ),
    "no cgroup file system": ("23 1 0:1 / /proc rw - proc proc rw\n", "0::/\n", {}),
}


@pytest.mark.parametrize("case", MACHINES)
def test_our_own_directories_are_found(case: str) -> None:
    mountinfo, cgroup, expected = MACHINES[case]
    assert {found.own: set(found.controllers) for found in find_hierarchies(mountinfo, cgroup)} == expected


def test_this_machine_has_some() -> None:
    for hierarchy in find_own_hierarchies():
        assert Path(hierarchy.own).is_relative_to(hierarchy.mount_point)
        assert (Path(hierarchy.own) / "cgroup.procs").exists()


def cgroup(path: Path, *, procs: str = "", subtree: str = "", controllers: str = "cpu memory", root: bool = False) -> None:
    path.mkdir(exist_ok=True)
    (path / "cgroup.procs").write_text(procs)
    (path / "cgroup.subtree_control").write_text(subtree)
    (path / "cgroup.controllers").write_text(controllers)
    if not root:
        (path / "cgroup.type").write_text("domain\n")


def test_a_directory_without_processes_has_room(tmp_path: Path) -> None:
    cgroup(tmp_path, root=True)
    cgroup(tmp_path / "a")
    assert get_base(Hierarchy(frozenset(), f"{tmp_path}/a", str(tmp_path))) == f"{tmp_path}/a"


def test_from_one_with_processes_we_go_up_as_far_as_it_takes(tmp_path: Path) -> None:
    cgroup(tmp_path, procs="1\n", root=True)
    cgroup(tmp_path / "slice", subtree="memory\n")
    cgroup(tmp_path / "slice" / "scope", procs="41\n")
    own = str(tmp_path / "slice" / "scope")
    assert get_base(Hierarchy(frozenset(), own, str(tmp_path))) == f"{tmp_path}/slice"
    cgroup(tmp_path / "slice", procs="40\n")
    assert get_base(Hierarchy(frozenset(), own, str(tmp_path))) == str(tmp_path), "the root may have processes"


def test_every_directory_on_the_way_down_must_have_room(tmp_path: Path) -> None:
    cgroup(tmp_path, root=True)
    cgroup(tmp_path / "a", procs="3\n", controllers="")  # none is handed down to it as yet
    cgroup(tmp_path / "a" / "b", controllers="")
    assert get_base(Hierarchy(frozenset(), f"{tmp_path}/a/b", str(tmp_path))) == str(tmp_path)


def test_where_there_is_no_room_the_pod_stays_with_its_caller(tmp_path: Path) -> None:
    cgroup(tmp_path, procs="1\n")  # a container's root: not the machine's
    cgroup(tmp_path / "a", procs="2\n")
    assert get_base(Hierarchy(frozenset(), f"{tmp_path}/a", str(tmp_path))) == f"{tmp_path}/a"


def test_on_a_hybrid_machine_there_is_nothing_to_make_room_for(tmp_path: Path) -> None:
    cgroup(tmp_path, controllers="", root=True)
    cgroup(tmp_path / "a", procs="2\n", controllers="")
    assert get_base(Hierarchy(frozenset(), f"{tmp_path}/a", str(tmp_path))) == f"{tmp_path}/a"
