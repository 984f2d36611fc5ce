"""`actool verify-repro`: options in, one call, one print."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from acspec.archive.compression import Compression
from acspec.archive.write import ImageSettings
from actool.build import source_date_epoch
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.reproduction import ReproductionRequest, verify_reproduction

_OTHERWISE = 1


def verify_repro_command(
    layout: Annotated[str, typer.Argument(metavar="LAYOUT_DIR", help="A directory that holds manifest and rootfs.")],
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="The image it is to give, or - for standard input.")],
    owner_root: Annotated[bool, typer.Option("--owner-root", help="Build as build --owner-root does.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Compare the compressed bytes, too, not the image ID alone.")] = False,
    compression: Annotated[Compression | None, typer.Option(help="How to compress for --exact; else as IMAGE is.")] = None,
    encoder: Annotated[Literal["isal", "zlib"], typer.Option("--compression-encoder", help="Who makes gzip's bytes.")] = "isal",
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as a JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; only exit.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Build a layout without writing it, and say why IMAGE is not the result, if it is not: then exit 1."""
    settings = ImageSettings(encoder=encoder, clamp_ns=source_date_epoch(), owner_root=owner_root)
    request = ReproductionRequest(layout, image, settings, exact, compression)
    verdict = verify_reproduction(request, Passphrase(passphrase_fd, passphrase_file))
    if json and not quiet:
        print(verdict.json)
    elif verdict.causes and not quiet:
        print("\n".join(cause.line for cause in verdict.causes))
    return _OTHERWISE if verdict.causes else 0
