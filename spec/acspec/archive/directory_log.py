"""What the directories of a tree must look like in the end, noted down while files are still being put into them.

A file in a directory changes its time, and a mode may lock its owner out, so both come last. The notes go to a temporary
file when there are many of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from struct import Struct

from acspec.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

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

    __slots__ = ("_file", "_room")

    def __init__(self) -> None:
        self._file: IO[bytes] = BytesIO()
        self._room: int | None = _IN_MEMORY

    def add(self, note: DirectoryNote) -> None:
        """Note down one directory. Raises: OSError."""
        seconds, nanoseconds = divmod(note.mtime_ns, 10**9)
        acls = (note.acl, note.default_acl)
        lengths = (-1 if acl is None else len(acl) for acl in acls)
        record = _RECORD.pack(len(note.path), note.mode, seconds, nanoseconds, *lengths)
        size = self._file.write(b"".join((record, note.path, *(acl for acl in acls if acl is not None))))
        if self._room is not None:
            self._room -= size
            if self._room < 0:
                self._move_to_disk()

    def _move_to_disk(self) -> None:
        from tempfile import TemporaryFile  # as long to import as a small image to be extracted

        memory, self._room = self._file, None
        memory.seek(0)
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close
        self._file.write(memory.read())

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
