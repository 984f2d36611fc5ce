"""Pods as people see them: lines of `list`, fields of `status`. Programs take `--json` instead.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import time

from acrun.states import rfc3339
from acrun.table import ago, lay_out
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acrun.states import AppState, PodState
    from acrun.usage import Usage
    from acrun.watching import Sample
    from acspec.jsontext import JSONValue

_SHORT_ID = 19  # `sha512-` and twelve digits


def list_pods(states: Sequence[PodState]) -> str:
    """Return a table of pods, one line for each app."""
    rows = [row for state in states for row in _rows(state)]
    return lay_out(("UUID", "NAME", "APP", "IMAGE", "STATE", "CREATED", "ENDED"), rows)


def _rows(state: PodState) -> list[tuple[str, ...]]:
    created = ago(time.time() - state.created) if state.created is not None else ""
    first = (state.uuid[:8], state.name or "")
    if not state.apps:
        return [(*first, "", "", state.state, created, "")]
    return [
        (*(first if index == 0 else ("", "")), app.name, app.image_name or app.image_id[:_SHORT_ID], state.state, created,
         state.end_of(app))
        for index, app in enumerate(state.apps)
    ]  # fmt: skip


def describe(state: PodState, usage: Usage | None, messages: Sequence[str] = ()) -> str:
    """Return one pod field by field: itself, its apps, what it uses while it runs, each isolator, and what stage1 said."""
    fields = [("uuid", state.uuid), ("name", state.name or ""), ("state", state.state), *_ends(state), *_times(state)]
    fields.append(("directory", state.path))
    fields += [(f"annotation {name}", value) for name, value in state.annotations.items()]
    for app in state.apps:
        fields += [(f"app {app.name}", state.end_of(app) or state.state_of(app)), *_details(state, app)]
    if usage is not None:
        fields += [("processes", str(usage.pids or "")), ("memory", view_size(usage.memory_bytes))]
        fields.append(("cpu time", f"{usage.cpu_seconds or 0:.2f} s"))
    isolators = state.isolators if isinstance(state.isolators, list) else []
    fields += [_isolator(isolator) for isolator in isolators if isinstance(isolator, dict)]
    fields += [("message", line) for line in messages]
    return lay_out(("FIELD", "VALUE"), fields)


def list_samples(samples: Sequence[Sample]) -> str:
    """Return a table of what apps use, one line each."""
    rows = [
        (
            sample.name or sample.uuid[:8],
            sample.app,
            "" if sample.cpu_percent is None else f"{sample.cpu_percent:.1f} %",
            "" if sample.usage.cpu_seconds is None else f"{sample.usage.cpu_seconds:.2f} s",
            view_size(sample.usage.memory_bytes),
            view_size(sample.usage.memory_limit),
            "" if sample.usage.pids is None else str(sample.usage.pids),
            view_size(sample.usage.read_bytes),
            view_size(sample.usage.written_bytes),
        )
        for sample in samples
    ]
    return lay_out(("POD", "APP", "CPU", "CPU TIME", "MEMORY", "LIMIT", "PIDS", "READ", "WRITTEN"), rows)


def view_size(size: int | None) -> str:
    """Return a number of bytes, if there is one, as people read it."""
    return "" if size is None else human_size(size)


def _ends(state: PodState) -> Iterator[tuple[str, str]]:
    if state.exit_code is not None:
        yield "exit code", str(state.exit_code)
    if state.failure:
        yield "failed", state.failure


def _times(state: PodState) -> Iterator[tuple[str, str]]:
    for label, moment in (("created", rfc3339(state.created)), ("started", rfc3339(state.started)), ("ended", state.ended)):
        if moment is not None:
            yield label, moment


def _details(state: PodState, app: AppState) -> Iterator[tuple[str, str]]:
    """Return what is known of an app beside how it is or ended."""
    yield "  image", f"{app.image_name} {app.image_id[:_SHORT_ID]}".strip()
    if app.backend:
        yield "  root", app.backend
    process = state.process_of(app)
    if process is not None:
        yield "  process", str(process)
    if state.state == "running" and (moment := app.next_start()) is not None:
        yield "  next start", moment
    for key in ("attempt", "started", "ended", "post-stop"):
        if app.status.get(key) not in (None, ""):
            yield f"  {key}", str(app.status[key])


def _isolator(isolator: dict[str, JSONValue]) -> tuple[str, str]:
    reason = f" ({isolator['why']})" if isolator.get("why") else ""
    return f"isolator {isolator.get('name')}", f"{isolator.get('state')} for {isolator.get('app') or 'pod'}{reason}"
