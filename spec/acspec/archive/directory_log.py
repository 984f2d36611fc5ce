"""What the directories of a tree must look like in the end, noted down while files are still being put into them.

A file in a directory changes its time, and a mode may lock its owner out, so both come last. The notes go to a temporary
file when there are many of them.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

_IN_MEMORY = 4 * 1024 * 1024


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
        marshal.dump(tuple(note), self._file)

    def __iter__(self) -> Iterator[DirectoryNote]:
        """Return all notes. Nothing may be added meanwhile. Raises: OSError."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield DirectoryNote(*marshal.load(self._file))

    def close(self) -> None:
        """Throw the notes away. May be called again."""
        self._file.close()
