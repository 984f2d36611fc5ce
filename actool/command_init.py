"""`actool init`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from actool.changes.manifest_changes import ManifestChanges
from actool.command_changes import with_manifest_options
from actool.init import make_layout, make_manifest


@with_manifest_options
def init_command(
    directory: Annotated[
        str | None, typer.Argument(metavar="LAYOUT_DIR", help="Make it with manifest and rootfs; else print the manifest.")
    ] = None,
    no_platform: Annotated[bool, typer.Option("--no-platform", help="Add no labels os and arch for this machine.")] = False,
    *,
    changes: ManifestChanges,
) -> None:
    """Write a first manifest. --name is needed; the labels os and arch are this machine's unless they are given."""
    manifest = make_manifest(changes, platform=not no_platform)
    if directory in (None, "-"):
        sys.stdout.buffer.write(manifest)
    else:
        make_layout(directory, manifest)
