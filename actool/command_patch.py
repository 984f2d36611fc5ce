"""`actool patch-manifest`: options in, one call, one print."""

from __future__ import annotations

import sys
from dataclasses import replace as with_fields
from typing import Annotated, Literal

import typer

from acspec.archive.compression import Compression
from acspec.errors import UsageError
from acspec.program import tell
from actool.command_changes import with_manifest_options
from actool.manifest_changes import ManifestChanges
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.patch import PatchRequest, find_signature, patch
from actool.removals import parse_removal


@with_manifest_options
def patch_manifest_command(
    image: Annotated[str, typer.Argument(metavar="INPUT.aci", help="An image, or - for standard input.")],
    output: Annotated[str | None, typer.Argument(metavar="OUTPUT.aci", help="The image to write, or - for stdout.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace INPUT.aci itself.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.aci when it exists.")] = False,
    manifest: Annotated[str | None, typer.Option(metavar="FILE", help="Begin with this manifest, not that of the image.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="OPTION[=NAME]", help="Take out what that option sets; may be repeated.")
    ] = None,
    compression: Annotated[Compression | None, typer.Option(help="How to compress the image; else as it is now.")] = None,
    no_compression: Annotated[bool, typer.Option("--no-compression", help="The same as --compression none.")] = False,
    encoder: Annotated[
        Literal["isal", "zlib"],
        typer.Option("--compression-encoder", help="Who makes gzip's bytes: isal is fast, zlib a little smaller."),
    ] = "isal",
    print_id: Annotated[bool, typer.Option("--print-id", help="Print the image ID.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
    *,
    changes: ManifestChanges,
) -> None:
    """Copy an image with its manifest changed. All else in it stays, byte for byte; what is removed is removed first."""
    changes = with_fields(changes, removals=tuple(map(parse_removal, remove or ())))
    request = PatchRequest(image, output, replace, overwrite, manifest, changes, _choose(compression, none=no_compression), encoder)
    written = patch(request, Passphrase(passphrase_fd, passphrase_file))
    if print_id:
        print(written.image_id, file=sys.stderr if output == "-" else sys.stdout)
    if (signature := find_signature(request)) is not None:
        tell("actool", f"{signature}: warning: signs the image as it was")


def _choose(compression: Compression | None, *, none: bool) -> Compression | None:
    if none and compression not in (None, Compression.NONE):
        raise UsageError("--compression and --no-compression", "exclude each other")
    return Compression.NONE if none else compression
