"""What the files of a pod directory say of its life: apps, when it began, how each app ended.

Read without the pod's lock, so any file may be missing; a file that is there is whole. Nothing is written.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os

from acspec import limits
from acspec.errors import BusyError, FormatError, MissingInputError, UsageError
from acspec.execution import format_moment
from acspec.jsontext import dump_pretty, parse_json, read_json_file, read_limited
from acspec.locks import open_locked
from acspec.pods import PHASES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.jsontext import JSONValue
    from acspec.pods import Pod, Pods


class AppState:
    """One app of a pod: its name, its image (name and ID), where its root file system lies, and its status file's content.

    `backend` is `overlay` (over the tree at `lower`) or `copy`, empty when nothing says so; the status is empty before the
    app ended. `attempt` is that of the process which runs now, or ran last; `is_ready` is false while it is still to
    say so, `is_stopping` true when it has said that.
    """

    __slots__ = ("attempt", "backend", "image_id", "image_name", "is_ready", "is_stopping", "lower", "name", "pid", "status")

    def __init__(self, name: str, image_name: str, image_id: str) -> None:
        self.name = name
        self.image_name = image_name
        self.image_id = image_id
        self.backend = ""
        self.lower = ""
        self.status: dict[str, JSONValue] = {}
        self.pid: int | None = None
        self.attempt = 0
        self.is_ready = True
        self.is_stopping = False

    def is_again(self) -> bool:
        """Tell whether a process runs, or ran last, of a later attempt than the status. Source: spec/stage1.md, Restarts."""
        return bool(self.status) and self.attempt > (find_number(self.status, "attempt") or 0)

    def next_start(self) -> str | None:
        """Return when the next attempt begins (RFC 3339), None while none is waited for. Source: spec/stage1.md, Restarts."""
        moment = None if self.is_again() else self.status.get("next")
        return moment if isinstance(moment, str) else None

    def ended(self) -> str:
        """Return how the app ended in a few words, or the empty string while nothing says so."""
        memory = ", out of memory" if self.status.get("oom") is True else ""
        if "exit" in self.status:
            return f"exit {self.status['exit']}{memory}"
        if "signal" in self.status:
            return f"signal {_signal(self.status['signal'])}{memory}"
        if "failed" in self.status:
            return f"failed to start: {self.status.get('why', self.status['failed'])}"
        return ""


def _signal(number: JSONValue) -> str:
    """Return the number of a signal with its name. Source: signal(7)."""
    import signal

    try:
        return f"{number} ({signal.Signals(number).name})" if isinstance(number, int) else str(number)
    except ValueError:  # a real-time signal
        return str(number)


class PodState:
    """A pod as `list` and `status` show it. Times are seconds since the epoch, or None.

    `exit_code` is that of a run which has ended, `failure` why it failed by no fault of an app.
    """

    __slots__ = (
        "annotations", "apps", "created", "exit_code", "failure", "isolators", "name", "path", "pids", "started", "state", "uuid",
    )  # fmt: skip

    def __init__(self, uuid: str, path: str, state: str, name: str | None, created: float | None, started: float | None) -> None:
        self.uuid = uuid
        self.path = path
        self.state = state
        self.name = name
        self.created = created
        self.started = started
        self.apps: list[AppState] = []
        self.pids: dict[str, JSONValue] = {}
        self.isolators: JSONValue = None
        self.annotations: dict[str, str] = {}
        self.exit_code: int | None = None
        self.failure = ""

    @property
    def ended(self) -> str | None:
        """When the last app of a pod that runs no more ended (RFC 3339), None when nothing says so."""
        if self.state == "running":
            return None
        return max((str(app.status["ended"]) for app in self.apps if "ended" in app.status), default=None)

    def end_of(self, app: AppState) -> str:
        """Return how an app ended; empty while it goes on, or will.

        It is "not started" when there was no run, "aborted" when the monitor was gone before it could say.
        """
        if app.is_again() or "next" in app.status:
            return "" if self.state == "running" else "aborted"
        silent = "not started" if self.failure and app.pid is None else "aborted"
        return app.ended() or (silent if self.state == "exited" else "")

    def state_of(self, app: AppState) -> str:
        """Return what an app that has not ended is doing: starting until a process is ready, then running; else as the pod.

        One that waits for its next attempt is restarting, one that has said so is stopping.
        """
        if self.state != "running":
            return self.state
        if app.next_start() is not None:
            return f"restarting after {app.ended()}"
        if app.is_stopping:
            return "stopping"
        return "running" if app.pid is not None and app.is_ready else "starting"

    def get_exit_code(self) -> int:
        """Return the exit code of the run. Raises: BusyError while it goes on; MissingInputError when there is none."""
        if self.exit_code is not None:
            return self.exit_code
        what = self.name or self.uuid
        if self.state == "running":
            raise BusyError(what, "still runs", "--wait waits for its end")
        raise MissingInputError(what, f"{'aborted' if self.state == 'exited' else self.state}: there is no exit code")

    def process_of(self, app: AppState) -> int | None:
        """Return the process of an app, None while none runs: it has ended, or waits for its next attempt."""
        runs = self.state == "running" and not self.end_of(app) and app.next_start() is None
        return app.pid if runs else None

    def get_app(self, name: str | None) -> AppState:
        """Return the app *name*; without a name the only one there is.

        Raises: MissingInputError; UsageError when there are several to choose from.
        """
        names = [app.name for app in self.apps]
        if name is None:
            if len(self.apps) != 1:
                raise UsageError(self.name or self.uuid, f"has {len(names)} apps", f"--app {'|'.join(names)}")
            return self.apps[0]
        for app in self.apps:
            if app.name == name:
                return app
        raise MissingInputError(name, "no such app in this pod", ", ".join(names))

    def to_json(self) -> dict[str, JSONValue]:
        """Return the pod for `--json`."""
        return {
            "uuid": self.uuid,
            "directory": self.path,
            "name": self.name,
            "state": self.state,
            "created": rfc3339(self.created),
            "started": rfc3339(self.started),
            "ended": self.ended,
            "exitCode": self.exit_code,
            "failure": self.failure or None,
            "pid": find_pid(self.pids.get("init")) if self.state == "running" else None,
            "annotations": {**self.annotations},
            "apps": [self._app_to_json(app) for app in self.apps],
            "isolators": self.isolators,
        }

    def _app_to_json(self, app: AppState) -> JSONValue:
        return {
            "name": app.name,
            "image": {"name": app.image_name, "id": app.image_id},
            "rootfs": {"backend": app.backend or None},
            "state": "ended" if self.end_of(app) else self.state_of(app).partition(" ")[0],
            "pid": self.process_of(app),
            "attempt": app.attempt or find_number(app.status, "attempt"),
            "next": app.next_start() if self.state == "running" else None,
            "status": app.status or None,
        }


def rfc3339(moment: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the microsecond. Source: types.md, Timestamps."""
    if moment is None:
        return None
    return format_moment(int(moment), int(moment % 1 * 1_000_000_000))


