"""The files of a pod directory, read into its state, and its manifest.

Read without the pod's lock, so any file may be missing; a file that is there is whole. Nothing is written.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os

from acrun.states import AppState, PodState, find_number, find_pid
from acspec.errors import FormatError, MissingInputError
from acspec.jsontext import read_json_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.jsontext import JSONValue
    from acspec.pods import Pod


def read_state(pod: Pod, names: Mapping[str, str] | None = None) -> PodState:
    """Return the state of *pod*; *names* are those of all pods by UUID, where somebody has them at hand.

    Raises: FileNotFoundError when it has been moved or removed meanwhile; OSError.
    Source: spec/pod-directory.md, Phases and Files.
    """
    name = pod.pods.find_name(pod.uuid) if names is None else names.get(pod.uuid)
    state = PodState(pod.uuid, pod.path, pod.state(), name, _time(pod.path, "pod"), _started(pod.path))
    state.pids, manifest = _read(pod.path, "pid"), _read(pod.path, "pod")
    state.annotations = {_text(value.get("name")): _text(value.get("value")) for value in _list(manifest.get("annotations"))}
    document = _read(pod.path, "stage1.json")
    state.id_map = document.get("idMap")
    settings, processes = _members(document, "apps"), _members(state.pids, "apps")
    for value in _list(manifest.get("apps")):
        app = _app_state(value, settings)
        _add_process(app, _members(processes, app.name))
        app.status = _read(pod.path, os.path.join("status", app.name)) if app.name and "/" not in app.name else {}
        state.apps.append(app)
    state.isolators = _read_any(pod.path, "isolators.json")
    if state.state == "exited":
        end = _read(pod.path, "end")
        state.exit_code, state.failure = find_number(end, "exit"), _text(end.get("why"))
    os.stat(pod.path)  # what moves while it is read looks like a pod without files
    return state


def read_hostname(path: str) -> str:
    """Return the host name of the pod at *path*. Source: spec/stage1.md, stage1.json."""
    return _text(_read(path, "stage1.json").get("hostname"))


def _app_state(value: dict[str, JSONValue], settings: dict[str, JSONValue]) -> AppState:
    image = _members(value, "image")
    app = AppState(_text(value.get("name")), _text(image.get("name")), _text(image.get("id")))
    rootfs = _members(_members(settings, app.name), "rootfs")
    app.backend, app.lower = _text(rootfs.get("backend")), _text(rootfs.get("lower"))
    return app


def _add_process(app: AppState, process: dict[str, JSONValue]) -> None:
    app.pid = find_pid(process)
    app.is_ready = process.get("ready") is not False
    app.is_stopping = process.get("stopping") is True
    app.attempt = find_number(process, "attempt") or 0


def _members(value: dict[str, JSONValue], key: str) -> dict[str, JSONValue]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _read(path: str, name: str) -> dict[str, JSONValue]:
    value = _read_any(path, name)
    return value if isinstance(value, dict) else {}


def _read_any(path: str, name: str) -> JSONValue:
    try:
        return read_json_file(os.path.join(path, name))
    except (MissingInputError, FormatError):
        return None


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
