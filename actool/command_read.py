"""`actool cat-manifest` and `actool id`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.read import get_image_id, get_manifest


def cat_manifest_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, a layout directory, or - for standard input.")],
    pretty_print: Annotated[bool, typer.Option("--pretty-print", help="Lay the manifest out for people.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Print the manifest of an image, byte for byte."""
    passphrase = Passphrase(passphrase_fd, passphrase_file)
    sys.stdout.buffer.write(get_manifest(image, passphrase, pretty=pretty_print, for_terminal=sys.stdout.isatty()))


def id_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE…", help="Images, or - for standard input.")],
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Print the image ID of each image, one a line."""
    passphrase = Passphrase(passphrase_fd, passphrase_file)
    ids = [get_image_id(image, passphrase) for image in images]
    print("\n".join(ids))