def find_pid(process: JSONValue) -> int | None:
    """Return the number of a process as the file `pid` says who it is, None where it says that there is none."""
    return find_number(process, "pid")


def _get(value: JSONValue, key: str) -> JSONValue:
    return value.get(key) if isinstance(value, dict) else None


def find_number(value: JSONValue, key: str) -> int | None:
    """Return the whole number that is *key* of an object, None where there is no such thing."""
    number = _get(value, key)
    return number if isinstance(number, int) else None


def get_state(pods: Pods, text: str) -> tuple[Pod, PodState]:
    """Return the pod that *text* means, and its state. A pod that moves to its next phase meanwhile is looked for again.

    Raises: MissingInputError when there is none, or it is removed meanwhile; OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    for _ in PHASES:
        pod = pods.get(text)
        try:
            return pod, read_state(pod)
        except FileNotFoundError:
            continue
    raise MissingInputError(text, "is being removed")


def wait_for_end(pods: Pods, text: str) -> None:
    """Wait until the pod that *text* means no longer runs, asleep until the kernel gives its lock.

    Raises: MissingInputError when there is none, or it is removed meanwhile; OSError.
    Source: spec/pod-directory.md, Locks.
    """
    pod = pods.get(text)
    try:
        if pod.phase == "run":
            os.close(open_locked(pod.path, shared=True, wait=True))
    except FileNotFoundError:
        raise MissingInputError(text, "was removed as soon as it had ended") from None


def read_manifest(pods: Pods, text: str, *, pretty: bool) -> bytes:
    """Return the manifest of the pod that *text* means as it is stored, or laid out for people.

    Raises: MissingInputError when there is no such pod, or no manifest in it (yet); FormatError; OSError.
    Source: pods.md, Pod Manifest Schema.
    """
    path = os.path.join(pods.get(text).path, "pod")
    try:
        with open(path, "rb") as file:
            data = read_limited(file.fileno(), limits.MANIFEST_BYTES)
    except FileNotFoundError:
        raise MissingInputError(text, "has no manifest (yet)") from None
    return dump_pretty(parse_json(data, path)) if pretty else data


def list_states(pods: Pods) -> list[PodState]:
    """Return the states of all pods, each once, the one made last first; what moves or goes meanwhile may be missing.

    Raises: OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    names = pods.names()
    states: dict[str, PodState] = {}
    for pod in pods.all():
        try:
            states[pod.uuid] = read_state(pod, names)
        except FileNotFoundError:
            continue
    return sorted(states.values(), key=lambda state: -(state.created or 0))


