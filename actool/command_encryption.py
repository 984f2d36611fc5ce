"""`actool encrypt` and `actool decrypt`: options in, one call, one warning."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.archive.compression import Compression
from acspec.program import tell
from actool.encryption import EncryptionRequest, decrypt, encrypt
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.aci when it exists.")]


def encrypt_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image, or - for standard input.")],
    output: Annotated[str, typer.Argument(metavar="OUTPUT.aci", help="The image to write, or - for standard output.")],
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
    overwrite: Overwrite = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave the warning about compression out.")] = False,
) -> None:
    """Encrypt an image under a passphrase. It is asked for at the terminal when no option says where it is."""
    passphrase = Passphrase(passphrase_fd, passphrase_file, is_new=True)
    compression = encrypt(EncryptionRequest(image, output, overwrite, passphrase))
    if compression is not Compression.NONE and not quiet:
        why = f"it is compressed ({compression.value}), so that its size tells something of what is in it"
        tell("actool", f"{image}: warning: {why} (actool build --compression none)")


def decrypt_command(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An encrypted image, or - for standard input.")],
    output: Annotated[str, typer.Argument(metavar="OUTPUT.aci", help="The image to write.")],
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
    overwrite: Overwrite = False,
) -> None:
    """Decrypt an image. The output appears only when it is certain that the encrypted image is whole and unchanged."""
    decrypt(EncryptionRequest(image, output, overwrite, Passphrase(passphrase_fd, passphrase_file)))
