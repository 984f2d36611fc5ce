"""The root file system of an app: in the app's own mount namespace while it runs, else in the layers that lie in the pod directory.

Nothing is mounted and no namespace of the pod is entered. The root of a running app is a directory descriptor that /proc gives,
from which the way goes on by descriptors, through no link; so it cannot lead out of what the app itself sees.

Source: proc_pid_root(5); pidfd_open(2); spec/pod-directory.md, Files and Locks.
"""

from __future__ import annotations

import os

from acrun.finding import get_state
from acrun.idmap import Owners
from acrun.layered import LayeredTree
from acrun.processes import find_process
from acrun.user_namespace import become_owner, find_root
from acspec.archive.open_directories import OPEN_DIRECTORY
from acspec.errors import BusyError, MissingInputError
from acspec.locks import open_locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from acrun.states import AppState, PodState
    from acspec.pods import Pods

# What is in these is no files: endless, or other at each look.
_KERNEL = frozenset(
    ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "debugfs", "tracefs", "bpf", "configfs", "pstore")
)


class AppRoot:
    """An app's root file system; used as a context manager. While it is open, nobody removes the pod, or starts it.

    `skipped` are the numbers of file systems that are the kernel's, `workspace` is a directory on the tree's own file system that
    the app does not see, None where there is no such place.
    """

    def __init__(
        self,
        state: PodState,
        app: AppState,
        tree: LayeredTree,
        *,
        lock: int = -1,
        is_live: bool = False,
        skipped: frozenset[int] = frozenset(),
    ) -> None:
        """Take over *tree*, and the descriptor *lock* that holds the pod's lock."""
        self.state = state
        self.app = app
        self.tree = tree
        self.skipped = skipped
        self.is_live = is_live
        self.workspace = None if is_live else os.path.join(state.path, "apps", app.name)
        self.owners = Owners(state.id_map)
        self._lock = lock

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.tree.close()
        if self._lock >= 0:
            os.close(self._lock)

    def check_writable(self, what: str) -> None:
        """Check that files may be put into it. Raises: BusyError for an app that has ended in a pod that runs."""
        if self.state.state == "running" and not self.is_live:
            raise BusyError(what, "the app has ended in a pod that runs: the kernel may still hold its files")


def open_root(pods: Pods, pod: str, app_name: str | None, spelling: tuple[str, str] = ("--app ", "")) -> AppRoot:
    """Return the root file system of an app of the pod that *pod* means; without a name, of the only one.

    *spelling* is what stands around a name when it is typed.
    An ordinary user's program begins anew, see `user_namespace`: nothing may have been done so far.

    Raises: MissingInputError when there is none (any more); BusyError; UsageError; OSError.
    Source: spec/pod-directory.md, Files.
    """
    _, state = get_state(pods, pod)
    app = state.get_app(app_name, spelling)
    what = state.name or state.uuid
    if state.state not in ("running", "exited", "prepared"):
        raise MissingInputError(what, f"is {state.state}")
    if state.state == "running":
        if (root := _find_live(state, app, what)) is not None:
            return root
        if not app.status:
            raise BusyError(what, f"its app {app.name} is just starting or ending")
        return AppRoot(state, app, _open_layers(state, app, what))
    lock = open_locked(state.path, shared=True)
    try:
        return AppRoot(state, app, _open_layers(state, app, what), lock=lock)
    except BaseException:
        os.close(lock)
        raise


def _find_live(state: PodState, app: AppState, what: str) -> AppRoot | None:
    """Return the root that the app's process has, None when that is gone."""
    process = find_process(state, app)
    if process is None:
        return None
    with process:
        root = find_root(process.pid)
        if root is None:
            try:
                root = os.open(f"/proc/{process.pid}/root", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except (FileNotFoundError, ProcessLookupError):
                return None
            if process.lives():
                become_owner(process.pid, root)
        try:
            skipped = _find_kernel_devices(process.pid)
        except (FileNotFoundError, ProcessLookupError):
            skipped = frozenset()
        if not process.lives():
            os.close(root)
            return None
    return AppRoot(state, app, LayeredTree([root], f"{what}:{app.name}"), is_live=True, skipped=skipped)


def _find_kernel_devices(pid: int) -> frozenset[int]:
    """Return the numbers of the kernel's own file systems in the mounts of a process. Source: proc_pid_mountinfo(5)."""
    found = set()
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split(" ")
            if fields[fields.index("-", 6) + 1] in _KERNEL:
                major, _, minor = fields[2].partition(":")
                found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)


def _open_layers(state: PodState, app: AppState, what: str) -> LayeredTree:
    become_owner()
    directory = os.path.join(state.path, "apps", app.name)
    names = [os.path.join(directory, "rootfs")] if app.backend == "copy" else [os.path.join(directory, "upper"), app.lower]
    layers: list[int] = []
    try:
        for name in names:
            layers.append(os.open(name, OPEN_DIRECTORY))  # noqa: PERF401 - what is open must be known when one fails
    except FileNotFoundError:
        for layer in layers:
            os.close(layer)
        raise MissingInputError(what, "its files went when it ended", "acrun run --keep keeps them") from None
    return LayeredTree(layers, f"{what}:{app.name}")
