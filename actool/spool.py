"""Bytes that would swell memory, kept where they cost none: in a temporary file without a name, once they are many.

Such a file goes away with the program, however that ends. `$TMPDIR` says where it is.

Source: open(2), O_TMPFILE.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from typing import IO

from acspec.errors import StorageError

_IN_MEMORY = 1024 * 1024


class Spool:
    """Byte strings put one behind the other and read from anywhere; `close` must be called."""

    __slots__ = ("_at_end", "_file", "size")

    def __init__(self) -> None:
        self.size = 0
        self._at_end = True
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close

    def append(self, data: bytes) -> int:
        """Add *data* at the end and return the place where it starts. Raises: StorageError."""
        place = self.size
        try:
            if not self._at_end:
                self._file.seek(place)
                self._at_end = True
            self._file.write(data)
        except OSError as error:
            raise temporary_error(error) from error
        self.size += len(data)
        return place

    def read(self, place: int, size: int) -> bytes:
        """Return up to *size* bytes from *place* on. Raises: StorageError."""
        self._at_end = False
        try:
            self._file.seek(place)
            return self._file.read(size)
        except OSError as error:
            raise temporary_error(error) from error

    def close(self) -> None:
        """Throw all of it away. May be called again."""
        with suppress(OSError):  # what could not be written before cannot be now
            self._file.close()


def open_temporary() -> IO[bytes]:
    """Return a new temporary file without a name and without a buffer. Raises: StorageError."""
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise temporary_error(error) from error


def temporary_error(error: OSError) -> StorageError:
    """Return the error that says of a temporary file what a system call refused."""
    return StorageError("temporary file", (error.strerror or str(error)).lower(), "TMPDIR=DIR names another place")
