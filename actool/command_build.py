"""`actool build`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from acspec.archive.compression import Compression
from acspec.archive.write import ImageSettings
from actool.build import BuildRequest, build, source_date_epoch


def build_command(
    layout: Annotated[str, typer.Argument(metavar="LAYOUT_DIR", help="A directory that holds manifest and rootfs.")],
    output: Annotated[str, typer.Argument(metavar="OUTPUT.aci", help="The image to write, or - for standard output.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.aci when it exists.")] = False,
    compression: Annotated[Compression, typer.Option(help="How to compress the image.")] = Compression.GZIP,
    encoder: Annotated[
        Literal["isal", "zlib"],
        typer.Option("--compression-encoder", help="Who makes gzip's bytes: isal is fast, zlib a little smaller."),
    ] = "isal",
    owner_root: Annotated[bool, typer.Option("--owner-root", help="Let root own every file in the image.")] = False,
    print_id: Annotated[bool, typer.Option("--print-id", help="Print the image ID.")] = False,
) -> None:
    """Build an image from a layout directory. The same layout gives the same bytes; $SOURCE_DATE_EPOCH caps all times."""
    settings = ImageSettings(compression, encoder, clamp_ns=source_date_epoch(), owner_root=owner_root)
    written = build(BuildRequest(layout, output, overwrite, settings))
    if print_id:
        print(written.image_id, file=sys.stderr if output == "-" else sys.stdout)
