"""A pod that was prepared, run: what belongs to this run is written into stage1.json, and the pod moves from prepared to run.

Up to the move everything can fail and leaves the pod prepared; a kill after it leaves what a collection finds.

Source: spec/pod-directory.md, Phases; spec/stage1.md, stage1.json.
"""

from __future__ import annotations

import os

from acrun.launch import start
from acrun.stage1 import hold_requests
from acspec.durable import write_file
from acspec.errors import BusyError, FormatError, MissingInputError
from acspec.jsontext import dump_json, read_json_file
from acspec.pods import PREPARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acrun.detach import Detached
    from acrun.launch import RunOptions
    from acspec.pods import Pods


def run_prepared(pods: Pods, text: str, options: RunOptions) -> Detached:
    """Run the prepared pod that *text* means: this process becomes stage1, or returns how the start of a detached pod went.

    Raises: MissingInputError when it is not prepared; BusyError when somebody else is at it; UsageError; FormatError; OSError.
    Source: spec/pod-directory.md, Phases.
    """
    options.check()
    pod = pods.get(text)
    if pod.phase != PREPARED:
        raise MissingInputError(text, f"is {pod.state()}, not prepared", "acrun prepare makes such a pod")
    try:
        pod.lock()
    except BusyError:
        raise BusyError(text, "another process works on it") from None
    _adapt(pod.path, options)
    hold_requests(options.stage1)
    pod.move("run")
    return start(pod, options)


def _adapt(path: str, options: RunOptions) -> None:
    place = os.path.join(path, "stage1.json")
    document = read_json_file(place)
    apps = document.get("apps") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(apps, dict):
        raise FormatError(place, "is not what acrun prepare writes")
    for name, streams in options.streams(list(apps)).items():
        settings = apps[name]
        if isinstance(settings, dict):
            settings.update(streams)
    write_file(place, dump_json(document | options.switches()), mode=0o600)
