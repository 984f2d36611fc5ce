"""`acrun gc`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.collection import UNUSED_SECONDS, collect
from acrun.command_options import Directory, Json, Stage1
from acrun.workspace import own_run_directory
from acspec.jsontext import dump_json


def gc(
    directory: Directory = None,
    grace_period: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, help="Keep the status and logs of pods that ended less than this ago.")
    ] = 1800,
    expire_prepared: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, help="Remove pods that were prepared this long ago and never run.")
    ] = UNUSED_SECONDS,
    stage1: Stage1 = None,
    json: Json = False,
) -> None:
    """Remove what is no longer needed. Ended and aborted pods, trees that no pod uses, what a crash left behind."""
    removed = collect(own_run_directory(directory), grace_period, stage1, expire_prepared)
    if json:
        sys.stdout.buffer.write(dump_json({"pods": list(removed.pods), "trees": list(removed.trees)}))
        return
    for kind, names in (("pod", removed.pods), ("tree", removed.trees)):
        for name in names:
            sys.stdout.write(f"{kind} {name}\n")
