"""What the apps of a pod wrote: their log files read record by record, brought into one order, followed while they grow.

A record is `TIME STREAM F|P TEXT`; only whole records are read, since the last one may still be in the making.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
from heapq import merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = 1 << 16
# Longer than any record: what has no end until then is damaged, and passed over.
_LONGEST = 1 << 17


class LogRecord:
    """One record: when (RFC 3339 in UTC), which app, which stream, whether its line is complete, and the bytes of its text."""

    __slots__ = ("app", "is_full", "stream", "text", "time")

    def __init__(self, app: str, time: str, stream: str, is_full: bool, text: bytes) -> None:
        self.app = app
        self.time = time
        self.stream = stream
        self.is_full = is_full
        self.text = text


def find_record(app: str, line: bytes) -> LogRecord | None:
    """Return the record in a line of a log, without its line feed; None when it is none. Source: spec/pod-directory.md, Files."""
    fields = line.split(b" ", 3)
    if len(fields) != 4 or fields[1] not in (b"stdout", b"stderr") or fields[2] not in (b"F", b"P"):
        return None
    try:
        return LogRecord(app, fields[0].decode("ascii"), fields[1].decode("ascii"), fields[2] == b"F", fields[3])
    except UnicodeDecodeError:
        return None


class LogReader:
    """The log of one app, read on from where the last reading ended. An app that wrote nothing has none."""

    def __init__(self, pod_path: str, app: str) -> None:
        self._path = os.path.join(pod_path, "logs", f"{app}.log")
        self._app = app
        self._inode = 0
        self._position = 0

    def read(self) -> Iterator[LogRecord]:
        """Yield the whole records that have come since, first of a log that was put aside meanwhile. Raises: OSError."""
        for path in (f"{self._path}.1", self._path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            inode = os.fstat(descriptor).st_ino
            if path != self._path and self._inode not in (0, inode):
                os.close(descriptor)  # read before it was put aside
                continue
            if inode != self._inode:
                self._inode, self._position = inode, 0
            yield from self._read_on(descriptor)

    def _read_on(self, descriptor: int) -> Iterator[LogRecord]:
        with open(descriptor, "rb", buffering=_READ) as file:
            file.seek(self._position)
            while (line := file.readline(_LONGEST)).endswith(b"\n") or len(line) == _LONGEST:
                self._position += len(line)
                record = find_record(self._app, line.removesuffix(b"\n"))
                if record is not None:
                    yield record


def read_logs(readers: list[LogReader]) -> Iterator[LogRecord]:
    """Yield what has come into several logs since the last reading, by time. Raises: OSError."""
    return merge(*(reader.read() for reader in readers), key=lambda record: record.time)
