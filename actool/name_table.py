"""What lies where in a rootfs, so that paths can be followed in it: in an archive that has been read once, or on a disk.

Source: spec/image-archive.md, Names.
"""

from __future__ import annotations

import errno
import os

from acspec.archive.entry import Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.layout import ROOTFS
from acspec.archive.open_directories import OpenDirectories
from acspec.archive.path_index import PathIndex
from acspec.archive.path_table import PathTable
from acspec.archive.spool import Spool
from acspec.archive.walk import kind_of
from acspec.errors import FormatError
from acspec.escape import escape

_INSIDE = ROOTFS + b"/"
_KINDS = tuple(Kind)
_VALUES = {kind: number for number, kind in enumerate(_KINDS, 1)}  # 1 to 7, as a PathTable takes them
_ROOT = Entry(b"", Kind.DIRECTORY)


class NameTable:
    """The names of an archive by their paths in the rootfs, with kinds and the targets of links; `close` must be called."""

    __slots__ = ("_kinds", "_parent", "_places", "_targets")

    def __init__(self) -> None:
        self._kinds = PathTable()
        self._places = PathIndex()
        self._targets = Spool()
        self._parent = b""

    def add(self, entry: Entry) -> None:
        """Note the next *entry* of an archive that is found to be good. Raises: StorageError."""
        if not entry.name.startswith(_INSIDE):
            return
        path = entry.name[len(_INSIDE) :]
        parent = path.rpartition(b"/")[0]
        if parent != self._parent:
            self._kinds.put_parents(path, _VALUES[Kind.DIRECTORY])
            self._parent = parent
        self._kinds.put(path, _VALUES[entry.kind])
        if entry.kind in (Kind.SYMLINK, Kind.HARD_LINK):
            target = entry.link_name if entry.kind is Kind.SYMLINK else entry.link_name[len(_INSIDE) :]
            self._places.put(path, self._targets.put(target))

    def find(self, path: bytes) -> Entry | None:
        """Return kind and target of what is at *path*, relative to the rootfs, or None. Raises: StorageError.

        The target of a hard link is relative to the rootfs, too; a directory may be an implied one.
        """
        if not path:
            return _ROOT
        value = self._kinds.get(path)
        if not value:
            return None
        place = self._places.find(path)
        return Entry(path, _KINDS[value - 1], link_name=b"" if place is None else self._targets.get(place))

    def close(self) -> None:
        """Throw the targets away. May be called again."""
        self._targets.close()


class LayoutNames:
    """The names below `rootfs` in a layout directory, as they are on the disk; `close` must be called."""

    __slots__ = ("_open_directories", "_what")

    def __init__(self, layout: int, what: str) -> None:
        """Look into the directory *layout*, a descriptor; *what* names it in errors."""
        self._open_directories = OpenDirectories(layout)
        self._what = what

    def find(self, path: bytes) -> Entry | None:
        """Return kind and target of what is at *path*, relative to the rootfs, or None. Raises: FormatError; OSError."""
        parent, name = self._open_parent(path)
        if parent is None:
            return None
        try:
            mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            kind = kind_of(mode)
            target = os.readlink(name, dir_fd=parent) if kind is Kind.SYMLINK else b""
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENAMETOOLONG):
                raise self._error(error, path) from error
            return None
        except Fault as fault:
            raise FormatError(self._what, f'"{escape(_INSIDE + path)}": {fault}') from None
        return Entry(path, kind, link_name=target)

    def open(self, path: bytes) -> int:
        """Open the regular file at *path*, where `find` has found one, and return its descriptor. Raises: OSError."""
        parent, name = self._open_parent(path)
        try:
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, dir_fd=parent)
        except OSError as error:
            raise self._error(error, path) from error

    def _open_parent(self, path: bytes) -> tuple[int | None, bytes]:
        directory, _, name = (_INSIDE + path).rstrip(b"/").rpartition(b"/")
        try:
            return self._open_directories.find(directory), name
        except OSError as error:
            raise self._error(error, path) from error

    def _error(self, error: OSError, path: bytes) -> OSError:
        return OSError(error.errno, error.strerror, os.path.join(self._what, os.fsdecode(_INSIDE + path)))

    def close(self) -> None:
        """Close what is open. May be called again."""
        self._open_directories.close()
