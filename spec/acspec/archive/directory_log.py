"""What the directories of a tree must look like in the end, noted down while files are still being put into them.

A file in a directory changes its time, and a mode may lock its owner out, so both come last. The notes go to a temporary
file when there are many of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

_IN_MEMORY = 4 * 1024 * 1024
_RECORD = Struct("<IHqIii")  # lengths of path and ACLs, -1 for no ACL; the time as seconds and nanoseconds


class DirectoryNote(NamedTuple):
    """A directory by its path in the tree; the ACLs as the kernel's xattrs hold them, None for none."""

    path: bytes
    mode: int
    mtime_ns: int
    acl: bytes | None
    default_acl: bytes | None


class DirectoryLog:
    """Notes in the order in which they were made; for one path the last one counts. `close` must be called."""

    __slots__ = ("_file",)

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close

    def add(self, note: DirectoryNote) -> None:
        """Note down one directory. Raises: OSError."""
        seconds, nanoseconds = divmod(note.mtime_ns, 10**9)
        acls = (note.acl, note.default_acl)
        lengths = (-1 if acl is None else len(acl) for acl in acls)
        self._file.write(_RECORD.pack(len(note.path), note.mode, seconds, nanoseconds, *lengths))
        self._file.write(note.path + b"".join(acl for acl in acls if acl is not None))

    def __iter__(self) -> Iterator[DirectoryNote]:
        """Return all notes. Nothing may be added meanwhile. Raises: OSError."""
        self._file.seek(0)
        while record := self._file.read(_RECORD.size):
            length, mode, seconds, nanoseconds, *lengths = _RECORD.unpack(record)
            path = self._file.read(length)
            acl, default_acl = (None if size < 0 else self._file.read(size) for size in lengths)
            yield DirectoryNote(path, mode, seconds * 10**9 + nanoseconds, acl, default_acl)

    def close(self) -> None:
        """Throw the notes away. May be called again."""
        self._file.close()
