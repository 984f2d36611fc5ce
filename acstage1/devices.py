"""/dev of an app: exactly the devices of OS-SPEC.md, on a tmpfs where no other device can be opened.

The tmpfs is nodev; each device is a bind of a node on pod init's own tmpfs. So an app that may mknod makes nodes that nobody can
open, with or without a device controller.

Source: OS-SPEC.md, Devices and File Systems.
"""

from __future__ import annotations

import os
import stat
from errno import ENODEV

from acstage1.inroot import make_file, mount_id, open_in_root
from acstage1.linux.mounts import (
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    attach,
    clone_tree,
    mount,
    set_attributes,
)

NODES = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0),
}  # fmt: skip

# Where the /dev/shm that several apps share lies in init's root.
SHARED_MEMORY = "/shm"
_SHM = "/dev/shm"  # noqa: S108 - the app's own, or its pod's
_MEMORY_FLAGS, _MEMORY = MS_NOSUID | MS_NODEV, "mode=1777,size=64m"

_LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}  # fmt: skip


def make_source_nodes(directory: str) -> None:
    """Make the device nodes that apps get a bind of in *directory*, on a tmpfs of its own, the only one that allows devices.

    Raises: OSError.
    Source: OS-SPEC.md; null(4), full(4), random(4), tty(4).
    """
    os.mkdir(directory, 0o755)
    mount("tmpfs", directory, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k")
    for name, (major, minor) in NODES.items():
        path = os.path.join(directory, name)
        try:
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            os.chmod(path, 0o666)
        except PermissionError:  # in a user namespace nobody makes devices: the host's own serve as well
            _borrow_node(f"/dev/{name}", path, os.makedev(major, minor))


def _borrow_node(source: str, path: str, device: int) -> None:
    """Bind the device *source* of the host on the new file *path*, when it is what its name says. Raises: OSError."""
    status = os.stat(source, follow_symlinks=False)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != device:
        raise OSError(ENODEV, "is not the device of that name", source)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        bind_file(source, target, path)
    finally:
        os.close(target)


def mount_memory(target: str) -> None:
    """Make the directory *target* and mount on it what is to be /dev/shm of several apps. Raises: OSError.

    Source: OS-SPEC.md; shm_overview(7); docs/decisions, shared memory.
    """
    os.mkdir(target, 0o755)
    mount("tmpfs", target, "tmpfs", _MEMORY_FLAGS, _MEMORY)


def mount_dev(root: int, source: str, target: int, terminals: str, memory: str | None) -> None:
    """Make /dev of the rootfs at descriptor *root* on the directory *target*, with devices from the directory *source*.

    *terminals* are further options for the file system of pseudo-terminals. What `mount_memory` has made at *memory* is /dev/shm;
    without it the app has one of its own.

    Raises: OSError.
    Source: OS-SPEC.md.
    """
    mount("tmpfs", f"/proc/self/fd/{target}", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=64k")
    for name in NODES:
        _bind_node(root, os.path.join(source, name), f"/dev/{name}")
    # There is no console but the pod's output; what would be written to the host's console is not.
    _bind_node(root, os.path.join(source, "null"), "/dev/console")
    directory = open_in_root(root, "/dev", os.O_PATH | os.O_DIRECTORY)
    try:
        for name, link in _LINKS.items():
            os.symlink(link, name, dir_fd=directory)
        for name in ("pts", "shm", "mqueue"):
            os.mkdir(name, 0o755, dir_fd=directory)
    finally:
        os.close(directory)
    _mount_below(root, "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, f"newinstance,ptmxmode=0666,mode=0620{terminals}")
    if memory is None:
        _mount_below(root, _SHM, "tmpfs", _MEMORY_FLAGS, _MEMORY)
    else:
        _bind_below(root, _SHM, memory)
    _mount_below(root, "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, "")


def bind_file(source: str, target: int, path: str) -> None:
    """Bind the one file *source* on what descriptor *target* is; *path* names it in errors. Raises: OSError."""
    origin = os.open(source, os.O_PATH | os.O_CLOEXEC)
    try:
        tree = clone_tree(origin, recursive=False, path=source)
        try:
            set_attributes(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, recursive=False, path=source)
            attach(tree, target, path)
        finally:
            os.close(tree)
    finally:
        os.close(origin)


def _bind_node(root: int, source: str, path: str) -> None:
    target = make_node_target(root, path)
    try:
        bind_file(source, target, path)
    finally:
        os.close(target)


def make_node_target(root: int, path: str) -> int:
    """Return a descriptor of the new file *path* in /dev of the rootfs at descriptor *root*, to mount on. Raises: OSError."""
    directory = open_in_root(root, "/dev", os.O_PATH | os.O_DIRECTORY)
    try:
        return make_file(root, path, frozenset({mount_id(directory)}))
    finally:
        os.close(directory)


def _bind_below(root: int, path: str, source: str) -> None:
    origin = os.open(source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    target = open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    tree = clone_tree(origin, recursive=False, path=source)
    attach(tree, target, path)
    for descriptor in (origin, target, tree):
        os.close(descriptor)


def _mount_below(root: int, path: str, kind: str, flags: int, data: str) -> None:
    target = open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    try:
        mount(kind, f"/proc/self/fd/{target}", kind, flags, data)
    finally:
        os.close(target)
