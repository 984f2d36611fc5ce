"""`actool build`: options in, one call, one print."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.archive.compression import Compression
from acspec.program import tell
from actool import image_options
from actool.build import BuildRequest, build
from actool.image_options import choose_compression, make_settings, print_image_id
from actool.sources import split_sources


def build_command(
    paths: Annotated[list[str], typer.Argument(metavar="[LAYOUT_DIR] OUTPUT.aci", help="What to pack, and the image or -.")],
    manifest: image_options.Manifest = None,
    rootfs: image_options.Rootfs = None,
    exclude: image_options.Exclude = None,
    ignore_file: image_options.IgnoreFile = None,
    overwrite: image_options.Overwrite = False,
    compression: image_options.CompressionName = None,
    no_compression: image_options.NoCompression = False,
    encoder: image_options.Encoder = None,
    level: image_options.Level = None,
    owner_root: image_options.OwnerRoot = False,
    fixed_times: image_options.FixedTimes = False,
    fixed_modes: image_options.FixedModes = False,
    depfile: Annotated[str | None, typer.Option(metavar="FILE", help="Write a rule for make(1) with all that was read.")] = None,
    print_id: image_options.PrintID = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave warnings out.")] = False,
) -> None:
    """Build an image from a layout directory. The same layout gives the same bytes; $SOURCE_DATE_EPOCH caps all times.

    What a file .aciignore in LAYOUT_DIR names is left out, too.
    """
    source, output = split_sources(paths, manifest, rootfs, exclude or (), ignore_file)
    how = choose_compression(compression, none=no_compression) or Compression.GZIP
    settings = make_settings(how, encoder, level, owner_root=owner_root, fixed_times=fixed_times, fixed_modes=fixed_modes)
    built = build(BuildRequest(source, output, overwrite, settings, depfile))
    for line in () if quiet else built.warnings:
        tell("actool", line)
    if print_id:
        print_image_id(built.image_id, output)
