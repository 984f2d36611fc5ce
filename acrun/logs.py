"""What the apps of a pod wrote: their log files read record by record, brought into one order, followed while they grow.

A record is `TIME STREAM F|P TEXT`; only whole records are read, since the last one may still be in the making. A log that has grown
large is put aside as `….log.1`, in place of the one before: the one that is being read is kept open, whatever its name has become.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
from heapq import merge
from itertools import accumulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_READ = 1 << 16
# Longer than any record: what has no end until then is damaged, and passed over.
_LONGEST = 1 << 17
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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


class LogSelection:
    """Which records are wanted: those at *since* (RFC 3339 in UTC, to the microsecond) or later, of one stream or of both."""

    __slots__ = ("since", "stream")

    def __init__(self, since: str = "", stream: str | None = None) -> None:
        self.since = since
        self.stream = stream

    def covers(self, record: LogRecord) -> bool:
        """Tell whether *record* is wanted."""
        return record.time >= self.since and self.stream in (None, record.stream)


class LogReader:
    """The log of one app, read on from where the last reading ended. An app that wrote nothing has none; `close` must be called."""

    def __init__(self, pod_path: str, app: str, selection: LogSelection | None = None) -> None:
        self._path = os.path.join(pod_path, "logs", f"{app}.log")
        self._app = app
        self._selection = selection or LogSelection()
        self._held = -1
        self._position = 0

    def start_at_end(self, lines: int) -> None:
        """Have the first reading begin where the last *lines* do, each with all of its parts. Raises: OSError."""
        count = 0
        for path in (self._path, f"{self._path}.1"):
            if (descriptor := _find_log(path)) is None:
                continue
            self._hold(descriptor)
            for start, line in _read_backwards(descriptor):
                record = find_record(self._app, line)
                if record is None or not self._selection.covers(record) or not (record.is_full or count == 0):
                    continue
                if count == lines:
                    self._position = start + len(line) + 1
                    return
                count += 1

    def read(self) -> Iterator[LogRecord]:
        """Yield the whole records that have come since, first of a log that was put aside meanwhile. Raises: OSError."""
        if self._held < 0 and not self._begin():
            return
        yield from self._read_on()
        while (following := self._find_next()) is not None:
            yield from self._read_on()  # what came between the reading and the moment when it was put aside
            self._hold(following)
            yield from self._read_on()

    def close(self) -> None:
        """Let go of the log. May be called again."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _begin(self) -> bool:
        for path in (f"{self._path}.1", self._path):
            if (descriptor := _find_log(path)) is not None:
                self._hold(descriptor)
                return True
        return False

    def _hold(self, descriptor: int) -> None:
        self.close()
        self._held, self._position = descriptor, 0

    def _find_next(self) -> int | None:
        """Return the log that comes after the one held, None when that is the last one."""
        if self._is_held(self._path):
            return None
        aside = f"{self._path}.1"
        # When it is not held under that name either, more than one was put aside meanwhile.
        following = None if self._is_held(aside) else _find_log(aside)
        return following if following is not None else _find_log(self._path)

    def _is_held(self, path: str) -> bool:
        try:
            return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(self._held))
        except FileNotFoundError:
            return False

    def _read_on(self) -> Iterator[LogRecord]:
        with open(os.dup(self._held), "rb", buffering=_READ) as file:
            file.seek(self._position)
            while (line := file.readline(_LONGEST)).endswith(b"\n") or len(line) == _LONGEST:
                self._position += len(line)
                record = find_record(self._app, line.removesuffix(b"\n"))
                if record is not None and self._selection.covers(record):
                    yield record


def _read_backwards(descriptor: int) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines of a file, the last one first, each with the offset of its start."""
    position, rest, is_whole = os.fstat(descriptor).st_size, b"", False
    while position > 0:
        size = min(_READ, position)
        position -= size
        lines = (os.pread(descriptor, size, position) + rest).split(b"\n")
        starts = accumulate((len(line) + 1 for line in lines), initial=position)
        for start, line in list(zip(starts, lines, strict=False))[:0:-1]:
            if is_whole:
                yield start, line
            is_whole = True  # what is behind the last line feed is still in the making
        rest = lines[0][:_LONGEST]
    if is_whole:
        yield 0, rest


def _find_log(path: str) -> int | None:
    try:
        return os.open(path, _OPEN)
    except FileNotFoundError:
        return None


def read_logs(readers: Iterable[LogReader]) -> Iterator[LogRecord]:
    """Yield what has come into several logs since the last reading, by time. Raises: OSError."""
    return merge(*(reader.read() for reader in readers), key=lambda record: record.time)


def cut_to_lines(records: Sequence[LogRecord], lines: int) -> Sequence[LogRecord]:
    """Return the last *lines* of *records*, the parts of a line being one."""
    for index in range(len(records) - 1, -1, -1):
        if records[index].is_full or index == len(records) - 1:
            if lines == 0:
                return records[index + 1 :]
            lines -= 1
    return records
