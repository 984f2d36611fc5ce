"""The pod's cgroups: one directory for the pod and one for each app in every hierarchy that we use, on v1, hybrid and v2 hosts.

The pod's directory is made below the caller's own cgroup, so that whoever keeps accounts (systemd, a batch system) keeps them; on
v2, where a cgroup that holds processes can have no controllers below it, beside that cgroup, or as far up as it takes. All paths
are written down before the first directory is made. What is limited and by how much is not known here.

Source: cgroups(7); kernel Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import errno
import os

from acspec.errors import reason_of
from acspec.ownership import is_root
from acstage1.cgroupfs import kill_and_remove, read_control, write_control
from acstage1.errors import StartError
from acstage1.hierarchies import get_base, is_crowded, way_down

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from acstage1.hierarchies import Hierarchy

# What limits are set with. On v2 they must be handed down from directory to directory.
_CONTROLLERS = ("cpu", "memory", "io", "pids")
_NEW_NAMES = {"blkio": "io"}
# null zero full random urandom tty, ptmx and the terminals of devpts: what may be opened, by major and minor, None for every minor.
_DEVICES = ((1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2), (136, None))


class Setting:
    """One limit as control files: its controller by the name of v1, and names and texts for v1 and for v2.

    A name that ends in a question mark is of a file which not every kernel has.
    """

    __slots__ = ("controller", "v1", "v2")

    def __init__(self, controller: str, v1: Sequence[tuple[str, str]], v2: Sequence[tuple[str, str]]) -> None:
        self.controller = controller
        self.v1 = v1
        self.v2 = v2


def _is_ours(base: str) -> bool:
    """Tell whether a pod can have its cgroups below *base*: v2 wants its processes ours to move, too."""
    return os.access(base, os.W_OK) and (is_root() or os.access(f"{base}/cgroup.procs", os.W_OK))


class PodCgroups:
    """The cgroups of one pod, from their making to their end."""

    def __init__(self, hierarchies: Sequence[Hierarchy], uuid: str, apps: Sequence[str], parent: str | None) -> None:
        """Choose where the cgroups will be; nothing is made yet. Raises: StartError when *parent* is nowhere; OSError."""
        self._apps = apps
        self._pods: list[tuple[Hierarchy, str]] = []
        self.why_no_devices: str | None = "there is no devices controller"
        for hierarchy in hierarchies:
            if parent is not None:
                base = os.path.join(hierarchy.mount_point, parent.strip("/"))
            else:
                base = hierarchy.own if hierarchy.controllers else get_base(hierarchy)
            if _is_ours(base):
                self._pods.append((hierarchy, os.path.join(base, f"appc-{uuid}")))
        if parent is not None and not self._pods:
            raise StartError(f"cgroup {parent}", "is in no hierarchy, or not ours to write")

    def paths(self) -> list[str]:
        """Return every directory of the pod, parents first."""
        return [path for _, pod in self._pods for path in self._directories(pod)]

    def hierarchies(self) -> list[Hierarchy]:
        """Return the hierarchies in which the pod has directories."""
        return [hierarchy for hierarchy, _ in self._pods]

    def _directories(self, pod: str) -> list[str]:
        return [pod, f"{pod}/init", *(f"{pod}/app-{name}" for name in self._apps)]

    def paths_of(self, app: str) -> list[str]:
        """Return the directories of one app."""
        return [f"{path}/app-{app}" for _, path in self._pods]

    def make(self) -> None:
        """Make the directories; from there only the devices of OS-SPEC.md can be opened, if the kernel lets us. Raises: OSError."""
        for hierarchy, pod in self._pods:
            if not hierarchy.controllers:
                _hand_down(way_down(hierarchy, os.path.dirname(pod)))
            for path in self._directories(pod):
                os.makedirs(path, mode=0o755, exist_ok=True)
                if "cpuset" in hierarchy.controllers:
                    _inherit_processors(path)
                elif "devices" in hierarchy.controllers and path == pod:
                    self._limit_devices(_list_devices, path)  # while it has no children: the kernel takes no new list later
        if self.why_no_devices is not None and os.geteuid() == 0:
            for pod in (pod for hierarchy, pod in self._pods if not hierarchy.controllers):
                self._limit_devices(_filter_devices, pod)

    def _limit_devices(self, limit: Callable[[str], None], path: str) -> None:
        try:
            limit(path)
        except OSError as error:
            self.why_no_devices = reason_of(error)
        else:
            self.why_no_devices = None

    def set(self, app: str | None, setting: Setting) -> int:
        """Set a limit of an app, or of the pod, and return the version of cgroups that has it: 1 or 2.

        Raises: OSError, also when there is no such controller.
        """
        name = setting.controller
        for hierarchy, pod in self._pods:
            path = pod if app is None else f"{pod}/app-{app}"
            version = 1 if hierarchy.controllers else 2
            if name in hierarchy.controllers or (version == 2 and _has(path, _NEW_NAMES.get(name, name))):
                for file, text in setting.v1 if version == 1 else setting.v2:
                    _write_setting(f"{path}/{file}", text)
                return version
        raise OSError(errno.ENOTSUP, f"there is no {name} controller for it")

    def count_oom_kills(self, app: str | None) -> int:
        """Return how many processes of an app, or of the pod itself (its init), the kernel has killed for want of memory.

        Source: cgroup-v2.rst, memory.events; kernel Documentation/admin-guide/cgroup-v1/memory.rst, OOM Control.
        """
        for hierarchy, pod in self._pods:
            if "memory" in hierarchy.controllers:
                return _read_count(f"{pod}/{f'app-{app}/' if app is not None else ''}memory.oom_control")
            if not hierarchy.controllers and _has(pod, "memory"):
                if app is not None:
                    return _read_count(f"{pod}/app-{app}/memory.events")
                return _read_count(f"{pod}/memory.events.local") + _read_count(f"{pod}/init/memory.events")
        return 0

    def admit_init(self, pid: int) -> None:
        """Move pod init into the pod's own directories. Raises: OSError."""
        for _, path in self._pods:
            _move_own(path, pid)

    def move_init_to_leaf(self, pid: int) -> None:
        """Move pod init into its leaf on cgroup2, where a directory with processes cannot limit its children. Raises: OSError."""
        for hierarchy, path in self._pods:
            if not hierarchy.controllers:
                write_control(f"{path}/init/cgroup.procs", str(pid))
                _hand_down([path])

    def admit_app(self, app: str, pid: int) -> None:
        """Move a process into an app's directories; one that is gone already needs no place. Raises: OSError."""
        for _, path in self._pods:
            try:
                write_control(f"{path}/app-{app}/cgroup.procs", str(pid))
            except ProcessLookupError:
                return

    def kill_app(self, app: str) -> bool:
        """Kill all that is in an app's directories by asking the kernel, and return whether it could be asked.

        Source: cgroup-v2.rst, cgroup.kill.
        """
        for hierarchy, path in self._pods:
            if not hierarchy.controllers:
                try:
                    write_control(f"{path}/app-{app}/cgroup.kill", "1")
                except OSError:
                    continue
                return True
        return False


