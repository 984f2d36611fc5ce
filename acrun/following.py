"""The sequence of `acrun logs`: what has been written, and what comes until the pod ends.

Nobody tells of a log that grows, so it is looked at: often while much comes, less often while nothing does. Between two looks this
process sleeps, but for a reader of ours that goes away.

Source: spec/pod-directory.md, Files and Locks.
"""

from __future__ import annotations

import time
from itertools import islice

from acrun.finding import NOT_RUN, get_state, wait_for_run
from acrun.logs import LogReader, LogRecord, LogSelection, cut_to_lines, read_logs
from acrun.pauses import sleep_while_read
from acrun.states import rfc3339
from acspec.durations import parse_duration
from acspec.errors import FormatError, UsageError
from acspec.execution import format_moment
from acspec.timestamps import parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from acrun.states import AppState, PodState
    from acspec.pods import Pod, Pods

# Seconds between two looks at a log: after something came, and at most.
_SOON, _LATE = 0.02, 0.4
# Records that are written together.
_MANY = 1000


class LogRequest:
    """What `acrun logs` was asked for: pod, app (None: all), which records; with *tail* beginning with so many lines at the end."""

    __slots__ = ("app", "follow", "pod", "selection", "tail")

    def __init__(self, pod: str, app: str | None, selection: LogSelection, tail: int | None, *, follow: bool) -> None:
        self.pod = pod
        self.app = app
        self.selection = selection
        self.tail = tail
        self.follow = follow


def parse_since(text: str | None) -> str:
    """Return the time that `--since` means, as logs have it: *text* is one of RFC 3339, or how long ago it is (`90s`, `10m`).

    Raises: UsageError.
    Source: types.md, Timestamps.
    """
    if text is None:
        return ""
    if "T" not in text.upper():
        return rfc3339(time.time() - parse_duration(text, "--since")) or ""
    try:
        moment = parse_timestamp(text, "--since")
    except FormatError as error:
        raise UsageError(error.what, error.why, f"{error.hint}, or 10m ago: 10m") from None
    return format_moment(moment.seconds, moment.nanoseconds)


def open_logs(pods: Pods, request: LogRequest) -> tuple[Pod, list[LogReader]]:
    """Return the pod that is meant, and a reader for the log of each app that is. One to be followed is waited for until it runs.

    Raises: MissingInputError when there is no such pod or app, or the pod is removed before it is run; BrokenPipeError when nobody
    reads standard output any more meanwhile; OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    pod, state = get_state(pods, request.pod)
    if request.follow and pod.phase in NOT_RUN:
        if pod.phase == "prepared":  # its apps are known: a name that none has is told at once
            _choose_apps(state, request)
        wait_for_run(pods, request.pod)
        pod, state = get_state(pods, pod.uuid)
    apps = _choose_apps(state, request)
    readers = [LogReader(pod.path, app.name, request.selection) for app in apps]
    if request.tail is not None:
        for reader in readers:
            reader.start_at_end(request.tail)
    return pod, readers


def _choose_apps(state: PodState, request: LogRequest) -> Sequence[AppState]:
    return state.apps if request.app is None else [state.get_app(request.app)]


def follow(pod: Pod, readers: Sequence[LogReader], request: LogRequest) -> Iterator[Sequence[LogRecord]]:
    """Yield the records asked for as they come; when following, until the pod has ended. What was yielded must be shown at once.

    Raises: BrokenPipeError when nobody reads standard output any more; OSError.
    Source: spec/pod-directory.md, Files and Locks.
    """
    pause, first = _SOON, True
    while True:
        is_last = not request.follow or not _is_running(pod)
        records: Iterable[LogRecord] = read_logs(readers)
        if first and request.tail is not None:
            records = cut_to_lines(list(records), request.tail)
        came = False
        for batch in _batches(records):
            came = True
            yield batch
        if is_last:  # what came before the pod was seen to have ended has been read
            return
        first, pause = False, _SOON if came else min(2 * pause, _LATE)
        sleep_while_read(pause)


def _batches(records: Iterable[LogRecord]) -> Iterator[Sequence[LogRecord]]:
    rest = iter(records)
    while batch := list(islice(rest, _MANY)):
        yield batch


def _is_running(pod: Pod) -> bool:
    try:
        return pod.state() == "running"
    except FileNotFoundError:
        return False
