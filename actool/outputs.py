"""Outputs as they are typed: the name of an image file, which appears whole or not at all, or `-` for standard output.

Source: aci.md, Image Archives (the name of the file); spec/exit-codes.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from acspec.durable import NewFile, umasked
from acspec.errors import OutputError, OutputExistsError, StorageError
from acspec.image_outputs import OVERWRITE, STANDARD_OUTPUT


@dataclass(frozen=True, slots=True)
class Output:
    """Where the bytes of an image go: `write` takes them; `identity` is the device and inode of the file, None for a stream."""

    write: Callable[[bytes | bytearray], object]
    identity: tuple[int, int] | None = None


@contextmanager
def new_output(path: str, *, overwrite: bool) -> Iterator[Output]:
    """Open *path* for a new image; a file takes its name at the end of the block, and is gone when that is left by an exception.

    Raises: OutputError, an OutputExistsError when somebody else was faster; OSError.
    """
    if path == STANDARD_OUTPUT:
        yield Output(sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    with NewFile(path, mode=umasked(0o666)) as file:
        yield _output_of(file)
        try:
            file.commit(overwrite=overwrite)
        except OutputError as error:
            raise OutputExistsError(path, "has appeared meanwhile", OVERWRITE) from error


@contextmanager
def new_content(path: str, descriptor: int) -> Iterator[Output]:
    """Open the new content of the open file *path*, which it replaces at the end of the block.

    Mode and owner stay, the latter as far as the caller may give files away; a symbolic link stays, what it leads to is replaced.

    Raises: OutputError; OSError.
    """
    status = os.fstat(descriptor)
    with NewFile(os.path.realpath(path), mode=status.st_mode & 0o777) as file:
        yield _output_of(file)
        try:
            os.fchown(file.fd, status.st_uid, status.st_gid)
        except PermissionError:
            pass
        _check_same(file.path, status)
        file.commit(overwrite=True)


def _check_same(path: str, status: os.stat_result) -> None:
    """Check that what is about to be replaced is what was read. Raises: StorageError."""
    try:
        now = os.lstat(path)
    except FileNotFoundError:
        now = None
    if now is None or (now.st_dev, now.st_ino) != (status.st_dev, status.st_ino):
        raise StorageError(path, "is another file than the one that was read", "try again")


def _output_of(file: NewFile) -> Output:
    status = os.fstat(file.fd)
    return Output(file.write, (status.st_dev, status.st_ino))
