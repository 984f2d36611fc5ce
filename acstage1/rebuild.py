"""The clean copy that an app is started from again: its root and all that is mounted in it, made anew while the pod runs.

Pod init has nothing of the host that it could build from, and gets nothing. Three processes of the monitor's do it, one after
another: the first kills what is left of the app and lays out the new layers; the second, with the host's files in reach and in
namespaces of its own, mounts the new root and takes it, the volumes and the devices along as descriptors into the pod's namespaces;
the third, which is in the pod and has no other way to the host, builds there as init did and puts the finished tree in the place of
the old. Each dies with the one before it. No mount is made on the host.

Source: ace.md, Filesystem Setup ("Every execution of an app MUST start from a clean copy"); spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os
from errno import EINVAL

from acspec.descriptors import close_all_but
from acspec.durable import remove_tree
from acspec.execution import copy_attributes, copy_command
from acspec.ownership import is_root
from acstage1.cgroupfs import kill_all
from acstage1.devices import SHARED_MEMORY, make_source_nodes
from acstage1.errors import StartError
from acstage1.linux.mounts import MS_NODEV, MS_NOEXEC, MS_NOSUID, attach, clone_tree, make_all_private, mount, unmount_detached
from acstage1.linux.namespaces import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS, unshare
from acstage1.linux.security import die_with_parent, forbid_inspection
from acstage1.linux.signals import SIG_DFL, SIGKILL, SIGTERM, set_wakeup_fd, signal
from acstage1.namefiles import NameFiles
from acstage1.reports import Failure, describe_failure, read_failure, write_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from acstage1.pod import App, PodDirectory
    from acstage1.pod_namespaces import PodNamespaces
    from acstage1.tree import AppTree

STEP = "make a clean copy"
# Where the builder works, in a mount namespace of its own: directories that pod init's root has for it.
SCRATCH, PROC = "/dev", "/proc"
NODES = f"{SCRATCH}/nodes"

_HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC
_JOINED = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_LAYERS = {"overlay": ("upper", "work"), "copy": ("rootfs",)}
_OLD = ".old"


class Rebuilding:
    """A clean copy in the making; its descriptor is at its end when it is made, or has failed."""

    __slots__ = ("_pid", "_report")

    def __init__(self, pid: int, report: int) -> None:
        self._pid = pid
        self._report = report

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self._report

    def finish(self) -> Failure | None:
        """Wait for the end and return what went wrong, or None. Raises: OSError."""
        data = b""
        while chunk := os.read(self._report, 8192):
            data += chunk
        os.close(self._report)
        _, status = os.waitpid(self._pid, 0)
        if data:
            return read_failure(data)
        return Failure(STEP, 125, "", "was killed") if status else None

    def cancel(self) -> None:
        """Kill those at work and wait until they are gone. Raises: OSError."""
        os.kill(self._pid, SIGKILL)
        self.finish()


def start_rebuilding(
    pod: PodDirectory, app: App, namespaces: PodNamespaces, cgroups: Sequence[str], mark: int | None
) -> Rebuilding:
    """Begin to make a clean copy for *app*, none of whose processes is to live on.

    *namespaces* are the pod's; *cgroups* and *mark* are the app's.

    Raises: OSError.
    Source: spec/stage1.md, Restarts.
    """
    report, end = os.pipe2(os.O_CLOEXEC)
    monitor = os.getpid()
    pid = os.fork()
    if pid == 0:
        set_wakeup_fd(-1)
        signal(SIGTERM, SIG_DFL)
        close_all_but({end, *namespaces.descriptors()})  # above all not the lock, and not the lifeline
        _guard(end, monitor, lambda: _lay_out(pod, app, namespaces, cgroups, mark, end))
    os.close(end)
    return Rebuilding(pid, report)


def _guard(report: int, parent: int | None, action: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        die_with_parent(SIGKILL)
        if parent in (None, os.getppid()):
            action()
            code = 0
    except BaseException as error:
        write_failure(report, describe_failure(STEP, error))
    finally:
        os._exit(code)


def _in_child(report: int, parent: int | None, action: Callable[[], None]) -> bool:
    """Call *action* in a child, which dies with this process and reports by itself; return whether it went well."""
    pid = os.fork()
    if pid == 0:
        _guard(report, parent, action)
    return os.waitpid(pid, 0)[1] == 0


def _lay_out(pod: PodDirectory, app: App, namespaces: PodNamespaces, cgroups: Sequence[str], mark: int | None, report: int) -> None:
    """Kill what is left of the app, put its layers aside, make new ones, have the tree built, remove the old layers."""
    # Not imported before it is needed: most pods never start an app again.
    from acstage1.tree import AppTree

    me = os.getpid()
    kill_all(cgroups)
    if not pod.ids.is_host and not _in_child(report, me, lambda: _reach_in(namespaces, mark, report)):
        os._exit(1)
    place = os.path.join(pod.path, "apps", app.name)
    layers = [os.path.join(place, name) for name in _LAYERS[app.backend]]
    for layer in layers:
        _remove(layer + _OLD)
        os.rename(layer, layer + _OLD)
    if app.backend == "copy":
        if not _in_child(report, me, lambda: _copy(app.lower or "", layers[0])):
            raise StartError(app.lower or "", "the tree could not be copied")
    else:
        for layer in layers:
            os.mkdir(layer, 0o700)
        copy_attributes(app.lower or "", layers[0])
    if not _in_child(report, me, lambda: _carry(pod, app, namespaces, report, AppTree)):
        os._exit(1)
    for layer in layers:
        _remove(layer + _OLD)


def _reach_in(namespaces: PodNamespaces, mark: int | None, report: int) -> None:
    """Kill what is left of the app from inside the pod, where no cgroup need tell of it."""
    from acstage1.leftovers import kill_left

    _become_root(namespaces)
    namespaces.join(CLONE_NEWNS | CLONE_NEWPID)
    if not _in_child(report, None, lambda: kill_left(mark)):
        os._exit(1)


def _become_root(namespaces: PodNamespaces) -> None:
    """Join the user namespace of a pod, which makes this process one that all of the pod could see, and that dies by itself."""
    parent = os.getppid()
    namespaces.join(CLONE_NEWUSER)
    forbid_inspection()
    die_with_parent(SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _remove(path: str) -> None:
    if os.path.lexists(path):
        remove_tree(path)


def _copy(source: str, target: str) -> None:
    words = copy_command(source, target, as_owner=not is_root())
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.execvp(words[0], words)


def _carry(pod: PodDirectory, app: App, namespaces: PodNamespaces, report: int, make_tree: type[AppTree]) -> None:
    """Mount root and volumes where the host's files are in reach, then leave those for the pod's namespaces, and have it built."""
    forbid_inspection()  # before any process of the pod can see this one
    if not pod.ids.is_host:
        _become_root(namespaces)
    unshare(CLONE_NEWNS)
    make_all_private()
    directory = os.open(pod.path, _DIRECTORY)
    files, memory = NameFiles(pod.hostname, pod.files), SHARED_MEMORY if pod.shares_memory else None
    tree = make_tree(app, directory, pod.path, NODES, memory, files, lambda _text: None)
    for operation in tree.open_sources(pod.kept):
        operation.apply()
    nodes = _make_nodes(pod.path)
    tree.mount_root()
    tree.detach_root()
    os.close(directory)
    namespaces.join(_JOINED)
    for operation in tree.open_kept(os.open("/", _DIRECTORY), pod.kept):
        operation.apply()
    if not _in_child(report, None, lambda: _build(app.name, tree, nodes, namespaces)):
        os._exit(1)


def _make_nodes(place: str) -> int:
    """Return device nodes as a detached mount, made on *place*, where nobody else sees it. Raises: OSError."""
    mount("tmpfs", place, "tmpfs", _HARMLESS, "mode=755,size=64k")
    directory = f"{place}/nodes"
    make_source_nodes(directory)
    return clone_tree(os.open(directory, _DIRECTORY), recursive=True, path=directory)


def _build(app: str, tree: AppTree, nodes: int, namespaces: PodNamespaces) -> None:
    """Build the tree in the pod, out of sight of everybody, and put it in the place of the old one."""
    unshare(CLONE_NEWNS)
    mount("tmpfs", SCRATCH, "tmpfs", _HARMLESS, "mode=755,size=1m")
    mount("proc", PROC, "proc", _HARMLESS)
    place = f"{SCRATCH}/root"
    for directory in (place, NODES):
        os.mkdir(directory, 0o755)
    attach(nodes, os.open(NODES, _DIRECTORY), NODES)
    for operation in tree.operations_on(place):
        operation.apply()
    descriptor = os.open(place, _DIRECTORY)
    built = clone_tree(descriptor, recursive=True, path=place)
    namespaces.join(CLONE_NEWNS)
    target = f"/apps/{app}"
    try:
        unmount_detached(target)
    except OSError as error:
        if error.errno != EINVAL:  # there is none when an earlier attempt ended just here
            raise
    attach(built, os.open(target, _DIRECTORY), target)
