"""`actool extract`: options in, one call, one warning."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.program import tell
from actool.extract import extract
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile


def extract_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, or - for standard input.")],
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The layout directory to make; it must not exist.")],
    strict: Annotated[bool, typer.Option("--strict", help="Fail when anything of a file cannot be kept.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave the warning out.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Unpack an image into a new directory. It holds manifest and rootfs, as build takes them."""
    lost = extract(image, directory, Passphrase(passphrase_fd, passphrase_file), strict=strict)
    if lost and not quiet:
        tell("actool", f"{directory}: warning: could not be kept: {lost}{lost.remedy}")
