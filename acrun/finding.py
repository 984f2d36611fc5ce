"""Pods as people name them, by UUID, name or file: their states, their manifests, their ends.

Source: spec/pod-directory.md, Phases and Locks.
"""

from __future__ import annotations

import os

from acrun.messages import open_seen
from acrun.pauses import sleep_while_read
from acrun.records import read_state
from acspec import limits
from acspec.errors import MissingInputError
from acspec.jsontext import dump_pretty, parse_json, read_limited
from acspec.locks import open_locked
from acspec.pods import PHASES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from acrun.states import PodState
    from acspec.pods import Pod, Pods

# The phases of a pod that has not been run; the last is that of one which is being removed and never will be.
NOT_RUN = ("embryo", "prepare", "prepared", "garbage")
# Seconds between two looks at a pod that waits to be run: nobody tells of that.
_LOOK = 0.1


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
    """Wait until the pod that *text* means has run and ended; one that is being made, or waits to be run, is still to do so.

    While it is made and while it runs, this process is asleep until the kernel gives the pod's lock. A pod whose maker was killed
    will never run, and is not waited for.

    Raises: MissingInputError when there is none, or it is removed meanwhile; BrokenPipeError when nobody reads standard output any
    more while it waits to be run; OSError.
    Source: spec/pod-directory.md, Phases and Locks.
    """
    _wait(pods, text, PHASES)


def wait_for_run(pods: Pods, text: str) -> None:
    """Wait until the pod that *text* means is run, as `wait_for_end` does; one whose maker was killed is not waited for.

    Raises: MissingInputError when there is none, or it is removed meanwhile; BrokenPipeError when nobody reads standard output any
    more while it waits to be run; OSError.
    Source: spec/pod-directory.md, Phases and Locks.
    """
    _wait(pods, text, NOT_RUN)


def _wait(pods: Pods, text: str, phases: Collection[str]) -> None:
    """Wait until the pod that *text* means has left *phases*, or nobody holds its lock any more."""
    pod = pods.get(text)
    while pod.phase in phases and not _has_ended(pod):
        before = pod.phase
        try:
            pod = pods.get(pod.uuid)
        except MissingInputError:
            raise MissingInputError(text, f"was removed {'as soon as it had ended' if before == 'run' else 'meanwhile'}") from None


def _has_ended(pod: Pod) -> bool:
    """Return True when there is nothing (more) to wait for, False when the pod is somewhere else by now."""
    try:
        if pod.phase == "prepared":
            # Its lock is free for whoever is to run it, and that shall be so: not even for an instant is it held here.
            while os.path.lexists(pod.path):
                sleep_while_read(_LOOK)
            return False
        os.close(open_locked(pod.path, shared=True, wait=True))
    except FileNotFoundError:
        return False
    return True


def read_manifest(pods: Pods, text: str, *, pretty: bool) -> bytes:
    """Return the manifest of the pod that *text* means as it is stored, or laid out for people.

    Raises: MissingInputError when there is no such pod, or no manifest in it (yet); FormatError; OSError.
    Source: pods.md, Pod Manifest Schema.
    """
    path = os.path.join(pods.get(text).path, "pod")
    try:
        with open_seen(path) as file:
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
