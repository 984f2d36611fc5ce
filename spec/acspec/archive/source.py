"""The bytes of an image as it was served: from a descriptor, or from whoever receives them.

Regular files are read with pread, so that a shared descriptor stays where it is; a pipe or terminal can be given up while it
keeps silent. What the bytes mean is `compression`'s to say.

Source: pread(2), poll(2).
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable

from acspec import limits
from acspec.archive.faults import StreamFault
from acspec.errors import FormatError, StorageError
from acspec.typed import Protocol


class Readable(Protocol):
    """Anything that gives bytes in order: at most *size* of them, `b""` at the end.

    It is called from another thread. When the reader is closed early, a call under way has to end by itself, or be Interruptible.
    """

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""


class Interruptible(Protocol):
    """A Readable that can be told to end a call that waits, instead of ending it by itself."""

    def interrupt(self) -> None:
        """Make a read that waits in another thread end, with whatever exception."""


class Source:
    """Bytes of an image in order, counted against a limit; `what` names it in errors."""

    __slots__ = ("_descriptor", "_end", "_head", "_limit", "_offset", "_origin", "_read", "_wake", "_what")

    def __init__(self, origin: int | Readable, what: str, limit: int = limits.IMAGE_SERVED_BYTES, *, head: bytes = b"") -> None:
        """Read *head*, then from a descriptor, which stays open and is the caller's, or from an object.

        Raises: FormatError when it is a directory; OSError.
        """
        self._what = what
        self._limit = limit
        self._head = head
        self._offset = 0
        self._origin = origin
        self._end: int | None = None
        self._wake: tuple[int, int] | None = None
        self._descriptor = -1
        self._read: Callable[[int], bytes]
        if isinstance(origin, int):
            self._descriptor = origin
            self._read = self._open_descriptor(origin)
        else:
            self._read = origin.read

    def _open_descriptor(self, descriptor: int) -> Callable[[int], bytes]:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise FormatError(self._what, "a directory, not an image archive")
        if not stat.S_ISREG(status.st_mode):
            self._wake = os.pipe()
            return self._read_waiting
        self._offset = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._end = status.st_size
        self._limit += self._offset
        return self._read_file

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most *size*, `b""` at the end. Raises: StreamFault beyond the limit; StorageError."""
        if self._head:  # so few bytes that nobody counts them
            data, self._head = self._head[:size], self._head[size:]
            return data
        if self._descriptor < 0:
            data = self._read(size)
        else:
            try:
                data = self._read(size)
            except OSError as error:
                why = os.strerror(error.errno or 0).lower()
                raise StorageError(self._what, f"cannot be read: {why}") from error
        self._offset += len(data)
        if self._offset > self._limit:
            raise StreamFault(f"larger than the limit of {self._limit} bytes as served")
        return data

    def skip(self, size: int) -> int:
        """Leave out up to *size* bytes without reading them, and return how many: 0 where only reading helps."""
        if self._end is None or self._head:
            return 0
        skipped = max(0, min(size, self._end - self._offset))
        self._offset += skipped
        return skipped

    def _read_file(self, size: int) -> bytes:
        return os.pread(self._descriptor, size, self._offset)

    def _read_waiting(self, size: int) -> bytes:
        if self._wake is None:
            return b""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._wake[0], select.POLLIN)
        if any(descriptor == self._wake[0] for descriptor, _ in poll.poll()):
            return b""
        return os.read(self._descriptor, size)

    def interrupt(self) -> None:
        """Make a read that waits for a pipe return, now and from now on; a file ends here, too."""
        if self._wake is not None:
            os.write(self._wake[1], b"\0")
        elif self._descriptor >= 0:  # a file of nothing but empty streams would be read to its end before anybody is asked
            self._read = lambda _: b""
        elif hasattr(self._origin, "interrupt"):
            self._origin.interrupt()

    def close(self) -> None:
        """Give up what belongs to the source; the descriptor stays open. No read may be under way."""
        if self._wake is not None:
            os.close(self._wake[0])
            os.close(self._wake[1])
            self._wake = None
