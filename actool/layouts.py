"""Layout directories that a command makes: each is there whole, or nothing of it is left.

Source: aci.md, Image Layout.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from acspec.durable import remove_tree, temporary_name, umasked
from acspec.errors import OutputExistsError, reason_of


def check_layout_output(directory: str) -> None:
    """Check that *directory* is not there yet. Raises: OutputExistsError."""
    directory = _without_slash(directory)
    if os.path.lexists(directory):
        raise OutputExistsError(directory, "already exists", "only a new directory is made")


@contextmanager
def new_layout(directory: str) -> Iterator[int]:
    """Make *directory*, which must not exist, and give its descriptor for the duration of a block that fills it.

    It is made under a name beside its own and takes that when the block has ended well.

    Raises: OutputExistsError; OSError.
    """
    directory = _without_slash(directory)
    check_layout_output(directory)
    parent, name = os.path.split(directory)
    parent_fd = _open_parent(parent or ".", directory)
    try:
        yield from _made(parent_fd, name, directory)
    finally:
        os.close(parent_fd)


def _without_slash(directory: str) -> str:
    return directory.rstrip("/") or "/"


def _made(parent: int, name: str, directory: str) -> Iterator[int]:
    temporary = temporary_name(name)
    try:
        _make(parent, temporary, directory)
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            yield descriptor
            os.fchmod(descriptor, umasked(0o777))
        finally:
            os.close(descriptor)
        _publish(parent, temporary, name, directory)
    except BaseException as error:
        with suppress(OSError):  # what went wrong first is what counts
            remove_tree(temporary, dir_fd=parent)
        if isinstance(error, OSError) and isinstance(error.filename, bytes):  # the name of an entry
            raise OSError(error.errno, error.strerror, os.path.join(directory, os.fsdecode(error.filename))) from error
        raise


def _open_parent(parent: str, directory: str) -> int:
    try:
        return os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputExistsError(directory, f"cannot be made: {reason_of(error)}") from error


def _make(parent: int, temporary: str, directory: str) -> None:
    try:
        os.mkdir(temporary, 0o700, dir_fd=parent)
    except OSError as error:
        raise OutputExistsError(directory, f"cannot be made: {reason_of(error)}") from error


def _publish(parent: int, temporary: str, name: str, directory: str) -> None:
    try:
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise OutputExistsError(directory, "has appeared meanwhile") from error
        raise
