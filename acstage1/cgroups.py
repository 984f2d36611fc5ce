"""The pod's cgroups: one directory for the pod and one for each app in every hierarchy that we use, on v1, hybrid and v2 hosts.

The pod's directory is made below the caller's own cgroup, so that whoever keeps accounts (systemd, a batch system) keeps them. All
paths are written down before the first directory is made.

Source: cgroups(7); kernel Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import errno
import os
import select

from acstage1.errors import StartError
from acstage1.linux.signals import SIGKILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_V2 = ""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PATIENCE_MS = 20
_ROUNDS = 250


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
                        _write(f"{path}/{name}", file.read())

    def limit_pids(self, limit: int) -> str | None:
        """Set the pod's limit of processes; return why that was not possible, or None. Source: cgroup-v2.rst, PID."""
        for hierarchy, path in self._pods:
            if hierarchy.controllers and "pids" not in hierarchy.controllers:
                continue
            try:
                _write(f"{path}/pids.max", str(limit))
            except OSError:
                continue
            return None
        return "there is no pids controller for this pod"

    def admit_init(self, pid: int) -> None:
        """Move pod init into the pod's own directories. Raises: OSError."""
        for _, path in self._pods:
            _write(f"{path}/cgroup.procs", str(pid))

    def settle_init(self, pid: int) -> None:
        """Move pod init into its leaf on cgroup2, where a directory with processes cannot limit its children. Raises: OSError."""
        for hierarchy, path in self._pods:
            if not hierarchy.controllers:
                _write(f"{path}/init/cgroup.procs", str(pid))

    def admit_app(self, app: str, pid: int) -> None:
        """Move a process into an app's directories; one that is gone already needs no place. Raises: OSError."""
        for _, path in self._pods:
            try:
                _write(f"{path}/app-{app}/cgroup.procs", str(pid))
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
            _write(f"{path}/cgroup.procs", str(os.getpid()))


def kill_and_remove(paths: Sequence[str]) -> str | None:
    """Kill what is left in the directories and remove them; return one that could not be removed, or None.

    Source: cgroup-v2.rst, cgroup.kill; freezer of cgroup v1.
    """
    pods = [path for path in paths if os.path.basename(path).startswith("appc-")]
    for path in pods:
        _kill(path)
    left = remove(paths)
    for _ in range(_ROUNDS):
        if left is None:
            return None
        for path in pods:
            _kill(path)
        select.poll().poll(_PATIENCE_MS)
        left = remove(paths)
    return left


def remove(paths: Sequence[str]) -> str | None:
    """Remove the directories, deepest first; return one that is still there, or None."""
    left = None
    for path in sorted(paths, key=len, reverse=True):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            continue
        except OSError:
            left = _remove_children(path) or left
    return left


def _remove_children(path: str) -> str | None:
    """Remove what an app has made below *path*, and *path*; return what is still there, or None."""
    _descend(path, lambda name, parent: os.rmdir(name, dir_fd=parent))
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return None
    except OSError:
        return path
    return None


def remove_patiently(paths: Sequence[str]) -> str | None:
    """Remove the directories of a pod that has just ended: the kernel may need a moment for its last zombies."""
    left = remove(paths)
    for _ in range(_ROUNDS):
        if left is None:
            return None
        select.poll().poll(4)
        left = remove(paths)
    return left


def _descend(path: str, visit: Callable[[str, int], None]) -> None:
    """Call *visit* with name and parent descriptor of each directory below *path*, deepest first.

    An app may have made cgroups of its own, deeper than a path is long or a program recurses.
    """
    try:
        current = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        return
    way: list[str] = []
    seen: list[set[str]] = [set()]
    while True:
        child = _find_directory(current, seen[-1])
        if child is not None:
            seen[-1].add(child)
            try:
                following = os.open(child, _DIRECTORY, dir_fd=current)
            except FileNotFoundError:
                continue
            way.append(child)
            seen.append(set())
        elif way:
            following = os.open("..", _DIRECTORY, dir_fd=current)
        else:
            break
        os.close(current)
        current = following
        if child is None:
            seen.pop()
            try:
                visit(way.pop(), current)
            except OSError:
                pass  # the caller looks at what is left
    os.close(current)


def _find_directory(directory: int, seen: set[str]) -> str | None:
    with os.scandir(directory) as entries:
        return next((entry.name for entry in entries if entry.name not in seen and entry.is_dir(follow_symlinks=False)), None)


def _kill(path: str) -> None:
    try:
        _write(f"{path}/cgroup.kill", "1")
        return
    except OSError:
        pass
    frozen = _try_write(f"{path}/freezer.state", "FROZEN")
    _descend(path, lambda name, parent: _kill_processes(f"{name}/cgroup.procs", parent))
    _kill_processes(f"{path}/cgroup.procs", None)
    if frozen:
        _try_write(f"{path}/freezer.state", "THAWED")


def _kill_processes(name: str, parent: int | None) -> None:
    try:
        with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=parent)) as file:
            pids = [int(line) for line in file]
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
            raise
        return
    for pid in pids:
        try:
            os.kill(pid, SIGKILL)
        except ProcessLookupError:
            continue


def _try_write(path: str, text: str) -> bool:
    try:
        _write(path, text)
    except OSError:
        return False
    return True


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)
