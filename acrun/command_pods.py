"""`acrun list` and `acrun rm`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.collection import remove_pods
from acrun.command_options import Directory, Json, PodArguments, Stage1
from acrun.finding import list_states
from acrun.selection import PodSelection
from acrun.views import list_pods as view_pods
from acrun.workspace import own_run_directory
from acspec.directories import run_directory
from acspec.jsontext import dump_json
from acspec.pods import Pods


def list_pods(
    directory: Directory = None,
    state: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Only pods that are running, exited, prepared, …")
    ] = None,
    annotation: Annotated[list[str] | None, typer.Option(metavar="NAME[=VALUE]", help="Only pods with this annotation.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but UUIDs, one a line.")] = False,
    json: Json = False,
) -> None:
    """Show the pods, what they do and how their apps ended. The one made last comes first."""
    wanted = PodSelection(state or (), annotation or ())
    states = [item for item in list_states(Pods(run_directory(directory))) if wanted.takes(item)]
    if json:
        sys.stdout.buffer.write(b"".join(dump_json(item.to_json()) for item in states))
    elif quiet:
        sys.stdout.write("".join(f"{item.uuid}\n" for item in states))
    else:
        sys.stdout.write(view_pods(states))


def remove(
    pods: PodArguments,
    directory: Directory = None,
    stage1: Stage1 = None,
) -> None:
    """Remove pods that have ended, with everything they left."""
    remove_pods(Pods(own_run_directory(directory)), pods, stage1)
