"""Volumes on their targets: sources opened without following a link, targets made inside the rootfs.

A volume is nosuid and nodev, and read-only all the way down when it is read-only.

Source: ace.md, Volume Setup; pods.md, volumes.
"""

from __future__ import annotations

import errno
import os
import stat

from acspec.execution import may_hold_mount
from acstage1.inroot import holds_something, make_directory, make_file, mount_id, open_in_root
from acstage1.linux.mounts import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_NODEV,
    MS_NOSUID,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    attach,
    clone_tree,
    mount,
    open_resolved,
    set_attributes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acstage1.pod import Mount


_PAGE = os.sysconf("SC_PAGESIZE")
_SPARE_INODES = 64


def mount_limited(place: str, size: int) -> None:
    """Mount a tmpfs of *size* bytes on the directory of an empty volume, whose mode and owner it takes. Raises: OSError.

    Its inodes are limited, too, as each takes memory of the kernel's: to as many as full pages fit in, and some directories.

    Source: tmpfs(5), size, nr_inodes.
    """
    status = os.stat(place, follow_symlinks=False)
    options = f"size={size},nr_inodes={size // _PAGE + _SPARE_INODES},mode={stat.S_IMODE(status.st_mode):o}"
    mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, f"{options},uid={status.st_uid},gid={status.st_gid}")


def open_source(item: Mount, pod: int) -> int:
    """Return the source of a volume as a detached mount with its attributes set; *pod* is a descriptor of the pod directory.

    Raises: OSError; ELOOP when a part of the path is a symbolic link.
    Source: ace.md, Volume Setup: symbolic links.
    """
    volume = item.volume
    directory, path = (None, volume.source) if volume.kind == "host" else (pod, f"volumes/{volume.name}")
    origin = open_resolved(directory, path, os.O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    try:
        tree = clone_tree(origin, recursive=volume.recursive, path=volume.source)
    finally:
        os.close(origin)
    attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (MOUNT_ATTR_RDONLY if item.read_only else 0)
    set_attributes(tree, attributes, recursive=True, path=volume.source)
    return tree


def _has_content(root: int, path: str) -> bool:
    try:
        descriptor = open_in_root(root, path)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        return holds_something(descriptor) if stat.S_ISDIR(status.st_mode) else status.st_size > 0
    finally:
        os.close(descriptor)


def _check_place(root: int, target: int, path: str) -> None:
    """Check that *target* may hold a mount, whatever links of the image led there. Raises: OSError."""
    outer, inner = (os.readlink(f"/proc/self/fd/{descriptor}") for descriptor in (root, target))
    if not may_hold_mount(tuple(part for part in inner[len(outer) :].split("/") if part)):
        raise OSError(errno.EPERM, "nothing may be mounted there", path)


def mount_volume(root: int, mount: Mount, tree: int, ours: set[int], note: Callable[[str], None]) -> None:
    """Mount *tree*, a volume's detached mount, on its target in the rootfs at descriptor *root*; *note* hears of content it hides.

    Raises: OSError.
    Source: ace.md, Volume Setup: target paths.
    """
    try:
        is_directory = stat.S_ISDIR(os.fstat(tree).st_mode)
        if _has_content(root, mount.path):
            note(f"volume {mount.volume.name} hides what the image has at {mount.path}")
        make = make_directory if is_directory else make_file
        target = make(root, mount.path, frozenset(ours))
        try:
            _check_place(root, target, mount.path)
            attach(tree, target, mount.path)
            if mount.volume.kind == "empty":
                ours.add(mount_id(tree))
        finally:
            os.close(target)
    finally:
        os.close(tree)
