"""The sequence of a collection: crashed pods, ended pods, half-made things, trees that no pod uses.

A free lock means that the monitor is gone, not that the pod is: `stage1 gc` first kills and removes what the kernel still has, then
the files go. The exclusive lock is taken in one step, without waiting; who holds one is left alone.

Source: spec/pod-directory.md, Collection; spec/store.md, Rendered trees.
"""

from __future__ import annotations

import os
import time

from acrun.stage1 import collect_pod, get_stage1
from acspec.durable import list_names, remove_tree, sweep_new_files
from acspec.errors import BusyError, KernelError, MissingInputError, ToolError
from acspec.locks import iterate_unlocked
from acspec.pods import Pod, Pods
from acspec.program import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# What was used within a day is not collected: a script may be about to use it again.
UNUSED_SECONDS = 24 * 3600

# Plans are dated when they are used; a filter never is, so that a younger libseccomp makes it anew within a day.
_NOTES = ("plans", "filters")


class Removed:
    """What a collection removed: UUIDs of pods, keys of trees."""

    __slots__ = ("pods", "trees")

    def __init__(self) -> None:
        self.pods: list[str] = []
        self.trees: list[str] = []


def collect(run_directory: str, grace_period: int, stage1: str | None, expire_prepared: int = UNUSED_SECONDS) -> Removed:
    """Remove what is no longer needed below *run_directory* and say what it was. *grace_period* is in seconds.

    So is *expire_prepared*: the age from which on nobody is expected to run a prepared pod any more.

    Raises: KernelError when something of a pod cannot be killed; OSError.
    Source: spec/pod-directory.md, Collection.
    """
    removed = Removed()
    pods = Pods(run_directory)
    refusal: KernelError | OSError | None = None
    for pod in list(pods.all()):
        try:
            if _collect_pod(pod, grace_period, stage1, expire_prepared):
                removed.pods.append(pod.uuid)
        except KernelError as error:  # told at the end: the other pods must not wait for this one
            refusal = refusal or error
        except OSError as error:
            refusal = refusal or OSError(error.errno, error.strerror, pod.path)
    _collect_temporary(run_directory)
    for directory in (run_directory, *(os.path.join(run_directory, name) for name in _NOTES), os.path.join(pods.path, "names")):
        sweep_new_files(directory)
    _collect_trees(run_directory, _trees_in_use(pods), removed)
    _collect_notes(run_directory)
    if refusal is not None:
        raise refusal
    return removed


def remove_pods(pods: Pods, words: Sequence[str], stage1: str | None) -> None:
    """Remove all that can be removed of the pods that *words* mean, and say of each that cannot why.

    Raises: what `Pods.get` and `remove_pod` raise, of the last that could not be removed.
    Source: spec/pod-directory.md, Collection.
    """
    found: dict[str, tuple[str, Pod]] = {}
    refusals: list[ToolError] = []
    for word in words:  # before the first goes: the beginning of a UUID must not come to mean another pod
        try:
            pod = pods.get(word)
        except MissingInputError as error:
            refusals.append(error)
        else:
            found.setdefault(pod.uuid, (word, pod))
    for word, pod in found.values():
        try:
            remove_pod(pod, stage1, word)
        except ToolError as error:  # the others must not wait for this one
            refusals.append(error)
    for refusal in refusals[:-1]:
        tell("acrun", str(refusal))
    if refusals:
        raise refusals[-1]


def remove_pod(pod: Pod, stage1: str | None, what: str) -> None:
    """Remove one pod that is not running, whatever its phase; *what* is how the user named it.

    Raises: BusyError when it runs or somebody works on it; KernelError; OSError.
    Source: spec/pod-directory.md, Collection.
    """
    if pod.phase == "run":
        _clean_kernel(pod, stage1, what)
    _remove_files(pod, what)


def _remove_files(pod: Pod, what: str) -> None:
    try:
        pod.lock()
    except BusyError:
        raise BusyError(what, f"is {pod.state()}", "acrun status shows it") from None
    try:
        if pod.phase != "garbage":
            pod.move("exited-garbage" if pod.phase in ("run", "exited-garbage") else "garbage")
        pod.pods.release_names(pod.uuid)
        remove_tree(pod.path)
    finally:
        pod.unlock()


def _collect_pod(pod: Pod, grace_period: int, stage1: str | None, expire_prepared: int) -> bool:
    try:
        if pod.state() not in ("exited", "aborted", "embryo", "garbage", "prepared"):
            return False
        if pod.phase == "prepared" and time.time() - _last_change(pod.path) < expire_prepared:
            return False
        if pod.phase == "run":
            _clean_kernel(pod, stage1, pod.uuid)
            # The directory's change time is that of the last file written or renamed in it: the end of its last app.
            if time.time() - _last_change(pod.path) < grace_period:
                return False
        _remove_files(pod, pod.uuid)
    except (BusyError, FileNotFoundError):  # somebody is faster, or has just begun to use it
        return False
    return True


def _last_change(path: str) -> float:
    latest = os.stat(path).st_ctime
    try:
        return max(latest, os.stat(os.path.join(path, "status")).st_ctime)
    except FileNotFoundError:
        return latest


def _clean_kernel(pod: Pod, stage1: str | None, what: str) -> None:
    if pod.state() == "running":
        raise BusyError(what, "is running", "acrun stop ends it")
    if not os.path.exists(os.path.join(pod.path, "cgroups")):
        return  # stage1 never began
    code, said = collect_pod(get_stage1(stage1), pod.path)
    if code == BusyError.exit_code:
        raise BusyError(what, "is in use by another process")
    if code != 0:
        os.stat(pod.path)  # gone, when another collector is faster
        raise KernelError(what, f"stage1 could not collect it: {said or f'exit code {code}'}")


def _collect_temporary(run_directory: str) -> None:
    """Remove what makers of trees left in RUN/tmp; whoever is alive holds the lock of what is being made."""
    directory = os.path.join(run_directory, "tmp")
    for path in iterate_unlocked(os.path.join(directory, name) for name in list_names(directory)):
        remove_tree(path)


def _trees_in_use(pods: Pods) -> set[str]:
    return {lines[0] for pod in pods.all() for lines in pod.read_trees() if lines}


def _collect_trees(run_directory: str, in_use: set[str], removed: Removed) -> None:
    directory = os.path.join(run_directory, "trees")
    for path in iterate_unlocked(os.path.join(directory, key) for key in list_names(directory) if key not in in_use):
        key = os.path.basename(path)
        # Under the lock the pods are read again: one that was just made names its tree before it lets its lock go.
        if time.time() - os.stat(path).st_mtime < UNUSED_SECONDS or key in _trees_in_use(Pods(run_directory)):
            continue
        aside = os.path.join(run_directory, "tmp", f"old-{key}")
        os.makedirs(os.path.dirname(aside), mode=0o700, exist_ok=True)
        os.rename(path, aside)
        remove_tree(aside)
        removed.trees.append(key)


def _collect_notes(run_directory: str) -> None:
    directories = [os.path.join(run_directory, name) for name in _NOTES]
    for path in [os.path.join(directory, name) for directory in directories for name in list_names(directory)]:
        try:
            if time.time() - os.stat(path).st_mtime >= UNUSED_SECONDS:
                os.unlink(path)
        except FileNotFoundError:  # somebody is faster
            continue
