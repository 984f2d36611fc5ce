"""`acrun prepare` and `acrun run-prepared`: what `acrun run` does in one go, in two."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

from acrun.command_options import Directory, PodArgument, Stage1, announce
from acrun.command_run_options import Debug, Detach, Interactive, Keep, Remove, Tty, option_names, run
from acrun.launch import LaunchOptions
from acrun.prepared import run_prepared as run_prepared_pod
from acrun.workspace import own_run_directory
from acspec.errors import UsageError
from acspec.pods import Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Options of `acrun run` that are about a run alone: those of `acrun run-prepared`.
OF_THE_RUN = frozenset({"interactive", "detach", "remove", "keep", "debug", "tty"})


def _without(function: Callable[..., Any], names: frozenset[str]) -> Callable[..., Any]:
    """Return *function* as Typer sees it when it does not take *names*."""

    @wraps(function)
    def shorter(**values: Any) -> Any:
        return function(**values)

    signature = inspect.signature(function, eval_str=True)
    kept = [parameter for name, parameter in signature.parameters.items() if name not in names]
    shorter.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    shorter.__doc__ = "Prepare images as one pod, to be run later by acrun run-prepared; print its UUID."
    return shorter


prepare = _without(run, OF_THE_RUN)


def run_prepared(
    pod: PodArgument,
    directory: Directory = None,
    interactive: Interactive = False,
    tty: Tty = False,
    detach: Detach = False,
    remove: Remove = False,
    keep: Keep = False,
    stage1: Stage1 = None,
    debug: Debug = False,
) -> int:
    """Run a pod that acrun prepare has made. Ends with the app's exit code."""
    options = LaunchOptions(interactive=interactive, tty=tty, detach=detach, remove=remove, keep=keep, stage1=stage1, debug=debug)
    return announce(run_prepared_pod(Pods(own_run_directory(directory)), pod, options))


def find_early(exception: Exception) -> UsageError | None:
    """Return what to say of an option that `acrun prepare` does not know, when `acrun run-prepared` does."""
    option = getattr(exception, "option_name", None)
    if option not in option_names(run_prepared):
        return None
    return UsageError(str(option), "is an option of the run, not of its preparation", f"acrun run-prepared {option} POD")
