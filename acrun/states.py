"""What the files of a pod directory say of its life: apps, when it began, how each app ended.

Read without the pod's lock, so any file may be missing; a file that is there is whole. Nothing is written.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
import time

from acspec.errors import FormatError, MissingInputError
from acspec.jsontext import read_json_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acspec.pods import Pod


class AppState:
    """One app of a pod: its name, its image (name and ID), and its status file's content (empty before the app ended)."""

    __slots__ = ("image_id", "image_name", "name", "status")

    def __init__(self, name: str, image_name: str, image_id: str, status: dict[str, JSONValue]) -> None:
        self.name = name
        self.image_name = image_name
        self.image_id = image_id
        self.status = status

    def ended(self) -> str:
        """Return how the app ended in a few words, or the empty string while nothing says so."""
        if "exit" in self.status:
            return f"exit {self.status['exit']}"
        if "signal" in self.status:
            return f"signal {self.status['signal']}"
        if "failed" in self.status:
            return f"failed to start: {self.status.get('why', self.status['failed'])}"
        return ""


class PodState:
    """A pod as `list` and `status` show it. Times are seconds since the epoch, or None."""

    __slots__ = ("apps", "created", "isolators", "name", "path", "pids", "started", "state", "uuid")

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

    def end_of(self, app: AppState) -> str:
        """Return how an app ended, "aborted" when its monitor was gone before it could say; empty while it has not ended."""
        return app.ended() or ("aborted" if self.state == "exited" else "")

    def state_of(self, app: AppState) -> str:
        """Return what an app that has not ended is doing: starting until it has a process, then running; else as the pod."""
        if self.state != "running":
            return self.state
        processes = self.pids.get("apps")
        return "running" if isinstance(processes, dict) and processes.get(app.name) else "starting"

    def _pid(self) -> JSONValue:
        init = self.pids.get("init")
        return init.get("pid") if isinstance(init, dict) else None

    def to_json(self) -> dict[str, JSONValue]:
        """Return the pod for `--json`."""
        apps: list[JSONValue] = [
            {"name": app.name, "image": {"name": app.image_name, "id": app.image_id}, "status": app.status or None}
            for app in self.apps
        ]
        return {
            "uuid": self.uuid,
            "directory": self.path,
            "name": self.name,
            "state": self.state,
            "created": _rfc3339(self.created),
            "started": _rfc3339(self.started),
            "pid": self._pid() if self.state == "running" else None,
            "apps": apps,
            "isolators": self.isolators,
        }


def _rfc3339(moment: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC. Source: types.md, Timestamps."""
    if moment is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1_000_000):06d}Z"


def read_state(pod: Pod) -> PodState:
    """Return the state of *pod*.

    Raises: FileNotFoundError when it has been moved or removed meanwhile; OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    state = PodState(pod.uuid, pod.path, pod.state(), pod.pods.find_name(pod.uuid), _time(pod.path, "pod"), _time(pod.path, "pid"))
    document = _read(pod.path, "pod")
    for app in _list(document.get("apps")):
        state.apps.append(_app_state(pod.path, app))
    state.pids = _read(pod.path, "pid")
    try:
        state.isolators = read_json_file(os.path.join(pod.path, "isolators.json"))
    except (MissingInputError, FormatError):
        state.isolators = None
    return state


def _app_state(path: str, app: dict[str, JSONValue]) -> AppState:
    name = _text(app.get("name"))
    image = app.get("image")
    values = image if isinstance(image, dict) else {}
    status = _read(path, os.path.join("status", name)) if name and "/" not in name else {}
    return AppState(name, _text(values.get("name")), _text(values.get("id")), status)


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


def _time(path: str, name: str) -> float | None:
    try:
        return os.stat(os.path.join(path, name)).st_mtime
    except FileNotFoundError:
        return None
