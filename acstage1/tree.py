"""The file system of one app, as a list of operations: root, kernel file systems, devices, volumes, read-only at the end.

Built by pod init in its own mount namespace below its tmpfs, while the host's paths are still in reach.

Source: ace.md, Filesystem Setup and Volume Setup; OS-SPEC.md.
"""

from __future__ import annotations

import os

from acstage1.devices import make_node_target, mount_dev
from acstage1.kernelfs import MASKED, READ_ONLY, make_read_only, mask, mask_heat, mount_proc, mount_sys
from acstage1.linux.mounts import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_NODEV,
    attach,
    clone_tree,
    mount,
    set_attributes,
)
from acstage1.operations import Operation
from acstage1.volumes import mount_volume, open_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from acstage1.namefiles import NameFiles
    from acstage1.pod import App, Mount

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


# The socket of an app that says when it is ready: in /dev, which no volume hides and no image has.
NOTIFY_PATH = "/dev/notify"


class AppTree:
    """The tree of one app while it is built: where it stands, and the descriptor of its root once it is mounted."""

    def __init__(
        self, app: App, pod: int, place: str, nodes: str, memory: str | None, files: NameFiles, note: Callable[[str], None]
    ) -> None:
        """Build for *app* of the pod directory *pod* (a descriptor) on the directory *place*, with devices from *nodes*.

        *memory* is where the /dev/shm lies that the apps share, None when there is but one app.
        """
        self._app = app
        self._pod = pod
        self._place = place
        self._nodes = nodes
        self._memory = memory
        self._files = files
        self._note = note
        self._root = -1
        self._socket = -1
        self._sources: dict[Mount, int] = {}
        self._ours: set[int] = set()  # mounts of empty volumes, in which targets may be made

    def open_sources(self, kept: Container[str] = ()) -> list[Operation]:
        """Return the steps that open the volumes' sources: before anything is mounted that a recursive bind could bring along.

        *kept* are volumes whose sources are not in the pod directory, and are opened by `open_kept`.
        """
        steps = [self._open_source(item, self._pod) for item in self._app.mounts if item.volume.name not in kept]
        return [*steps, Operation("open the socket for notices", self._open_socket)] if self._app.notify else steps

    def open_kept(self, place: int, kept: Container[str]) -> list[Operation]:
        """Return the steps that open the volumes *kept*, which lie at the directory *place* as in a pod directory."""
        return [self._open_source(item, place) for item in self._app.mounts if item.volume.name in kept]

    def _open_socket(self) -> None:
        path = f"apps/{self._app.name}/notify"
        origin = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._pod)
        self._socket = clone_tree(origin, recursive=False, path=path)
        os.close(origin)
        # Read-only: what is sent is no change of the file, and its owner and mode are ours.
        attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
        set_attributes(self._socket, attributes, recursive=False, path=path)

    def _open_source(self, item: Mount, place: int) -> Operation:
        def action() -> None:
            self._sources[item] = open_source(item, place)

        return Operation(f"open volume {item.volume.name}", action)

    def operations(self) -> list[Operation]:
        """Return the steps in their order. Source: ace.md, Filesystem Setup; OS-SPEC.md."""
        return [Operation(f"mount {self._app.backend} as root", self.mount_root), *self._furnish()]

    def operations_on(self, place: str) -> list[Operation]:
        """Return the steps for a root that was detached elsewhere, to be built on *place*."""
        return [
            Operation("attach the root", lambda: self._attach_root(place)),
            *self._furnish(),
        ]

    def _furnish(self) -> list[Operation]:
        app = self._app
        steps = [
            Operation("mount proc on /proc", lambda: self._on("proc", mount_proc)),
            Operation("mount sysfs on /sys", lambda: self._on("sys", mount_sys)),
            Operation("mount tmpfs on /dev", lambda: self._on("dev", self._mount_dev)),
            *([Operation(f"mount the socket for notices on {NOTIFY_PATH}", self._mount_socket)] if app.notify else []),
            *(self._mask(path) for path in MASKED),
            Operation("mask the heat of processors", lambda: mask_heat(self._root)),
            *(self._protect(path) for path in READ_ONLY),
            Operation("write files for names", lambda: self._files.write(self._root)),
            *(self._volume(item) for item in app.mounts),
        ]
        if app.read_only_rootfs:
            steps.append(Operation("make the root read-only", self._make_read_only))
        return [*steps, Operation("close the root", lambda: os.close(self._root))]

    def _mask(self, path: str) -> Operation:
        return Operation(f"mask {path}", lambda: mask(self._root, path, os.path.join(self._nodes, "null")))

    def _protect(self, path: str) -> Operation:
        return Operation(f"make {path} read-only", lambda: make_read_only(self._root, path))

    def _volume(self, item: Mount) -> Operation:
        text = f"mount volume {item.volume.name} on {item.path}"
        return Operation(text, lambda: mount_volume(self._root, item, self._sources[item], self._ours, self._note))

    def mount_root(self) -> None:
        """Mount the root on its place. Raises: OSError."""
        if self._app.backend == "overlay":
            self._mount_overlay()
        else:
            self._mount_copy()
        self._root = os.open(self._place, _DIRECTORY)

    def detach_root(self) -> None:
        """Keep the mounted root, without anything in it, as a descriptor that leads nowhere else. Raises: OSError."""
        detached = clone_tree(self._root, recursive=False, path=self._place)
        os.close(self._root)
        self._root = detached

    def _attach_root(self, place: str) -> None:
        target = os.open(place, _DIRECTORY)
        attach(self._root, target, place)
        for descriptor in (target, self._root):
            os.close(descriptor)
        self._root = os.open(place, _DIRECTORY)

    def _mount_overlay(self) -> None:
        # Layers are named by descriptor: a path of any length, with colons and commas in it, would do no harm.
        lower = os.open(self._app.lower or "", _DIRECTORY)
        upper = os.open(f"apps/{self._app.name}/upper", _DIRECTORY, dir_fd=self._pod)
        work = os.open(f"apps/{self._app.name}/work", _DIRECTORY, dir_fd=self._pod)
        layers = f"lowerdir=/proc/self/fd/{lower},upperdir=/proc/self/fd/{upper},workdir=/proc/self/fd/{work}"
        try:
            mount("overlay", self._place, "overlay", MS_NODEV, layers + self._app.ids.overlay_options)
        finally:
            for descriptor in (lower, upper, work):
                os.close(descriptor)

    def _mount_copy(self) -> None:
        copy = os.open(f"apps/{self._app.name}/rootfs", _DIRECTORY, dir_fd=self._pod)
        place = os.open(self._place, _DIRECTORY)
        tree = clone_tree(copy, recursive=False, path="rootfs")
        set_attributes(tree, MOUNT_ATTR_NODEV, recursive=False, path="rootfs")
        attach(tree, place, self._place)
        for descriptor in (copy, place, tree):
            os.close(descriptor)

    def _on(self, name: str, action: Callable[[int], None]) -> None:
        """Call *action* with the directory *name* at the top of the rootfs, made where there is none or something else."""
        try:
            target = os.open(name, _DIRECTORY, dir_fd=self._root)
        except OSError:
            if _exists(name, self._root):
                os.unlink(name, dir_fd=self._root)  # a link or a file: in the app's own layer, a directory takes its place
            os.mkdir(name, 0o755, dir_fd=self._root)
            target = os.open(name, _DIRECTORY, dir_fd=self._root)
        try:
            action(target)
        finally:
            os.close(target)

    def _mount_dev(self, target: int) -> None:
        mount_dev(self._root, self._nodes, target, self._app.ids.terminal_options, self._memory)

    def _mount_socket(self) -> None:
        target = make_node_target(self._root, NOTIFY_PATH)
        attach(self._socket, target, NOTIFY_PATH)
        for descriptor in (target, self._socket):
            os.close(descriptor)

    def _make_read_only(self) -> None:
        # The descriptor was opened on the mounted root, so it names that mount and none of those inside it.
        set_attributes(self._root, MOUNT_ATTR_RDONLY, recursive=False, path="/")


def _exists(name: str, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
