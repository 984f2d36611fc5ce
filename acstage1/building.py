"""The steps by which pod init leaves the host and builds the apps' trees.

Each is a value that says what it does, so that a failure is told by its name and `--debug` shows it.

Source: spec/stage1.md, Pod init; pivot_root(2); mount_namespaces(7).
"""

from __future__ import annotations

import os

from acstage1 import reports
from acstage1.devices import SHARED_MEMORY, make_source_nodes, mount_memory
from acstage1.kept_volumes import KeptVolumes
from acstage1.linux.mounts import (
    MOUNT_ATTR_RDONLY,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    make_all_private,
    mount,
    set_attributes,
    unmount_detached,
)
from acstage1.linux.namespaces import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUTS,
    bring_loopback_up,
    pivot_root_here,
    set_hostname,
    unshare,
)
from acstage1.linux.security import die_with_parent, forbid_inspection, name_command_line
from acstage1.linux.signals import SIGKILL
from acstage1.namefiles import NameFiles
from acstage1.operations import Operation
from acstage1.tree import AppTree
from acstage1.volumes import mount_limited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.jsontext import JSONValue
    from acstage1.context import InitContext
    from acstage1.pod import App
    from acstage1.sockets import Socket

# Where each app's tree is, seen from init's root.
APPS = "/apps"

_HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC
_NODES = "/dev"


def build_pod(context: InitContext, step: list[str]) -> None:
    """Carry out all steps, with the name of the present one in *step*.

    Raises: ToolError; OSError.
    Source: spec/stage1.md, Pod init.
    """
    pod_path, hostname = context.pod.path, context.pod.hostname

    def note(text: str) -> None:
        context.channel.send(reports.NOTE, text)

    step[0] = "map ids"
    context.pod.ids.fill()
    context.pod.ids.limit_processes(context.pod.pids_limit)
    step[0] = "leave the host's namespaces"
    unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
    make_all_private()
    # Opened here: a descriptor from the namespace we left could not be mounted from.
    pod = os.open(pod_path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    nodes = pod_path + _NODES
    memory = pod_path + SHARED_MEMORY if context.pod.shares_memory else None
    files = NameFiles(hostname, context.pod.files)
    kept = KeptVolumes(pod_path, context.pod.kept)
    trees = {app.name: AppTree(app, pod, f"{pod_path}{APPS}/{app.name}", nodes, memory, files, note) for app in context.pod.apps}
    steps = [
        Operation("bring lo up", bring_loopback_up),
        *(_listen(context, app, item) for app in context.pod.apps for item in app.sockets if not item.is_host),
        Operation(f"set the host name to {hostname}", lambda: set_hostname(hostname)),
        *_set_parameters(context.pod.isolators),
        Operation("become uninspectable", forbid_inspection),
        # The monitor's, which init inherits, says where on the host the pod lies, and apps can read it.
        Operation("show a command line of its own", lambda: name_command_line(b"acstage1 init")),
        Operation("watch the monitor", lambda: die_with_parent(SIGKILL)),
        *(_limit_volume(pod_path, name, size) for name, size in context.pod.sizes.items()),
        *kept.open(),
        *(_named(name, step) for name, tree in trees.items() for step in tree.open_sources()),
        # Only this namespace sees it: the pod directory's own place, which init needs by descriptor alone from here on.
        Operation("mount a tmpfs for init", lambda: mount("tmpfs", pod_path, "tmpfs", _HARMLESS, "mode=755,size=1m")),
        Operation("make device nodes", lambda: make_source_nodes(nodes)),
        *_share_memory(memory),
        Operation("make a place for the /proc of restarts", lambda: os.mkdir(f"{pod_path}/proc", 0o555)),
        *kept.keep(),
    ]
    for name, tree in trees.items():
        steps.append(_make_place(name, f"{pod_path}{APPS}/{name}"))
        steps += [_named(name, operation) for operation in tree.operations()]
    steps += [
        # Apps have binds of the nodes. No file system on which a device could be opened stays where init could be led to.
        Operation("let go of the device nodes", lambda: unmount_detached(nodes)),
        Operation("close the pod directory", lambda: os.close(pod)),
        Operation("wait for the cgroups", lambda: _wait(context.gate)),
        *_prepare_restarts(context),
        Operation("leave the host's cgroup namespace", lambda: unshare(CLONE_NEWCGROUP)),
        Operation("leave the host's files", lambda: pivot_root_here(pod_path)),
        Operation("make init's root read-only", _make_root_read_only),
    ]
    for operation in steps:
        step[0] = operation.describe()
        if context.debug:
            note(step[0])
        operation.apply()


def _prepare_restarts(context: InitContext) -> list[Operation]:
    """Return the steps for what restarts in an ordinary user's pod need: the way in, and marks where there are several apps."""
    if context.pod.ids.is_host or not context.pod.restarts:
        return []
    from acstage1.app_marks import AppMarks
    from acstage1.pod_namespaces import open_namespaces

    marks = context.marks = AppMarks()
    several = [app.name for app in context.pod.apps] if len(context.pod.apps) > 1 else []
    return [
        Operation("open the namespaces for restarts", lambda: context.namespaces.extend(open_namespaces())),
        Operation("mark the apps", lambda: marks.make(several)),
    ]


def _listen(context: InitContext, app: App, item: Socket) -> Operation:
    def listen() -> None:
        context.sockets[item] = item.open()

    return Operation(f"{app.name}: listen on port {item.port}", listen)


def _make_root_read_only() -> None:
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    set_attributes(root, MOUNT_ATTR_RDONLY, recursive=False, path="/")
    os.close(root)


def _set_parameters(isolators: Sequence[JSONValue]) -> list[Operation]:
    if not isolators:
        return []
    from acstage1.sysctls import find_parameters

    return [Operation(f"set {parameter.name}", parameter.apply) for parameter in find_parameters(isolators)]


def _make_place(app: str, place: str) -> Operation:
    return Operation(f"make a place for {app}", lambda: os.makedirs(place))


def _share_memory(place: str | None) -> list[Operation]:
    return [] if place is None else [Operation("mount the memory that the apps share", lambda: mount_memory(place))]


def _limit_volume(pod_path: str, name: str, size: int) -> Operation:
    return Operation(f"mount a tmpfs for volume {name}", lambda: mount_limited(f"{pod_path}/volumes/{name}", size))


def _named(app: str, operation: Operation) -> Operation:
    return Operation(f"{app}: {operation.describe()}", operation.apply)


def _wait(gate: int) -> None:
    """Wait until the monitor has moved this process into its cgroups; when it is gone instead, so are we."""
    if os.read(gate, 1) != b"+":
        os._exit(0)
    os.close(gate)
