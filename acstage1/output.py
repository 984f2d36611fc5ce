"""What apps write: copied through to our own streams as it comes, and kept in a log, one record a line.

A record is `TIME STREAM F|P TEXT`: F for a full line, P for a part of one that is long or was never ended. A slow reader
of ours slows the app, as without us; of one that is gone the app learns by SIGPIPE, as without us. A log that has grown large
is put aside, and the one that was aside before goes: an app that writes for ever fills no disk.

Source: ace.md, Logging ("The ACE is responsible for capturing and persisting this output").
"""

from __future__ import annotations

import os
import select

from acstage1.records import now

_READ = 65536
_LONGEST_LINE = 16384
# What poll promises for a pipe: so much can be written without waiting.
_WRITE = 4096

# Of an app's log there are at most twice as many bytes.
LOG_BYTES = 64 << 20

NAMES = {1: "stdout", 2: "stderr"}


class Log:
    """The log of one app; written by append, so that it can be read while it grows. At *limit* bytes it becomes `….1`."""

    def __init__(self, path: str, limit: int = LOG_BYTES) -> None:
        self._path = path
        self._limit = limit
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
        data = b"".join(head + line + b"\n" for line in lines)
        try:
            if self._size and self._size + len(data) > self._limit:
                self._put_aside()
            self._size += os.write(self._fd, data)
        except OSError:
            pass

    def _put_aside(self) -> None:
        os.rename(self._path, f"{self._path}.1")
        old, self._fd = self._fd, self._open()
        os.close(old)

    def close(self) -> None:
        """Close the log."""
        os.close(self._fd)


class Stream:
    """One stream of one app: the reading end of its pipe, where it is copied, and its log."""

    def __init__(self, source: int, target: int, log: Log) -> None:
        self.source = source
        self.target = target
        self._log = log
        self._line = b""
        self._pending = b""
        self.at_end = False
        self._target_gone = False

    def wants(self) -> tuple[int, int]:
        """Return the descriptor to wait for and the event: room for what is pending comes before anything new is read."""
        return (self.target, select.POLLOUT) if self._pending else (self.source, select.POLLIN)

    def advance(self) -> None:
        """Do the one thing that `wants` said, which does not block. Raises: OSError."""
        if self._pending:
            self._pass_on()
            return
        data = os.read(self.source, _READ)
        if not data:
            self.finish()
            return
        self._record(data)
        if not self._target_gone:
            self._pending = data

    def finish(self) -> None:
        """Take what was read for all there is. Raises: OSError."""
        self.at_end = True
        self._log.write(NAMES[self.target], [self._line] if self._line else [], full=False)
        os.close(self.source)

    def stop_copying(self) -> bool:
        """Copy nothing more through, while the log still gets everything; return whether that was all."""
        self._target_gone = True
        self._pending = b""
        return self.is_done

    def _pass_on(self) -> None:
        # Another stream may have filled the same pipe since the monitor looked.
        poll = select.poll()
        poll.register(self.target, select.POLLOUT)
        if not poll.poll(0):
            return
        try:
            written = os.write(self.target, self._pending[:_WRITE])
        except BlockingIOError:  # the caller made it non-blocking, and there is less room than poll says
            written = 0
        except BrokenPipeError:  # nobody reads any more: the app is to know
            self._pending = b""
            self.finish()
            return
        except OSError:  # such as a full disk behind it: the log goes on
            self._target_gone = True
            written = len(self._pending)
        self._pending = self._pending[written:]

    def _record(self, data: bytes) -> None:
        *lines, rest = (self._line + data).split(b"\n")
        self._log.write(NAMES[self.target], lines, full=True)
        while len(rest) > _LONGEST_LINE:
            self._log.write(NAMES[self.target], [rest[:_LONGEST_LINE]], full=False)
            rest = rest[_LONGEST_LINE:]
        self._line = rest

    @property
    def is_done(self) -> bool:
        """Whether everything was read and passed on."""
        return self.at_end and not self._pending
