"""`acfetch gc`: options in, one call, one print."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from acfetch.collection import CollectOptions, collect
from acfetch.listing import collected_lines, collected_object
from acspec.directories import data_directory, run_directory
from acspec.durations import parse_duration


def gc(
    directory: Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")] = None,
    keep_for: Annotated[
        str, typer.Option(metavar="DURATION", help="Keep what was used less than this ago (30d, 12h, 90m, 0).")
    ] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Remove nothing, and say what would go.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Remove images that nobody has used lately. None goes that a pod or another image needs; what was left half done goes, too."""
    seconds = parse_duration(keep_for, "--keep-for")
    options = CollectOptions(data_directory(directory), run_directory(directory), seconds, dry_run)
    collected = collect(options, time.time())
    if json:
        sys.stdout.buffer.write(collected_object(collected))
    else:
        sys.stdout.write(collected_lines(collected))
