"""`acrun cp`: options in, one call, notes out."""

from __future__ import annotations

from typing import Annotated

import typer

from acrun.command_options import Directory
from acrun.copying import copy
from acrun.workspace import own_run_directory
from acspec.pods import Pods
from acspec.program import tell


def cp(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="POD:/PATH, POD:APP:/PATH, a path here, or - for a tar.")],
    destination: Annotated[str, typer.Argument(metavar="DEST", help="The same; one of the two is in a pod.")],
    follow_link: Annotated[bool, typer.Option("--follow-link", "-L", help="Copy what a link leads to.")] = False,
    directory: Directory = None,
) -> None:
    """Copy files from a pod or into it, whether it runs or not. Modes, owners and times stay."""
    for note in copy(Pods(own_run_directory(directory)), source, destination, follow=follow_link):
        tell("acrun", note)
