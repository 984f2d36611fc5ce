"""`acrun list`, `acrun status` and `acrun rm`: options in, one call, one print."""

from __future__ import annotations

import os
import sys
import time
from typing import Annotated

import typer

from acrun.command_options import Directory, Json, PodArgument, PodArguments, Stage1
from acrun.states import PodState, read_state
from acrun.sweep import remove_pod
from acrun.table import ago, lay_out
from acrun.usage import Usage, measure
from acspec.directories import run_directory
from acspec.errors import MissingInputError
from acspec.jsontext import dump_json, dump_pretty
from acspec.locks import open_locked
from acspec.pods import Pod, Pods
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


def list_pods(directory: Directory = None, json: Json = False) -> None:
    """Show the pods: what each is doing and how its apps ended."""
    states = [state for pod in Pods(run_directory(directory)).all() if (state := _try_read(pod)) is not None]
    if json:
        sys.stdout.buffer.write(b"".join(dump_json(state.to_json()) for state in states))
        return
    rows = [row for state in sorted(states, key=lambda state: -(state.created or 0)) for row in _rows(state)]
    sys.stdout.write(lay_out(("UUID", "NAME", "APP", "IMAGE", "STATE", "CREATED", "ENDED"), rows))


def status(
    pod: PodArgument,
    directory: Directory = None,
    json: Json = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the pod has ended.")] = False,
) -> None:
    """Show one pod: its state, its apps, and which isolators are enforced."""
    found = Pods(run_directory(directory)).get(pod)
    if wait and found.phase == "run":
        os.close(open_locked(found.path, shared=True, wait=True))
    state = read_state(found)
    usage = measure(state.pids.get("init")) if state.state == "running" else None
    if json:
        sys.stdout.buffer.write(dump_pretty(state.to_json() | {"usage": usage.to_json() if usage is not None else None}))
        return
    sys.stdout.write(_describe(state, usage))


def remove(
    pods: PodArguments,
    directory: Directory = None,
    stage1: Stage1 = None,
) -> None:
    """Remove pods that have ended, with everything they left."""
    all_pods = Pods(run_directory(directory))
    for found in [all_pods.get(text) for text in pods]:
        remove_pod(found, stage1)


def _try_read(pod: Pod) -> PodState | None:
    try:
        return read_state(pod)
    except (FileNotFoundError, MissingInputError):
        return None


def _rows(state: PodState) -> list[tuple[str, ...]]:
    created = ago(time.time() - state.created) if state.created is not None else ""
    first = (state.uuid[:8], state.name or "")
    if not state.apps:
        return [(*first, "", "", state.state, created, "")]
    return [
        (*(first if index == 0 else ("", "")), app.name, app.image_name, state.state, created, state.end_of(app))
        for index, app in enumerate(state.apps)
    ]


def _describe(state: PodState, usage: Usage | None) -> str:
    lines = [("uuid", state.uuid), ("name", state.name or ""), ("state", state.state)]
    for label, moment in (("created", state.created), ("started", state.started)):
        if moment is not None:
            lines.append((label, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))))
    lines.append(("directory", state.path))
    lines += [(f"app {app.name}", state.end_of(app) or state.state_of(app)) for app in state.apps]
    if usage is not None:
        lines += [("processes", str(usage.processes)), ("memory", human_size(usage.memory_bytes))]
        lines.append(("cpu time", f"{usage.cpu_seconds:.2f} s"))
    isolators = state.isolators if isinstance(state.isolators, list) else []
    lines += [_isolator(isolator) for isolator in isolators if isinstance(isolator, dict)]
    return lay_out(("FIELD", "VALUE"), lines)


def _isolator(isolator: dict[str, JSONValue]) -> tuple[str, str]:
    reason = f" ({isolator['why']})" if isolator.get("why") else ""
    return f"isolator {isolator.get('name')}", f"{isolator.get('state')} for {isolator.get('app') or 'pod'}{reason}"
