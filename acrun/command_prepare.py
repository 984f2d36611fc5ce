"""`acrun prepare` and `acrun run-prepared`: what `acrun run` does in one go, in two."""

from __future__ import annotations

import sys

from acrun.command_options import Directory, PodArgument, Stage1, option_names
from acrun.command_pod_options import PodRequest, taking_pod_options
from acrun.command_run import announce
from acrun.command_run_options import Debug, Detach, Interactive, Keep, Remove, Tty
from acrun.launch import RunOptions
from acrun.prepared import run_prepared as run_prepared_pod
from acrun.run import prepare_pod
from acrun.workspace import own_run_directory
from acspec.errors import UsageError
from acspec.pods import Pods


@taking_pod_options
def prepare(request: PodRequest) -> None:
    """Make a pod of images, to be run later. Prints its UUID, for acrun run-prepared."""
    sys.stdout.write(f"{prepare_pod(request.options, request.read_images())}\n")


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
    options = RunOptions(interactive=interactive, tty=tty, detach=detach, remove=remove, keep=keep, stage1=stage1, debug=debug)
    return announce(run_prepared_pod(Pods(own_run_directory(directory)), pod, options))


def find_early(exception: Exception) -> UsageError | None:
    """Return what to say of an option that `acrun prepare` does not know, when `acrun run-prepared` does."""
    option = getattr(exception, "option_name", None)
    if option not in option_names(run_prepared):
        return None
    return UsageError(str(option), "is an option of the run, not of its preparation", f"acrun run-prepared {option} POD")
