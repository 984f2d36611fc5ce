"""`actool ls`: an entry a line, while the image is read."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.errors import UsageError
from actool.listing import format_json, format_long, format_name, list_entries
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile


def ls_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, a layout directory, or - for standard input.")],
    long: Annotated[bool, typer.Option("--long", "-l", help="Show type, mode, owners, size, time (UTC) and target too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """List what is in an image, an entry a line. The order is that of the archive."""
    if long and json:
        raise UsageError("--long and --json", "exclude each other")
    show = format_json if json else format_long if long else format_name
    for entry in list_entries(image, Passphrase(passphrase_fd, passphrase_file)):
        print(show(entry))
