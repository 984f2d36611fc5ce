"""The sequence of `acrun top`: what running pods use, measured again and again.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import time

from acrun.finding import get_state, list_states
from acrun.records import read_state
from acrun.states import rfc3339
from acrun.usage import measure_app
from acspec.errors import MissingInputError
from acspec.pods import Pod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from acrun.states import AppState, PodState
    from acrun.usage import Usage
    from acspec.jsontext import JSONValue
    from acspec.pods import Pods

# Between two measurements, and between the first two, which only say how busy a processor is.
_SECONDS, _FIRST_SECONDS = 1.0, 0.25


class Sample:
    """What one app used at a moment (seconds since the epoch), and meanwhile: 100 percent are one processor."""

    __slots__ = ("app", "cpu_percent", "moment", "name", "usage", "uuid")

    def __init__(self, state: PodState, app: AppState, usage: Usage, cpu_percent: float | None) -> None:
        self.uuid = state.uuid
        self.name = state.name
        self.app = app.name
        self.usage = usage
        self.cpu_percent = cpu_percent
        self.moment = time.time()

    def to_json(self) -> dict[str, JSONValue]:
        """Return the sample for `--json`."""
        percent = None if self.cpu_percent is None else round(self.cpu_percent, 1)
        head: dict[str, JSONValue] = {"time": rfc3339(self.moment), "uuid": self.uuid, "name": self.name, "app": self.app}
        return head | {"cpuPercent": percent} | self.usage.to_json()


class _Meter:
    """Measures apps, and remembers how much each had used: of processor time only a difference tells something."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], tuple[float, float]] = {}

    def measure(self, states: Sequence[PodState]) -> list[Sample]:
        """Return a sample of each running app, the busiest first."""
        samples, seen = [], {}
        for state in states:
            for app in state.apps:
                usage = measure_app(state, app)
                if usage is None:
                    continue
                now, spent = time.monotonic(), usage.cpu_seconds or 0.0
                then, before = self._before.get((state.uuid, app.name), (now, spent))
                percent = max(0.0, spent - before) / (now - then) * 100 if now > then else None
                samples.append(Sample(state, app, usage, percent))
                seen[state.uuid, app.name] = now, spent
        self._before = seen
        return sorted(samples, key=lambda sample: -(sample.cpu_percent or 0.0))


def watch(pods: Pods, words: Sequence[str], pause: Callable[[float], bool]) -> Iterator[Sequence[Sample]]:
    """Yield samples of the pods that *words* mean, without any of all that run, until none of the former does.

    *pause* sleeps for so many seconds and tells whether to go on.

    Raises: MissingInputError when there is no such pod, or it does not run; OSError; what *pause* raises.
    Source: spec/pod-directory.md, Files.
    """
    uuids = [_find_running(pods, word) for word in words]
    meter = _Meter()
    meter.measure(_find_states(pods, uuids))
    seconds = _FIRST_SECONDS
    while pause(seconds):
        samples = meter.measure(_find_states(pods, uuids))
        if uuids and not samples:
            return
        yield samples
        seconds = _SECONDS


def _find_running(pods: Pods, word: str) -> str:
    _, state = get_state(pods, word)
    if state.state != "running":
        raise MissingInputError(word, f"is {state.state}, not running", "acrun list shows what runs")
    return state.uuid


def _find_states(pods: Pods, uuids: Sequence[str]) -> list[PodState]:
    """Return the states of the running pods among *uuids*, of all of them when there is none."""
    if not uuids:
        return [state for state in list_states(pods) if state.state == "running"]
    names, states = pods.names(), []
    for uuid in uuids:
        try:
            states.append(read_state(Pod(pods, "run", uuid), names))
        except FileNotFoundError:
            continue
    return states
