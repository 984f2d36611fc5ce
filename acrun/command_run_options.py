"""`acrun run` with options: those of the pod, those of this run, and those of each app behind its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from acrun.command_app_options import app_options
from acrun.command_options import Stage1, option_names
from acrun.command_pod_options import PodRequest, taking_pod_options
from acrun.command_run import announce
from acrun.launch import RunOptions
from acrun.run import run_pod
from acspec.errors import UsageError

# Those that are about a run alone, which a prepared pod gets when it is run.
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Standard input belongs to the app.")]
Tty = Annotated[bool, typer.Option("--tty", "-t", help="The app gets a terminal of its own, shown on this one.")]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Print the UUID when the apps run, and leave them alone.")]
Remove = Annotated[bool, typer.Option("--rm", help="Remove the pod at the end, status and logs too.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the apps' files at the end.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show what stage1 does.")]


@taking_pod_options
def run(
    request: PodRequest,
    interactive: Interactive = False,
    tty: Tty = False,
    detach: Detach = False,
    remove: Remove = False,
    keep: Keep = False,
    stage1: Stage1 = None,
    debug: Debug = False,
) -> int:
    """Run images as one pod. They come from standard input when none is named. Ends with the app's exit code."""
    how = RunOptions(interactive=interactive, tty=tty, detach=detach, remove=remove, keep=keep, stage1=stage1, debug=debug)
    images = request.read_images(interactive=interactive)
    return announce(run_pod(request.options, images, how, request.line))


def find_misplaced(exception: Exception) -> UsageError | None:
    """Return what to say of an option that Typer does not know before an image, when it is one that stands behind an image."""
    option = getattr(exception, "option_name", None)
    is_unknown = hasattr(exception, "possibilities")
    if not is_unknown or option not in option_names(app_options) - option_names(run):
        return None
    return UsageError(
        str(option), "is an option of an app", f"acrun IMAGE {option} …; for images from standard input: acrun - {option} …"
    )


def find_first_image(words: Sequence[str]) -> str | None:
    """Return the word that stands behind the options of the pod, whatever is wrong with them."""
    application = typer.Typer(add_completion=False)
    application.command(context_settings={"allow_interspersed_args": False})(run)
    context = typer.main.get_command(application).make_context("acrun", list(words), resilient_parsing=True)
    return next(iter(context.params.get("words") or ()), None)
