"""Names inside a rootfs that may be hostile: always resolved by the kernel as if the rootfs were `/`, always used by descriptor.

Whatever links an image holds, what is opened or made here lies inside its rootfs.

Source: openat2(2), RESOLVE_IN_ROOT; ace.md, Volume Setup.
"""

from __future__ import annotations

import errno
import os
import stat

from acstage1.linux.mounts import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, open_resolved

_RESOLVE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS


def open_in_root(root: int, path: str, flags: int = os.O_PATH) -> int:
    """Open *path* inside the rootfs at descriptor *root*. Raises: OSError.

    Source: openat2(2).
    """
    return open_resolved(root, path.lstrip("/") or ".", flags, _RESOLVE)


def open_plain(path: str, flags: int) -> int:
    """Open *path* from this process's own root, never through one of /proc's magic links, which lead out of any root.

    Raises: OSError, ELOOP for such a link.
    Source: openat2(2), RESOLVE_NO_MAGICLINKS.
    """
    return open_resolved(None, path, flags, RESOLVE_NO_MAGICLINKS)


def make_directory(root: int, path: str, ours: frozenset[int] = frozenset()) -> int:
    """Return an O_PATH descriptor of the directory *path*, made with its parents (0755, root) where it is missing.

    A file in its place gives way to a directory.

    Raises: OSError, ELOOP for a link that leads nowhere.
    Source: ace.md, Volume Setup: target paths.
    """
    allowed = ours | {mount_id(root)}
    current = os.dup(root)
    done = ""
    for part in _parts(path):
        done = f"{done}/{part}"
        try:
            following = open_in_root(root, done, os.O_PATH | os.O_DIRECTORY)
        except FileNotFoundError:
            _check_mount(current, allowed, done)
            following = _make(current, part, done)
        except NotADirectoryError:
            _check_mount(current, allowed, done)
            os.unlink(part, dir_fd=current)
            following = _make(current, part, done)
        os.close(current)
        current = following
    return current


def make_file(root: int, path: str, ours: frozenset[int] = frozenset()) -> int:
    """Return an O_PATH descriptor of the regular file *path*, made empty, with its parents, where it is missing.

    Raises: OSError, EISDIR when a directory is there.
    Source: ace.md, Volume Setup: single-file volumes.
    """
    parent, name = os.path.split("/" + "/".join(_parts(path)))
    directory = make_directory(root, parent, ours)
    try:
        try:
            descriptor = open_in_root(root, path)
        except FileNotFoundError:
            _check_mount(directory, ours | {mount_id(root)}, path)
            os.close(_create(directory, name))
            descriptor = open_in_root(root, path)
    finally:
        os.close(directory)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    return descriptor


def mount_id(descriptor: int) -> int:
    """Return the number of the mount that *descriptor* lies on. Raises: OSError. Source: proc_pid_fdinfo(5), mnt_id."""
    with open(f"/proc/self/fdinfo/{descriptor}", "rb") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(b"mnt_id:"))


def _check_mount(directory: int, allowed: frozenset[int], path: str) -> None:
    # A link of the image may lead into a volume that is mounted already: nothing is made or removed on the host.
    if mount_id(directory) not in allowed:
        raise OSError(errno.EXDEV, "leads into another volume, where nothing is made", path)


def write_missing(root: int, path: str, content: bytes) -> None:
    """Write a file that is not there yet; one that is there, or that cannot be made, stays as it is. Raises: nothing."""
    parent, name = os.path.split(path)
    try:
        directory = open_in_root(root, parent, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return
    try:
        _write_new(directory, name, content)
    except OSError:
        pass
    finally:
        os.close(directory)


def write_over(root: int, path: str, content: bytes) -> None:
    """Write a file with *content* in the place of whatever file or link is there, its directory made where it is missing.

    Raises: OSError, IsADirectoryError when a directory is there.
    """
    parent, name = os.path.split(path)
    directory = make_directory(root, parent)
    try:
        _check_mount(directory, frozenset({mount_id(root)}), path)
        try:
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path) from None
        _write_new(directory, name, content)
    finally:
        os.close(directory)


def _write_new(directory: int, name: str, content: bytes) -> None:
    descriptor = _create(directory, name)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _create(directory: int, name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=directory)


def holds_something(descriptor: int) -> bool:
    """Tell whether a directory (by an O_PATH descriptor) has entries. Raises: OSError."""
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
    try:
        with os.scandir(listing) as entries:
            return next(entries, None) is not None
    finally:
        os.close(listing)


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise OSError(errno.EINVAL, "a path with ..", path)
    return parts


def _make(parent: int, name: str, path: str) -> int:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        raise OSError(errno.ELOOP, "a symbolic link that leads nowhere", path) from None
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    os.chmod(f"/proc/self/fd/{descriptor}", 0o755)  # whatever the umask
    return descriptor
