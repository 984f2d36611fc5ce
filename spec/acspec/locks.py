"""Locks: flock on a directory or a file, released by the kernel whatever happens to the holder.

A lock belongs to the open file description: it survives exec and renames of the directory, and a child that
keeps the descriptor keeps the lock. Nothing here ever upgrades a lock, because a failed upgrade loses it.

Source: flock(2); spec/pod-directory.md, Locks.
"""

from __future__ import annotations

import fcntl
import os
import time

from acspec.errors import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_LOOKS, _LOOK_SECONDS = 50, 0.002


def open_locked(path: str, *, shared: bool = False, wait: bool = False, dir_fd: int | None = None) -> int:
    """Open *path* (a directory or a file, below *dir_fd*) and return a close-on-exec descriptor that holds its lock.

    The lock is exclusive unless *shared*. After locking, the descriptor is compared with what is at the path now: whoever
    held the lock before may have renamed or removed it.

    Raises: BusyError when somebody else holds it and *wait* is false; FileNotFoundError when it is gone; OSError.
    Source: spec/pod-directory.md, Locks.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        descriptor = os.open(path, _OPEN, dir_fd=dir_fd)
        try:
            fcntl.flock(descriptor, how)
            if _is_still(descriptor, path, dir_fd):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BusyError(path, "in use by another process") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def open_owned(path: str) -> int:
    """Open *path* as its owner: as `open_locked` does, but those that only look whether it is locked do not count as holders.

    Who holds a shared lock for longer than a tenth of a second does.

    Raises: BusyError when somebody else holds it; FileNotFoundError when it is gone; OSError.
    Source: spec/pod-directory.md, Locks.
    """
    for _ in range(_LOOKS):
        try:
            return open_locked(path)
        except BusyError:
            if is_locked(path):
                raise
        time.sleep(_LOOK_SECONDS)
    return open_locked(path)


def iterate_unlocked(paths: Iterable[str]) -> Iterator[str]:
    """Return those of *paths* that nobody holds, each locked until the next is asked for: what makers that were killed have left.

    Raises: OSError.
    Source: spec/pod-directory.md, Collection.
    """
    for path in paths:
        try:
            lock = open_locked(path)
        except (BusyError, FileNotFoundError):
            continue
        try:
            yield path
        finally:
            os.close(lock)


def _is_still(descriptor: int, path: str, dir_fd: int | None) -> bool:
    held = os.fstat(descriptor)
    try:
        named = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return held.st_nlink > 0 and (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)


def is_locked(path: str, *, dir_fd: int | None = None) -> bool:
    """Tell whether somebody holds an exclusive lock on *path*, by a shared lock held for an instant.

    Raises: FileNotFoundError when it is gone; OSError.
    Source: spec/pod-directory.md, Locks.
    """
    try:
        os.close(open_locked(path, shared=True, dir_fd=dir_fd))
    except BusyError:
        return True
    return False
