"""`actool sign`: options in, one call, one line for each signature."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.escape import escape
from acspec.openpgp.signing import Signer
from actool.inputs import STANDARD_INPUT
from actool.passphrase import Passphrase
from actool.sign import SignRequest, sign_images


def sign_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE…", help="Images, encrypted or not, or - for standard input.")],
    key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose key: a fingerprint, a key ID or an e-mail address.")
    ] = None,
    homedir: Annotated[str | None, typer.Option(metavar="DIR", help="Where gpg has its keys.")] = None,
    passphrase_fd: Annotated[int | None, typer.Option(metavar="N", help="Read the key's passphrase from descriptor N.")] = None,
    passphrase_file: Annotated[str | None, typer.Option(metavar="FILE", help="Read it from the first line of FILE.")] = None,
    output: Annotated[str | None, typer.Option(metavar="FILE.aci.asc", help="Where the signature of one image goes.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace signatures that exist.")] = False,
) -> None:
    """Sign images by your own gpg, in IMAGE.asc beside each. Prints whose key it was and the file."""
    passphrase = Passphrase(passphrase_fd, passphrase_file)
    if STANDARD_INPUT in images:
        passphrase.check_apart_from(0)
    signer = Signer(key, homedir, passphrase.read() if passphrase.is_named else None)
    for signed in sign_images(SignRequest(images, signer, output, overwrite)):
        print(f"{signed.fingerprint}  {escape(signed.path)}")
