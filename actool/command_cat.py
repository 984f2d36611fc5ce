"""`actool cat`: options in, one call, one print."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Annotated

import typer

from actool.content import read_content
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.printable import spell


def cat_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, a layout directory, or - for standard input.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="An absolute path in the rootfs, or a name as ls prints it.")],
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Print one file of an image, byte for byte. All of the image is found to be good before."""
    with closing(read_content(image, path, Passphrase(passphrase_fd, passphrase_file))) as chunks:
        for chunk in spell(chunks) if sys.stdout.isatty() else chunks:
            sys.stdout.buffer.write(chunk)