def read_state(pod: Pod, names: Mapping[str, str] | None = None) -> PodState:
    """Return the state of *pod*; *names* are those of all pods by UUID, where somebody has them at hand.

    Raises: FileNotFoundError when it has been moved or removed meanwhile; OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    name = pod.pods.find_name(pod.uuid) if names is None else names.get(pod.uuid)
    state = PodState(pod.uuid, pod.path, pod.state(), name, _time(pod.path, "pod"), _started(pod.path))
    state.pids = _read(pod.path, "pid")
    backends, processes = _members(_read(pod.path, "stage1.json"), "apps"), _members(state.pids, "apps")
    manifest = _read(pod.path, "pod")
    state.annotations = {_text(value.get("name")): _text(value.get("value")) for value in _list(manifest.get("annotations"))}
    for value in _list(manifest.get("apps")):
        app = _app_state(value)
        rootfs = _members(_members(backends, app.name), "rootfs")
        app.backend, app.lower = _text(rootfs.get("backend")), _text(rootfs.get("lower"))
        app.pid = find_pid(processes.get(app.name))
        app.is_ready = _get(processes.get(app.name), "ready") is not False
        app.is_stopping = _get(processes.get(app.name), "stopping") is True
        app.attempt = find_number(processes.get(app.name), "attempt") or 0
        app.status = _read(pod.path, os.path.join("status", app.name)) if app.name and "/" not in app.name else {}
        state.apps.append(app)
    try:
        state.isolators = read_json_file(os.path.join(pod.path, "isolators.json"))
    except (MissingInputError, FormatError):
        state.isolators = None
    if state.state == "exited":
        end = _read(pod.path, "end")
        state.exit_code, state.failure = find_number(end, "exit"), _text(end.get("why"))
    os.stat(pod.path)  # what moves while it is read looks like a pod without files
    return state


def _app_state(app: dict[str, JSONValue]) -> AppState:
    image = _members(app, "image")
    return AppState(_text(app.get("name")), _text(image.get("name")), _text(image.get("id")))


def _members(value: dict[str, JSONValue], key: str) -> dict[str, JSONValue]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _read(path: str, name: str) -> dict[str, JSONValue]:
    try:
        value = read_json_file(os.path.join(path, name))
    except (MissingInputError, FormatError):
        return {}
    return value if isinstance(value, dict) else {}


def _list(value: JSONValue) -> list[dict[str, JSONValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: JSONValue) -> str:
    return value if isinstance(value, str) else ""


def _started(path: str) -> float | None:
    """Return when a pod was ready: of what stage1 writes then, `pid` is written anew when an app is started again."""
    times = [time for name in ("isolators.json", "pid") if (time := _time(path, name)) is not None]
    return min(times, default=None)


def _time(path: str, name: str) -> float | None:
    try:
        return os.stat(os.path.join(path, name)).st_mtime
    except FileNotFoundError:
        return None
