"""Bytes put aside while an image is made: appended to a temporary file, and read again anywhere in it.

The file has no name, so nothing is left of it, however the program ends.

Source: open(2), O_TMPFILE.
"""

from __future__ import annotations

import os
import tempfile
from types import TracebackType
from typing import Self

from acspec.errors import OutputError

_BUFFER = 256 * 1024


class Spool:
    """A temporary file that grows at its end; used as a context manager."""

    def __init__(self, directory: str | None = None, what: str | None = None) -> None:
        """Make the file on the disk of *directory*, of $TMPDIR when there is none; *what* is the output it is for, in errors.

        Raises: OutputError when it cannot be made.
        """
        directory = directory or tempfile.gettempdir()
        self._what = what or directory
        self._size = 0
        self._written = 0
        try:
            self._file = tempfile.TemporaryFile(buffering=_BUFFER, dir=directory)  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise OutputError(self._what, f"no temporary file in {directory}: {(error.strerror or '').lower()}") from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Throw the file away."""
        try:
            self._file.close()
        except OSError:  # what was still to be written had no room, and is wanted no more
            pass

    @property
    def descriptor(self) -> int:
        """The descriptor of the file, to be read at any offset."""
        return self._file.fileno()

    def append(self, data: bytes | memoryview) -> int:
        """Write *data* at the end and return the offset at which it stands. Raises: OSError with what it is for."""
        offset = self._size
        try:
            self._file.write(data)
        except OSError as error:
            raise self._about(error) from error
        self._size += len(data)
        return offset

    def flush(self) -> None:
        """Let all that was appended be read through the descriptor. Raises: OSError with what it is for."""
        if self._written == self._size:
            return
        try:
            self._file.flush()
        except OSError as error:
            raise self._about(error) from error
        self._written = self._size

    def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on, fewer at the end. Raises: OSError."""
        if offset + size > self._written:
            self.flush()
        return os.pread(self.descriptor, size, offset)

    def change(self, offset: int, data: bytes) -> None:
        """Put *data* in the place of what stands at *offset*. Raises: OSError with what it is for."""
        self.flush()
        try:
            os.pwrite(self.descriptor, data, offset)
        except OSError as error:
            raise self._about(error) from error

    def _about(self, error: OSError) -> OSError:
        return OSError(error.errno, error.strerror, self._what)
