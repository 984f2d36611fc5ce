"""What apps write: copied through to our own streams as it comes, and kept in a log, one record a line.

A record is `TIME STREAM F|P TEXT`: F for a full line, P for a part of one that is long or was never ended. A slow reader
of ours slows the app, as without us; of one that is gone the app learns by SIGPIPE, as without us. A log that has grown large
is put aside, and the one that was aside before goes: an app that writes for ever fills no disk. Of several apps each line
that is copied begins with the app's name, and lines come through whole; the output of a single app is copied byte for byte.

Source: ace.md, Logging ("The ACE is responsible for capturing and persisting this output").
"""

from __future__ import annotations

import errno
import os
import select

from acstage1.records import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_READ = 65536
_LONGEST_LINE = 16384
# What poll promises for a pipe: so much can be written without waiting.
_WRITE = 4096

NAMES = {1: "stdout", 2: "stderr"}


class Log:
    """The log of one app; written by append, so that it can be read while it grows. At *limit* bytes it becomes `….1`."""

    def __init__(self, path: str, limit: int, lose: Callable[[OSError], None]) -> None:
        """Write to *path*; *lose* hears why records are lost."""
        self._path = path
        self._limit = limit
        self._lose = lose
        self._fd = self._open()

    def _open(self) -> int:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._size = os.fstat(descriptor).st_size
        return descriptor

    def write(self, stream: str, lines: list[bytes], full: bool) -> None:
        """Append records with one time. A full disk loses records, not the app."""
        if not lines:
            return
        head = f"{now()} {stream} {'F' if full else 'P'} ".encode("ascii")
        records = [head + line + b"\n" for line in lines]
        if sum(map(len, records)) <= self._limit:
            records = [b"".join(records)]
        for data in records:
            try:
                self._append(data)
            except OSError as error:
                self._lose(error)

    def _append(self, data: bytes) -> None:
        if self._size and self._size + len(data) > self._limit:
            self._put_aside()
        written = os.write(self._fd, data)
        if written < len(data):
            os.ftruncate(self._fd, self._size)  # what comes next, when there is room again, would follow half a record
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _put_aside(self) -> None:
        os.rename(self._path, f"{self._path}.1")
        old, self._fd = self._fd, self._open()
        os.close(old)

    def close(self) -> None:
        """Close the log."""
        os.close(self._fd)


class Sink:
    """A descriptor of ours to which streams are copied, and what waits until there is room."""

    def __init__(self, descriptor: int, lose: Callable[[OSError], None]) -> None:
        """Write to *descriptor*; *lose* hears why nothing more is copied, when that is not for want of a reader."""
        self.descriptor = descriptor
        self._lose = lose
        self.pending = b""
        self.has_reader = True
        self._is_stopped = False

    def put(self, data: bytes) -> None:
        """Take *data* to be written when there is room."""
        if not self._is_stopped:
            self.pending += data

    def advance(self) -> None:
        """Write what does not block, at most up to a line's end when that is near, so that lines stay whole beside others'."""
        # Another stream may have filled the same pipe since the monitor looked.
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        if not poll.poll(0):
            return
        chunk = self.pending[:_WRITE]
        if len(self.pending) > _WRITE:
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
        try:
            written = os.write(self.descriptor, chunk)
        except BlockingIOError:  # the caller made it non-blocking, and there is less room than poll says
            return
        except BrokenPipeError:  # nobody reads any more: the apps are to know
            self.has_reader = False
            self.stop_copying()
            return
        except OSError as error:  # such as a full disk behind it: the logs go on
            self._lose(error)
            self.stop_copying()
            return
        self.pending = self.pending[written:]

    def stop_copying(self) -> None:
        """Copy nothing more; the logs still get everything."""
        self._is_stopped = True
        self.pending = b""


class Output:
    """What comes in pieces: passed to a sink, and cut into the records of a log. Without a log, only passed on."""

    def __init__(self, sink: Sink, log: Log | None, name: str, label: bytes = b"", ending: bytes = b"") -> None:
        """Record as stream *name*; with a *label*, pass on line by line, each behind it. *ending* is no part of a line."""
        self.sink = sink
        self._log = log
        self._name = name
        self._label = label
        self._ending = ending
        self._line = b""

    def take(self, data: bytes) -> None:
        """Take what comes next. What is too long for a line is recorded in parts."""
        if not self._label:
            self.sink.put(data)
        *lines, rest = (self._line + data).split(b"\n")
        self._record([line.removesuffix(self._ending) for line in lines], full=True)
        while len(rest) > _LONGEST_LINE:
            self._record([rest[:_LONGEST_LINE]], full=False)
            rest = rest[_LONGEST_LINE:]
        self._line = rest

    def finish(self) -> None:
        """Record the line that was never ended."""
        self._record([self._line] if self._line else [], full=False)
        self._line = b""

    def _record(self, lines: list[bytes], full: bool) -> None:
        if self._log is not None:
            self._log.write(self._name, lines, full)
        if self._label:
            self.sink.put(b"".join(self._label + line + b"\n" for line in lines))


class Stream:
    """One stream of one app: the reading end of its pipe, the sink that it is copied to, and its log."""

    def __init__(self, source: int, sink: Sink, log: Log | None, label: bytes = b"") -> None:
        """Copy from *source*; with a *label*, line by line, each behind it."""
        os.set_blocking(source, False)  # an app can read what it wrote itself, through /proc: then there is less than poll said
        self.source = source
        self.sink = sink
        self._output = Output(sink, log, NAMES[sink.descriptor], label)
        self.at_end = False

    def advance(self) -> None:
        """Read what there is, which does not block. Raises: OSError."""
        try:
            data = os.read(self.source, _READ)
        except BlockingIOError:
            return
        if data:
            self._output.take(data)
        else:
            self.finish()

    def finish(self) -> None:
        """Take what was read for all there is. Raises: OSError."""
        self.at_end = True
        self._output.finish()
        os.close(self.source)
