"""Inputs as they are typed: a path, or `-` for standard input; an encrypted image is decrypted while it is read.

Source: spec/exit-codes.md; aci.md, Image Archives (encryption).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from acspec.archive.compression import Compression, recognise
from acspec.archive.faults import Fault
from acspec.archive.image import open_image
from acspec.archive.pgp import is_encrypted
from acspec.archive.source import Readable, Source
from acspec.errors import FormatError, UsageError
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_GLANCE = 512
STANDARD_INPUT = "-"


class Input(Value):
    """An open input: its descriptor, how messages name it, and what has been read of it to see what it is.

    *stream* is where the bytes after *head* come from when that is not the descriptor itself: those of an encrypted image are
    there as decrypted.
    """

    descriptor: int
    name: str
    head: bytes = b""
    stream: Readable | None = None
    is_encrypted: bool = False

    @property
    def origin(self) -> int | Readable:
        """What an ImageReader reads the image from, after *head*."""
        return self.descriptor if self.stream is None else self.stream

    @property
    def is_directory(self) -> bool:
        """True for a directory."""
        return stat.S_ISDIR(os.fstat(self.descriptor).st_mode)


@contextmanager
def opened(path: str, passphrase: Passphrase | None = None) -> Iterator[Input]:
    """Open the input *path* for the duration of a block; *passphrase* is for an encrypted image, without it none is decrypted.

    Of an encrypted image nothing may be made known before the block has ended: only then is it certain that nobody changed it.

    Raises: MissingInputError when it is not there; UsageError for a terminal; OSError; FormatError for an encrypted image that is
        damaged, or that nobody has the passphrase of; TrustError for a wrong passphrase.
    """
    with opened_raw(path) as source:
        if passphrase is None or source.is_directory:
            yield source
        else:
            yield from _seen_through(source, passphrase)


@contextmanager
def opened_raw(path: str) -> Iterator[Input]:
    """Open the input *path*, its bytes as they are, for the duration of a block.

    Raises: MissingInputError when it is not there; UsageError for a terminal; OSError.
    """
    if path == STANDARD_INPUT:
        if os.isatty(0):
            raise UsageError("standard input", "a terminal holds no image", "use a pipe or name a file")
        yield Input(0, "standard input")
        return
    descriptor = open_image(path)
    try:
        yield Input(descriptor, path)
    finally:
        os.close(descriptor)


def glance(source: Input) -> tuple[bytes, Input]:
    """Return the first bytes of *source*, 512 where there are as many, and the input to go on with. Raises: OSError."""
    if source.stream is None and stat.S_ISREG(os.fstat(source.descriptor).st_mode):
        start = os.lseek(source.descriptor, 0, os.SEEK_CUR)
        return os.pread(source.descriptor, _GLANCE, start), source
    head = source.head
    while len(head) < _GLANCE and (more := _read(source, _GLANCE - len(head))):
        head += more
    return head, Input(source.descriptor, source.name, head, source.stream, source.is_encrypted)


def recognised(source: Input) -> tuple[Compression | None, Input]:
    """Return how the image *source* is compressed, None when it is encrypted, and the input to go on with.

    Raises: FormatError for what is no image by its first bytes; TrustError for a wrong passphrase; OSError.
    """
    if source.is_directory:
        raise FormatError(source.name, "a directory, not an image archive")
    start, source = glance(source)
    if is_encrypted(start):
        return None, source
    try:
        return recognise(start), source
    except Fault as fault:
        raise FormatError(source.name, str(fault)) from None


def _read(source: Input, size: int) -> bytes:
    return os.read(source.descriptor, size) if source.stream is None else source.stream.read(size)


def _seen_through(source: Input, passphrase: Passphrase) -> Iterator[Input]:
    """Yield the input that is to be read instead of *source*, whose first bytes say whether it is encrypted."""
    start, source = glance(source)
    if is_encrypted(start):
        yield from _decrypted(source, passphrase)
    elif source.head:  # what was read of a pipe goes before the rest again
        pipe = Source(source.descriptor, source.name, head=source.head)
        try:
            yield Input(source.descriptor, source.name, stream=pipe)
        finally:
            pipe.close()
    else:
        yield source


def _decrypted(source: Input, passphrase: Passphrase) -> Iterator[Input]:
    """Yield *source* decrypted; what is wrong with the encryption goes before what is wrong with the image."""
    if not passphrase.can_be_had:
        raise FormatError(source.name, "encrypted with PGP", "--passphrase-file FILE decrypts it")
    passphrase.check_apart_from(source.descriptor)
    from acspec.openpgp.symmetric import Decryption

    with Decryption(source.descriptor, source.name, passphrase.read(), head=source.head) as decryption:
        try:
            yield Input(source.descriptor, source.name, stream=decryption, is_encrypted=True)
        except FormatError:
            decryption.finish()
            raise
        decryption.finish()
