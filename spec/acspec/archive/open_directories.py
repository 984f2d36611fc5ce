"""Directories of a tree, opened one component at a time from its root, never through a link.

A few descriptors are kept for the directories used last; depth costs none. What stands in the way of a directory is
replaced by one.

Source: openat(2); ace.md, Filesystem Setup ("the link MUST NOT be followed and it MUST be removed").
"""

from __future__ import annotations

import errno
import os
import resource
from collections import OrderedDict
from collections.abc import Callable

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST = 64


def _make_none(_: bytes) -> None:
    raise AssertionError("a directory was made where there was only to be looked")


class OpenDirectories:
    """Open directories by their path below a root descriptor, which is the caller's; `close` must be called."""

    __slots__ = ("_implied", "_limit", "_open", "_root")

    def __init__(self, root: int, implied: Callable[[bytes], None] = _make_none) -> None:
        """Start at *root*; *implied* is told the path of each directory that had to be made on the way, without it none is made."""
        self._root = root
        self._implied = implied
        self._open: OrderedDict[bytes, int] = OrderedDict()
        self._limit = max(4, min(_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4))

    def get(self, path: bytes) -> int:
        """Return a descriptor of the directory *path*, made with mode 0700 where it is not there. Raises: OSError.

        It is valid until the next call.
        """
        if not path:
            return self._root
        if (descriptor := self._open.get(path)) is not None:
            self._open.move_to_end(path)
            return descriptor
        return self._walk(path, make=True)

    def find(self, path: bytes) -> int | None:
        """Return a descriptor of the directory *path* like `get`, or None when there is none. Raises: OSError."""
        try:
            return self._walk(path, make=False) if path else self._root
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise

    def _walk(self, path: bytes, *, make: bool) -> int:
        end = len(path)
        while end > 0 and path[:end] not in self._open:
            end = max(path.rfind(b"/", 0, end), 0)
        descriptor = self._open[path[:end]] if end else self._root
        while end < len(path):
            start = end + 1 if end else 0
            end = path.find(b"/", start)
            end = end if end >= 0 else len(path)
            descriptor = self._enter(descriptor, path[start:end], path[:end], make)
            self._remember(path[:end], descriptor)
        return descriptor

    def _enter(self, parent: int, name: bytes, path: bytes, make: bool) -> int:
        try:
            return os.open(name, OPEN_DIRECTORY, dir_fd=parent)
        except OSError as error:
            if not make or error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            if error.errno != errno.ENOENT:
                os.unlink(name, dir_fd=parent)
        os.mkdir(name, 0o700, dir_fd=parent)
        self._implied(path)
        return os.open(name, OPEN_DIRECTORY, dir_fd=parent)

    def _remember(self, path: bytes, descriptor: int) -> None:
        self._open[path] = descriptor
        if len(self._open) > self._limit:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)

    def forget(self, path: bytes) -> None:
        """Close what is open at *path* and below it, because it is about to be removed."""
        below = path + b"/"
        for known in [known for known in self._open if known == path or known.startswith(below)]:
            os.close(self._open.pop(known))

    def close(self) -> None:
        """Close all but the root. May be called again."""
        while self._open:
            os.close(self._open.popitem()[1])
