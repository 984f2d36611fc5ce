"""`acrun gc`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.collection import collect
from acrun.command_options import Directory, Json, Stage1
from acrun.workspace import own_run_directory
from acspec.durations import parse_duration
from acspec.jsontext import dump_json


def gc(
    directory: Directory = None,
    grace_period: Annotated[
        str, typer.Option(metavar="TIME", help="Keep the status and logs of pods that ended less than this ago.")
    ] = "30m",
    expire_prepared: Annotated[
        str, typer.Option(metavar="TIME", help="Remove pods that were prepared this long ago and never run.")
    ] = "24h",
    stage1: Stage1 = None,
    json: Json = False,
) -> None:
    """Remove what is no longer needed. Ended and aborted pods, trees that no pod uses, what a crash left behind."""
    kept, unused = parse_duration(grace_period, "--grace-period"), parse_duration(expire_prepared, "--expire-prepared")
    removed = collect(own_run_directory(directory), kept, stage1, unused)
    if json:
        sys.stdout.buffer.write(dump_json({"pods": list(removed.pods), "trees": list(removed.trees)}))
        return
    for kind, names in (("pod", removed.pods), ("tree", removed.trees)):
        for name in names:
            sys.stdout.write(f"{kind} {name}\n")
