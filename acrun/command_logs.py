"""`acrun logs`: options in, records out, each to the stream that it was written to."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from acrun.command_options import Directory, Json, PodArgument
from acrun.logs import LogReader, LogRecord, read_logs
from acrun.states import read_state
from acspec.directories import run_directory
from acspec.errors import MissingInputError
from acspec.jsontext import dump_json
from acspec.pods import Pod, Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

# A log is looked at again so often while it is followed.
_SECONDS = 0.1


def logs(
    pod: PodArgument,
    app: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this app wrote.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the pod ends.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="The time before each line.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Show what the apps of a pod wrote, by time; of several apps, each line with the app's name."""
    found = Pods(run_directory(directory)).get(pod)
    names = [state.name for state in read_state(found).apps]
    if app is not None and app not in names:
        raise MissingInputError(app, "no such app in this pod", ", ".join(names))
    readers = [LogReader(found.path, name) for name in names if app in (None, name)]
    writer = _Writer(names=len(readers) > 1, times=timestamps, json=json)
    while True:
        last = not follow or not _is_running(found)
        for record in read_logs(readers):
            writer.write(record)
        if last:  # what came before the pod was seen to have ended has been read
            return
        time.sleep(_SECONDS)


def _is_running(pod: Pod) -> bool:
    try:
        return pod.state() == "running"
    except FileNotFoundError:
        return False


class _Writer:
    """Writes records for people or programs; a line in several parts has its head once."""

    def __init__(self, *, names: bool, times: bool, json: bool) -> None:
        self._names = names
        self._times = times
        self._json = json
        self._open: dict[tuple[str, str], bool] = {}

    def write(self, record: LogRecord) -> None:
        """Write one record, at once."""
        if self._json:
            text = record.text.decode("utf-8", "replace")
            row: JSONValue = {
                "time": record.time, "app": record.app, "stream": record.stream, "full": record.is_full, "text": text,
            }  # fmt: skip
            sys.stdout.buffer.write(dump_json(row))
            sys.stdout.buffer.flush()
            return
        stream = (sys.stdout if record.stream == "stdout" else sys.stderr).buffer
        key = (record.app, record.stream)
        head = "" if self._open.get(key) else self._head(record)
        self._open[key] = not record.is_full
        stream.write(head.encode("utf-8") + record.text + (b"\n" if record.is_full else b""))
        stream.flush()

    def _head(self, record: LogRecord) -> str:
        return (f"{record.time} " if self._times else "") + (f"{record.app}: " if self._names else "")