def _move_own(path: str, pid: int) -> None:
    """Move this process, or one that has its scheduling policy from it, into a directory.

    Raises: StartError for a real-time policy, where a cgroup has no time for such; OSError.
    Source: kernel Documentation/scheduler/sched-rt-group.rst; sched(7), SCHED_RESET_ON_FORK.
    """
    try:
        write_control(f"{path}/cgroup.procs", str(pid))
    except OSError as error:
        if error.errno == errno.EINVAL and os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
            why, hint = "has no time for a real-time process", "chrt --reset-on-fork keeps the policy from what it starts"
            raise StartError(f"cgroup {path}", why, hint) from None
        raise


def _list_devices(path: str) -> None:
    """Allow the devices, and to make any node, none of which can be opened. Raises: OSError.

    Source: kernel Documentation/admin-guide/cgroup-v1/devices.rst.
    """
    write_control(f"{path}/devices.deny", "a")
    for major, minor in _DEVICES:
        write_control(f"{path}/devices.allow", f"c {major}:{'*' if minor is None else minor} rw")
    for kind in "cb":
        write_control(f"{path}/devices.allow", f"{kind} *:* m")


def _filter_devices(path: str) -> None:
    from acstage1.linux.bpf import allow_devices  # hosts with cgroups of v1 need none

    allow_devices(path, _DEVICES)


def _hand_down(way: Sequence[str]) -> None:
    """Have each directory of *way* on cgroup2 hand its controllers down; one that is refused is missed by what would be set."""
    for path in way:
        if is_crowded(path):
            return  # some would be handed down, but to threads only: nothing could run below
        for name in read_control(f"{path}/cgroup.controllers").split():
            try:
                if name in _CONTROLLERS:
                    write_control(f"{path}/cgroup.subtree_control", f"+{name}")
            except OSError:
                continue


def _has(path: str, controller: str) -> bool:
    return controller in read_control(f"{path}/cgroup.controllers").split()


def _inherit_processors(path: str) -> None:
    """Give a directory of v1 the processors of the one above: nobody can join one that has none. Source: cpuset(7)."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        write_control(f"{path}/{name}", read_control(f"{os.path.dirname(path)}/{name}"))


def _write_setting(path: str, text: str) -> None:
    try:
        write_control(path.removesuffix("?"), text)
    except FileNotFoundError:
        if not path.endswith("?"):
            raise


def _read_count(path: str) -> int:
    counts = (line.partition(" ") for line in read_control(path).splitlines())
    return next((int(value) for name, _, value in counts if name == "oom_kill"), 0)


def join_app(paths: Iterable[str], app: str) -> None:
    """Move this process into the cgroups of an app that runs, given the pod's list of directories. Raises: OSError."""
    for path in paths:
        if os.path.basename(path) == f"app-{app}":
            _move_own(path, os.getpid())


def collect_cgroups(paths: Sequence[str]) -> str | None:
    """Kill what is left in a pod's directories and remove them; return one that could not be removed, or None. Raises: OSError."""
    return kill_and_remove(paths, [path for path in paths if os.path.basename(path).startswith("appc-")])
