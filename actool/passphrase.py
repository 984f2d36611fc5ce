"""Where the passphrase of an encrypted image comes from: a descriptor or a file, never an argument.

Nothing is decrypted here; `acspec.openpgp` does that.

Source: aci.md, Image Archives (encryption).
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from acspec.errors import FormatError, MissingInputError, UsageError
from acspec.jsontext import read_limited
from acspec.limits import PASSPHRASE_BYTES

# The two options that every command has which reads images.
PassphraseFD = Annotated[
    int | None, typer.Option("--passphrase-fd", metavar="N", help="Read an encrypted image's passphrase from descriptor N.")
]
PassphraseFile = Annotated[
    str | None, typer.Option("--passphrase-file", metavar="FILE", help="Read it from the first line of FILE.")
]


class Passphrase:
    """The passphrase that a command line names, read when it is first asked for and only once."""

    def __init__(self, descriptor: int | None = None, file: str | None = None) -> None:
        """Take it from *descriptor* or from *file*. Raises: UsageError for both."""
        if descriptor is not None and file is not None:
            raise UsageError("--passphrase-fd and --passphrase-file", "exclude each other")
        self._descriptor = descriptor
        self._file = file
        self._value: bytes | None = None

    @property
    def is_named(self) -> bool:
        """True when the command line says where it is."""
        return self._descriptor is not None or self._file is not None

    def read(self) -> bytes:
        """Return the passphrase: the first line of its source, without the end of the line.

        Raises: UsageError when none is named or it is empty; FormatError beyond the limit; MissingInputError; OSError.
        """
        if self._value is None:
            self._value = self._read_first_line()
        return self._value

    def _read_first_line(self) -> bytes:
        if self._file is not None:
            return _first_line(_read_file(self._file), self._file)
        if self._descriptor is not None:
            return _first_line(_read_descriptor(self._descriptor), f"descriptor {self._descriptor}")
        raise UsageError("passphrase", "none is given", "--passphrase-file FILE or --passphrase-fd N")


def _read_file(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingInputError(path, "no such file") from None
    try:
        return read_limited(descriptor, PASSPHRASE_BYTES)
    finally:
        os.close(descriptor)


def _read_descriptor(number: int) -> bytes:
    try:
        return read_limited(number, PASSPHRASE_BYTES)
    except OSError as error:
        raise UsageError(f"--passphrase-fd {number}", f"cannot be read: {(error.strerror or '').lower()}") from None


def _first_line(data: bytes, what: str) -> bytes:
    if len(data) > PASSPHRASE_BYTES:
        raise FormatError(what, f"larger than the limit of {PASSPHRASE_BYTES} bytes for a passphrase")
    line = data.partition(b"\n")[0].removesuffix(b"\r")
    if not line:
        raise UsageError(what, "holds no passphrase")
    return line
