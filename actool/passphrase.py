"""The options that say where a passphrase is; what they mean is `acspec.passphrase`'s to say.

Source: aci.md, Image Archives (encryption).
"""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.passphrase import Passphrase

__all__ = ["Passphrase", "PassphraseFD", "PassphraseFile"]

# The two options that every command has which reads images.
PassphraseFD = Annotated[
    int | None, typer.Option("--passphrase-fd", metavar="N", help="Read an encrypted image's passphrase from descriptor N.")
]
PassphraseFile = Annotated[
    str | None, typer.Option("--passphrase-file", metavar="FILE", help="Read it from the first line of FILE.")
]
