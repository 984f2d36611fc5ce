"""The life of a pod as values: what it and each of its apps is doing, and how they ended.

Nothing is read or written here.

Source: spec/pod-directory.md, Phases and Files.
"""

from __future__ import annotations

from acspec.errors import BusyError, MissingInputError, UsageError
from acspec.execution import format_moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


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
            handler = "pre-start: " if self.status["failed"] == "pre-start" else ""
            return f"failed to start: {handler}{self.status.get('why', self.status['failed'])}"
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
        "annotations", "apps", "created", "exit_code", "failure", "id_map", "isolators", "name", "path", "pids", "started", "state",
        "uuid",
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
        self.id_map: JSONValue = None
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

    def get_app(self, name: str | None, spelling: tuple[str, str] = ("--app ", "")) -> AppState:
        """Return the app *name*; without a name the only one there is. *spelling* is what stands around a name when it is typed.

        Raises: MissingInputError; UsageError when there are several to choose from.
        """
        names = [app.name for app in self.apps]
        if name is None:
            if len(self.apps) != 1:
                before, behind = spelling
                raise UsageError(self.name or self.uuid, f"has {len(names)} apps", f"{before}{'|'.join(names)}{behind}")
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


def find_number(value: JSONValue, key: str) -> int | None:
    """Return the whole number that is *key* of an object, None where there is no such thing."""
    number = value.get(key) if isinstance(value, dict) else None
    return number if isinstance(number, int) else None
