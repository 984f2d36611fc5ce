"""`actool patch-manifest`: options in, one call, one print."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.archive.splice import Recompression
from acspec.program import tell
from acspec.values import replace as with_fields
from actool import image_options
from actool.changes.manifest_changes import ManifestChanges
from actool.changes.removals import parse_removal
from actool.command_changes import with_manifest_options
from actool.image_options import choose_compression, choose_encoder, print_image_id
from actool.patch import PatchRequest, find_signature, patch


@with_manifest_options
def patch_manifest_command(
    image: Annotated[str, typer.Argument(metavar="INPUT.aci", help="An image, or - for standard input.")],
    output: Annotated[str | None, typer.Argument(metavar="OUTPUT.aci", help="The image to write, or - for stdout.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace INPUT.aci itself.")] = False,
    overwrite: image_options.Overwrite = False,
    manifest: Annotated[str | None, typer.Option(metavar="FILE", help="Begin with this manifest, not that of the image.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="OPTION[=NAME]", help="Take out what that option sets; may be repeated.")
    ] = None,
    compression: image_options.CompressionAgain = None,
    no_compression: image_options.NoCompression = False,
    encoder: image_options.Encoder = None,
    level: image_options.Level = None,
    print_id: image_options.PrintID = False,
    *,
    changes: ManifestChanges,
) -> None:
    """Copy an image with its manifest changed. All else in it stays, byte for byte; what is removed is removed first."""
    changes = with_fields(changes, removals=tuple(map(parse_removal, remove or ())))
    how = choose_compression(compression, none=no_compression)
    compressed = Recompression(how, choose_encoder(encoder, how), level)
    request = PatchRequest(image, output, replace, overwrite, manifest, changes, compressed)
    written = patch(request)
    if print_id:
        print_image_id(written.image_id, output or image)
    if (signature := find_signature(request)) is not None:
        tell("actool", f"{signature}: warning: signs the image as it was")
