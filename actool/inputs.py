"""Inputs as they are typed: a path, or `-` for standard input.

Source: spec/exit-codes.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acspec.archive.image import open_image
from acspec.archive.source import Readable
from acspec.errors import UsageError

if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_GLANCE = 512


@dataclass(frozen=True, slots=True)
class Input:
    """An open input: its descriptor, how messages name it, and what has been read of a pipe to see what it is."""

    descriptor: int
    name: str
    head: bytes = b""

    @property
    def origin(self) -> int | Readable:
        """What an ImageReader reads the image from."""
        return self.descriptor

    @property
    def is_directory(self) -> bool:
        """True for a directory."""
        return stat.S_ISDIR(os.fstat(self.descriptor).st_mode)


@contextmanager
def opened(path: str, passphrase: Passphrase | None = None) -> Iterator[Input]:  # noqa: ARG001 - encrypted images are refused
    """Open the input *path* for the duration of a block; *passphrase* is for an encrypted image.

    Raises: MissingInputError when it is not there; UsageError for a terminal; OSError.
    """
    if path == "-":
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
    if stat.S_ISREG(os.fstat(source.descriptor).st_mode):
        start = os.lseek(source.descriptor, 0, os.SEEK_CUR)
        return os.pread(source.descriptor, _GLANCE, start), source
    head = b""
    while len(head) < _GLANCE and (more := os.read(source.descriptor, _GLANCE - len(head))):
        head += more
    return head, Input(source.descriptor, source.name, head)
