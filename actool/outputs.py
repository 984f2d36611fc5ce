"""An image that takes the place of the one it was made of, whole or not at all.

Source: rename(2); spec/exit-codes.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from acspec.durable import NewFile
from acspec.errors import StorageError
from acspec.image_outputs import Output, output_of


@contextmanager
def new_content(path: str, descriptor: int) -> Iterator[Output]:
    """Open the new content of the open file *path*, which it replaces at the end of the block.

    Mode and owner stay, the latter as far as the caller may give files away; a symbolic link stays, what it leads to is replaced.

    Raises: OutputError; OSError.
    """
    status = os.fstat(descriptor)
    with NewFile(os.path.realpath(path), mode=status.st_mode & 0o777) as file:
        yield output_of(file)
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
