"""The pod's cgroups: one directory for the pod and one for each app in every hierarchy that we use, on v1, hybrid and v2 hosts.

The pod's directory is made below the caller's own cgroup, so that whoever keeps accounts (systemd, a batch system) keeps them. All
paths are written down before the first directory is made.

Source: cgroups(7); kernel Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os

from acstage1.cgroupfs import kill_and_remove, write_control
from acstage1.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Hierarchy:
    """One mounted hierarchy: its controllers (empty for cgroup2), and our own directory in it."""

    __slots__ = ("controllers", "own")

    def __init__(self, controllers: frozenset[str], own: str) -> None:
        self.controllers = controllers
        self.own = own


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
                found[own] = Hierarchy((known.controllers if known else frozenset()) | ({name} if name else frozenset()), own)
    return list(found.values())


def _below(place: tuple[str, str], path: str) -> str:
    root, mount_point = place
    inner = path[len(root) :] if root != "/" and (path + "/").startswith(root + "/") else path
    return mount_point + inner.rstrip("/") if inner != "/" else mount_point


class PodCgroups:
    """The cgroups of one pod, from their making to their end."""

    def __init__(self, uuid: str, apps: Sequence[str], parent: str | None) -> None:
        """Find where the cgroups will be; nothing is made yet. Raises: StartError when *parent* is nowhere; OSError."""
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as info, open("/proc/self/cgroup") as own:
            hierarchies = find_hierarchies(info.read(), own.read())
        self._apps = apps
        self._pods: list[tuple[Hierarchy, str]] = []
        for hierarchy in hierarchies:
            base = hierarchy.own if parent is None else os.path.join(_mount_of(hierarchy.own), parent.strip("/"))
            if os.access(base, os.W_OK):
                self._pods.append((hierarchy, os.path.join(base, f"appc-{uuid}")))
        if parent is not None and not self._pods:
            raise StartError(f"cgroup {parent}", "is in no hierarchy, or not ours to write")

    def paths(self) -> list[str]:
        """Return every directory of the pod, parents first."""
        names = ("", "/init", *(f"/app-{name}" for name in self._apps))
        return [path + name for _, path in self._pods for name in names]

    def make(self) -> None:
        """Make the directories. Raises: OSError."""
        for path in self.paths():
            os.makedirs(path, mode=0o755, exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # of v1: nobody can join a directory where they are empty
                if os.path.exists(f"{path}/{name}") and os.path.exists(f"{path}/tasks"):
                    with open(f"{os.path.dirname(path)}/{name}") as file:
                        write_control(f"{path}/{name}", file.read())

    def limit_pids(self, limit: int) -> str | None:
        """Set the pod's limit of processes; return why that was not possible, or None. Source: cgroup-v2.rst, PID."""
        for hierarchy, path in self._pods:
            if hierarchy.controllers and "pids" not in hierarchy.controllers:
                continue
            try:
                write_control(f"{path}/pids.max", str(limit))
            except OSError:
                continue
            return None
        return "there is no pids controller for this pod"

    def admit_init(self, pid: int) -> None:
        """Move pod init into the pod's own directories. Raises: OSError."""
        for _, path in self._pods:
            write_control(f"{path}/cgroup.procs", str(pid))

    def settle_init(self, pid: int) -> None:
        """Move pod init into its leaf on cgroup2, where a directory with processes cannot limit its children. Raises: OSError."""
        for hierarchy, path in self._pods:
            if not hierarchy.controllers:
                write_control(f"{path}/init/cgroup.procs", str(pid))

    def admit_app(self, app: str, pid: int) -> None:
        """Move a process into an app's directories; one that is gone already needs no place. Raises: OSError."""
        for _, path in self._pods:
            try:
                write_control(f"{path}/app-{app}/cgroup.procs", str(pid))
            except ProcessLookupError:
                return


def _mount_of(path: str) -> str:
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def join_app(paths: Iterable[str], app: str) -> None:
    """Move this process into the cgroups of an app that runs, given the pod's list of directories. Raises: OSError."""
    for path in paths:
        if os.path.basename(path) == f"app-{app}":
            write_control(f"{path}/cgroup.procs", str(os.getpid()))


def collect_cgroups(paths: Sequence[str]) -> str | None:
    """Kill what is left in a pod's directories and remove them; return one that could not be removed, or None. Raises: OSError."""
    return kill_and_remove(paths, [path for path in paths if os.path.basename(path).startswith("appc-")])
