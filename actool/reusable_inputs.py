"""Inputs that are read more than once: a file is opened again, what comes through a pipe is kept in a temporary file.

The file has no name, and goes away with the program. It holds the image as it came: an encrypted one stays encrypted.

Source: spec/exit-codes.md; open(2), O_TMPFILE.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from acspec import limits
from acspec.archive.compression import recognise
from acspec.archive.faults import StreamFault
from acspec.archive.image import open_image
from acspec.archive.pgp import name_pgp
from acspec.archive.spool import Spool
from acspec.errors import FormatError, StorageError, reason_of
from acspec.values import Value, replace
from actool.inputs import Input, glance, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_CHUNK = 1024 * 1024


class ReusableInput(Value):
    """An input that can be opened again and again; `name` is what messages call it, None for its own."""

    path: str
    passphrase: Passphrase | None = None
    name: str | None = None

    @contextmanager
    def opened(self) -> Iterator[Input]:
        """Open it for the duration of a block. Raises: what `actool.inputs.opened` raises."""
        with opened(self.path, self.passphrase) as source:
            yield source if self.name is None else replace(source, name=self.name)


@contextmanager
def reusable(path: str, passphrase: Passphrase | None = None) -> Iterator[ReusableInput]:
    """Make the input *path*, `-` for standard input, readable more than once for the duration of a block.

    Raises: FormatError when what comes through a pipe is no image or beyond the limit; MissingInputError; StorageError;
        UsageError for a terminal; OSError.
    """
    if not _passes_once(path):
        yield ReusableInput(path, passphrase)
        return
    name = "standard input" if path == "-" else path
    descriptor = 0 if path == "-" else open_image(path)
    try:
        spool = _keep(Input(descriptor, name))
    finally:
        if descriptor:
            os.close(descriptor)
    with spool:
        yield ReusableInput(f"/proc/self/fd/{spool.descriptor}", passphrase, name)


def _passes_once(path: str) -> bool:
    """Tell whether *path* is a pipe or the like; a terminal is left to whoever opens it, and so is what is not there."""
    try:
        mode = (os.fstat(0) if path == "-" else os.stat(path)).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and not (path == "-" and os.isatty(0))


def _keep(source: Input) -> Spool:
    """Return a spool that holds all of *source*; what no image begins with is refused before. Raises: as `reusable`."""
    head, source = glance(source)
    if name_pgp(head) is None:
        try:
            recognise(head)
        except StreamFault as fault:
            raise FormatError(source.name, str(fault)) from None
    spool = Spool()
    try:
        _copy(head, source, spool)
    except BaseException:
        spool.close()
        raise
    return spool


def _copy(chunk: bytes, source: Input, spool: Spool) -> None:
    size = 0
    while chunk:
        size += len(chunk)
        if size > limits.IMAGE_SERVED_BYTES:
            raise FormatError(source.name, f"larger than the limit of {limits.IMAGE_SERVED_BYTES} bytes as served")
        spool.append(chunk)
        chunk = _read(source)


def _read(source: Input) -> bytes:
    try:
        return os.read(source.descriptor, _CHUNK)
    except OSError as error:
        raise StorageError(source.name, f"cannot be read: {reason_of(error)}") from error
