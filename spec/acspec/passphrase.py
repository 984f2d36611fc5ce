"""Where a passphrase comes from: a descriptor, a file, or a person at a terminal; never an argument or the environment.

Nothing is decrypted here; `acspec.openpgp` does that.

Source: aci.md, Image Archives (encryption).
"""

from __future__ import annotations

import fcntl
import os
import stat

from acspec.errors import MissingInputError, UsageError, reason_of
from acspec.jsontext import read_limited
from acspec.limits import PASSPHRASE_BYTES


class Passphrase:
    """The passphrase that a command line names, or else a person types, read when it is first asked for and only once."""

    def __init__(self, descriptor: int | None = None, file: str | None = None, *, is_new: bool = False) -> None:
        """Take it from *descriptor* or from *file*; one that *is_new* is typed twice.

        Raises: UsageError for both, for a directory, and for a descriptor that is not open for reading, before anything of ours
        takes its number; MissingInputError when there is no such file; OSError.
        """
        if descriptor is not None and file is not None:
            raise UsageError("--passphrase-fd and --passphrase-file", "exclude each other")
        if descriptor is not None:
            _check_open(descriptor)
        if file is not None:
            _check_there(file)
        self._descriptor = descriptor
        self._file = file
        self._is_new = is_new
        self._value: bytes | None = None

    @property
    def is_named(self) -> bool:
        """True when the command line says where it is."""
        return self._descriptor is not None or self._file is not None

    @property
    def can_be_had(self) -> bool:
        """True when the command line says where it is, or there is a terminal to ask at."""
        return self.is_named or _has_terminal()

    def check_apart_from(self, descriptor: int) -> None:
        """Check that it is not to be read from *descriptor*, which an image is read from. Raises: UsageError."""
        if self._descriptor == descriptor:
            raise UsageError(f"--passphrase-fd {descriptor}", "the image is read from there", "--passphrase-file FILE")

    def read(self) -> bytes:
        """Return the passphrase: the first line of its source, without the end of the line.

        Raises: UsageError when there is none or it cannot be one; MissingInputError; OSError.
        """
        if self._value is None:
            self._value = self._read_first_line()
        return self._value

    def _read_first_line(self) -> bytes:
        if self._file is not None:
            return _first_line(_read_file(self._file), self._file)
        if self._descriptor is not None:
            return _first_line(_read_descriptor(self._descriptor), f"descriptor {self._descriptor}")
        if not _has_terminal():
            raise UsageError("passphrase", "none is given", "--passphrase-file FILE or --passphrase-fd N")
        typed = _ask("Passphrase: ")
        value = _first_line(typed, "passphrase")
        if self._is_new and _ask("The same again: ") != typed:
            raise UsageError("passphrase", "the two that were typed differ")
        return value


def _check_open(descriptor: int) -> None:
    what = f"--passphrase-fd {descriptor}"
    try:
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except (OSError, ValueError, OverflowError):
        raise UsageError(what, "is not open") from None
    if mode == os.O_WRONLY:
        raise UsageError(what, "is open for writing only")


def _check_there(path: str) -> None:
    """Check that a file may hold a passphrase, without reading from what may be a pipe."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(path or '""', "no such file") from None
    if stat.S_ISDIR(mode):
        raise UsageError(path, "a directory, not a file with a passphrase")


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _ask(prompt: str) -> bytes:
    """Return the line that a person types at the terminal, which does not show it."""
    from getpass import getpass

    try:
        return os.fsencode(getpass(prompt))
    except EOFError:
        return b""
    except UnicodeDecodeError:
        raise UsageError("passphrase", "what was typed is not in the encoding of the terminal") from None


def _read_file(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingInputError(path or '""', "no such file") from None
    try:
        return read_limited(descriptor, PASSPHRASE_BYTES)
    except IsADirectoryError:
        raise UsageError(path, "a directory, not a file with a passphrase") from None
    finally:
        os.close(descriptor)


def _read_descriptor(number: int) -> bytes:
    try:
        return _read_line(number)
    except OSError as error:
        raise UsageError(f"--passphrase-fd {number}", f"cannot be read: {reason_of(error)}") from None


def _read_line(descriptor: int) -> bytes:
    """Return what *descriptor* gives up to the end of its first line, for which whoever writes may keep it open."""
    data = b""
    while b"\n" not in data and len(data) <= PASSPHRASE_BYTES and (more := os.read(descriptor, PASSPHRASE_BYTES + 1 - len(data))):
        data += more
    return data


def _first_line(data: bytes, what: str) -> bytes:
    if len(data) > PASSPHRASE_BYTES:
        raise UsageError(what, f"larger than the limit of {PASSPHRASE_BYTES} bytes for a passphrase")
    line = data.partition(b"\n")[0].removesuffix(b"\r")
    if not line:
        raise UsageError(what, "holds no passphrase")
    if b"\0" in line:  # where gpg would end it
        raise UsageError(what, "a passphrase cannot hold a NUL byte")
    return line
