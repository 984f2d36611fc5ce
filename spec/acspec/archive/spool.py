"""Bytes put aside: appended, and read again anywhere, in memory while they are few, and else in a temporary file.

The file has no name, so nothing is left of it, however the program ends.

Source: open(2), O_TMPFILE.
"""

from __future__ import annotations

import os
from contextlib import suppress
from types import TracebackType

from acspec.errors import OutputError, StorageError, ToolError, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Self

_IN_MEMORY = 256 * 1024
_LENGTH = 4


class Spool:
    """Bytes that grow at their end; used as a context manager, or closed."""

    __slots__ = ("_directory", "_file", "_tail", "_what", "_written")

    def __init__(self, directory: str | None = None, what: str | None = None) -> None:
        """Put what is much on the disk of *directory*, as it is for the output *what*; else where $TMPDIR says."""
        self._directory = directory
        self._what = what or directory
        self._file: IO[bytes] | None = None
        self._written = 0
        self._tail = bytearray()  # what comes behind that

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Throw all of it away."""
        self.close()

    def close(self) -> None:
        """Throw all of it away. May be called again."""
        self._tail.clear()
        if self._file is not None:
            with suppress(OSError):  # what a broken disk has to say of it is wanted no more
                self._file.close()

    @property
    def descriptor(self) -> int:
        """The descriptor of a file with all that was appended so far. Raises: as `append`."""
        file = self._open()
        self._flush()
        return file.fileno()

    def append(self, data: bytes | memoryview) -> int:
        """Put *data* at the end and return the offset at which it stands.

        Raises: OutputError when there can be no file in the directory that was named; OSError with what it is for; StorageError
            for a file elsewhere.
        """
        offset = self._written + len(self._tail)
        if len(self._tail) + len(data) > _IN_MEMORY:
            self._flush()
        if len(data) > _IN_MEMORY:
            self._write(data, offset)
            self._written += len(data)
        else:
            self._tail += data
        return offset

    def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on, fewer at the end. Raises: as `append`."""
        start = offset - self._written
        if start >= 0:
            return bytes(self._tail[start : start + size])
        if start + size > 0:
            self._flush()
        try:
            return os.pread(self._open().fileno(), size, offset)
        except OSError as error:
            raise self._refused(error) from error

    def change(self, offset: int, data: bytes) -> None:
        """Put *data* in the place of what stands at *offset*. Raises: as `append`."""
        start = offset - self._written
        if start >= 0:
            self._tail[start : start + len(data)] = data
            return
        self._flush()
        self._write(data, offset)

    def put(self, data: bytes) -> int:
        """Put *data* at the end together with its length, and return the offset by which `get` finds it. Raises: as `append`."""
        return self.append(len(data).to_bytes(_LENGTH, "little") + data)

    def get(self, offset: int) -> bytes:
        """Return what was put at *offset*. Raises: as `append`."""
        return self.read(offset + _LENGTH, int.from_bytes(self.read(offset, _LENGTH), "little"))

    def _flush(self) -> None:
        if self._tail:
            self._write(self._tail, self._written)
            self._written += len(self._tail)
            self._tail.clear()

    def _write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        descriptor = self._open().fileno()
        try:
            with memoryview(data) as view:
                done = 0
                while done < len(data):
                    done += os.pwrite(descriptor, view[done:], offset + done)
        except OSError as error:
            raise self._refused(error) from error

    def _open(self) -> IO[bytes]:
        if self._file is None:
            from tempfile import TemporaryFile  # as long to import as a small image to be read

            try:
                self._file = TemporaryFile(buffering=0, dir=self._directory)  # noqa: SIM115 - closed by close
            except OSError as error:
                raise self._not_made(error) from error
        return self._file

    def _not_made(self, error: OSError) -> ToolError:
        if self._what is None:
            return _temporary_error(error)
        return OutputError(self._what, f"no temporary file in {self._directory}: {reason_of(error)}")

    def _refused(self, error: OSError) -> OSError | ToolError:
        return _temporary_error(error) if self._what is None else OSError(error.errno, error.strerror, self._what)


def _temporary_error(error: OSError) -> StorageError:
    return StorageError("temporary file", reason_of(error), "TMPDIR=DIR names another place")
