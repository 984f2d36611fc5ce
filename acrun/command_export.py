"""`acrun export`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.command_options import Directory, PodArgument
from acrun.exporting import ExportRequest, export_app
from acrun.workspace import own_run_directory
from acspec.archive.compression import Compression
from acspec.pods import Pods
from acspec.program import tell


def export(
    pod: PodArgument,
    output: Annotated[str, typer.Argument(metavar="OUTPUT.aci", help="The image to be written, or - for standard output.")],
    app: Annotated[str | None, typer.Option(metavar="NAME", help="This app; not needed when there is only one.")] = None,
    compression: Annotated[Compression, typer.Option(help="How to compress the image.")] = Compression.GZIP,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_run: Annotated[bool, typer.Option("--as-run", help="With the arguments, environment and options of this run.")] = False,
    print_id: Annotated[bool, typer.Option("--print-id", help="Print the image's ID.")] = False,
    directory: Directory = None,
) -> None:
    """Make an image of what an app left. Of one that has ended: its root file system, without volumes."""
    request = ExportRequest(pod, output, app, compression, overwrite=overwrite, as_run=as_run)
    exported = export_app(Pods(own_run_directory(directory)), request)
    for line in exported.warnings:
        tell("acrun", line)
    if print_id:
        (sys.stderr if output == "-" else sys.stdout).write(f"{exported.image_id}\n")
