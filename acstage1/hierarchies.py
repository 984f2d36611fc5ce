"""Where this process stands in the cgroup hierarchies of the machine, v1, v2 or both, and below which directory a pod may stand.

Source: cgroups(7); kernel Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os

from acstage1.cgroupfs import read_control


class Hierarchy:
    """One mounted hierarchy: its controllers (empty for cgroup2), our own directory in it, and where it is mounted."""

    __slots__ = ("controllers", "mount_point", "own")

    def __init__(self, controllers: frozenset[str], own: str, mount_point: str) -> None:
        self.controllers = controllers
        self.own = own
        self.mount_point = mount_point


def find_own_hierarchies() -> list[Hierarchy]:
    """Return the hierarchies that this process is in. Raises: OSError."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as info, open("/proc/self/cgroup") as own:
        return find_hierarchies(info.read(), own.read())


def find_hierarchies(mountinfo: str, cgroup: str) -> list[Hierarchy]:
    """Return the hierarchies we use, from the text of /proc/self/mountinfo and /proc/self/cgroup.

    Source: proc_pid_mountinfo(5), cgroups(7): /proc/PID/cgroup.
    """
    mounts: dict[frozenset[str], tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        kind, options = fields[fields.index("-", 6) + 1], fields[-1].split(",")
        if kind == "cgroup2":
            mounts.setdefault(frozenset(), (fields[3], fields[4]))
        elif kind == "cgroup":
            # All of them: in one where the pod has no directory of its own, its cgroup namespace would begin at the host's root,
            # and an app that makes a user namespace could mount that for writing.
            for name in options:
                mounts.setdefault(frozenset({name}), (fields[3], fields[4]))
    found: dict[str, Hierarchy] = {}
    for line in cgroup.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            place = mounts.get(frozenset({name} if name else ()))
            if place is not None:
                own = _below(place, path)
                known = found.get(own)
                controllers = (known.controllers if known else frozenset()) | ({name} if name else frozenset())
                found[own] = Hierarchy(controllers, own, place[1])
    return list(found.values())


def _below(place: tuple[str, str], path: str) -> str:
    root, mount_point = place
    inner = path[len(root) :] if root != "/" and (path + "/").startswith(root + "/") else path
    return mount_point + inner.rstrip("/") if inner != "/" else mount_point


def get_base(hierarchy: Hierarchy) -> str:
    """Return the directory of cgroup2 nearest to ours that can have controllers below it, ours if none can.

    Source: cgroup-v2.rst, No Internal Process Constraint: the root alone is exempt, and has no cgroup.type; Top-down Constraint.
    """
    if not read_control(f"{hierarchy.mount_point}/cgroup.controllers"):
        return hierarchy.own  # they are all on v1
    base = None
    for path in way_down(hierarchy, hierarchy.own):
        if is_crowded(path):
            break
        base = path
    return hierarchy.own if base is None else base


def way_down(hierarchy: Hierarchy, path: str) -> list[str]:
    """Return the directories from where the hierarchy is mounted down to *path*, both included."""
    way = [path]
    while way[0] != hierarchy.mount_point:
        way.insert(0, os.path.dirname(way[0]))
    return way


def is_crowded(path: str) -> bool:
    """Tell whether a directory of cgroup2 holds processes, so that it cannot hand controllers down. Source: cgroup-v2.rst."""
    if read_control(f"{path}/cgroup.subtree_control"):
        return False
    return os.path.exists(f"{path}/cgroup.type") and bool(read_control(f"{path}/cgroup.procs"))
