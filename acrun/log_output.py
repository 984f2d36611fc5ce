"""Records of logs, written for people or programs: each to the stream that its app wrote it to.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import sys

from acspec.jsontext import dump_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acrun.logs import LogRecord
    from acspec.jsontext import JSONValue


class LogWriter:
    """Writes records to standard output and standard error, or all of them as JSON; a line in several parts has its head once."""

    def __init__(self, *, names: bool, times: bool, json: bool) -> None:
        """With *names* and *times* these stand before each line."""
        self._names = names
        self._times = times
        self._json = json
        self._open: dict[tuple[str, str], bool] = {}

    def write(self, records: Sequence[LogRecord]) -> None:
        """Write *records*, at once and in their order. Raises: OSError."""
        if self._json:
            sys.stdout.buffer.write(b"".join(dump_json(_to_json(record)) for record in records))
            sys.stdout.buffer.flush()
            return
        stream = sys.stdout.buffer
        for record in records:
            if stream is not (wanted := sys.stdout.buffer if record.stream == "stdout" else sys.stderr.buffer):
                stream.flush()  # both may be the same terminal
                stream = wanted
            stream.write(self._lay_out(record))
        stream.flush()

    def _lay_out(self, record: LogRecord) -> bytes:
        key = (record.app, record.stream)
        head = "" if self._open.get(key) else self._head(record)
        self._open[key] = not record.is_full
        return head.encode("utf-8") + record.text + (b"\n" if record.is_full else b"")

    def _head(self, record: LogRecord) -> str:
        return (f"{record.time} " if self._times else "") + (f"{record.app}: " if self._names else "")


def _to_json(record: LogRecord) -> JSONValue:
    text = record.text.decode("utf-8", "replace")
    return {"time": record.time, "app": record.app, "stream": record.stream, "full": record.is_full, "text": text}
