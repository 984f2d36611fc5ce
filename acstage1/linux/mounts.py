"""Mounts: by path with mount(2), and as descriptors with the calls of 2019 and after, which never look a name up twice.

Source: mount(2), open_tree(2), move_mount(2), mount_setattr(2), openat2(2), umount2(2); numbers from asm/unistd.h, which are the
same on every architecture for calls of Linux 5.2 and later.
"""

from __future__ import annotations

import ctypes
import os
import sys

from acstage1.linux.libc import AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, syscall

_X86_64 = os.uname().machine == "x86_64"
_SYS_MOUNT = 165 if _X86_64 else 40
_SYS_UMOUNT2 = 166 if _X86_64 else 39
_SYS_FSTATFS = 138 if _X86_64 else 44
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_SYS_OPENAT2 = 437
_SYS_MOUNT_SETATTR = 442

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_IN_ROOT = 0x10

_OPEN_TREE_CLONE = 0x1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 0x4
_MOVE_MOUNT_T_EMPTY_PATH = 0x40
# So often at most: on a machine that renames without a pause, one of two hundred tries is in vain.
_RESOLUTIONS = 1000


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Mount a file system of type *kind* on *target*. Raises: OSError.

    Source: mount(2).
    """
    syscall("mount", _SYS_MOUNT, os.fsencode(source), os.fsencode(target), kind.encode(), flags, data.encode() or None, path=target)


def make_all_private() -> None:
    """Cut every mount of this namespace off from the host's: nothing comes in, nothing goes out. Raises: OSError.

    Source: mount_namespaces(7), MS_PRIVATE.
    """
    syscall("mount", _SYS_MOUNT, None, b"/", None, MS_REC | MS_PRIVATE, None, path="/")


def unmount_detached(target: str) -> None:
    """Take *target* and all below it out of the tree at once. Raises: OSError.

    Source: umount2(2), MNT_DETACH.
    """
    syscall("umount2", _SYS_UMOUNT2, os.fsencode(target), MNT_DETACH, path=target)


def clone_tree(descriptor: int, *, recursive: bool, path: str) -> int:
    """Return a descriptor of a detached copy of the mount at *descriptor*; *path* names it in errors. Raises: OSError.

    Source: open_tree(2), OPEN_TREE_CLONE.
    """
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    return syscall("open_tree", _SYS_OPEN_TREE, descriptor, b"", flags, path=path)


def set_attributes(tree: int, attributes: int, *, recursive: bool, path: str) -> None:
    """Set MOUNT_ATTR_* flags on the mount at descriptor *tree*, and on all below it when *recursive*. Raises: OSError.

    Source: mount_setattr(2).
    """
    request = _MountAttr(attributes, 0, MS_PRIVATE, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    size = ctypes.sizeof(request)
    syscall("mount_setattr", _SYS_MOUNT_SETATTR, tree, b"", flags, ctypes.byref(request), size, path=path)


def attach(tree: int, target: int, path: str) -> None:
    """Attach the detached mount *tree* on what descriptor *target* is; *path* names it in errors. Raises: OSError.

    Source: move_mount(2).
    """
    flags = _MOVE_MOUNT_F_EMPTY_PATH | _MOVE_MOUNT_T_EMPTY_PATH
    syscall("move_mount", _SYS_MOVE_MOUNT, tree, b"", target, b"", flags, path=path)


def file_system(descriptor: int) -> int:
    """Return the magic number of the file system that *descriptor* is on. Raises: OSError.

    Source: fstatfs(2), f_type.
    """
    buffer = ctypes.create_string_buffer(256)
    syscall("fstatfs", _SYS_FSTATFS, descriptor, ctypes.byref(buffer))
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder)


def open_resolved(directory: int | None, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Open *path* below *directory* (None: the working directory) under RESOLVE_* rules; close-on-exec. Raises: OSError.

    Below a root, the kernel gives up at `..` when anything on the machine is renamed or mounted meanwhile: then it is asked again.

    Source: openat2(2), EAGAIN.
    """
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    start = AT_FDCWD if directory is None else directory
    for _ in range(_RESOLUTIONS):
        try:
            return _open(start, path, how)
        except BlockingIOError:
            continue
    return _open(start, path, how)


def _open(start: int, path: str, how: _OpenHow) -> int:
    return syscall("openat2", _SYS_OPENAT2, start, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how), path=path)
