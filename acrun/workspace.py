"""Directories in which something is being made: RUN/tmp/NAME, locked by their maker, free to be collected without it.

And RUN itself, out of which trees and notes are believed: nobody else may be able to put any there.
"""

from __future__ import annotations

import os
from errno import EDQUOT, ENOSPC

from acspec.directories import run_directory
from acspec.errors import BusyError, StorageError, TrustError, reason_of
from acspec.locks import open_locked
from acspec.ownership import is_owned_by_us, others_can_write


def own_run_directory(option: str | None) -> str:
    """Return RUN for a command that acts on what its files say; it may be absent, not another user's. Raises: TrustError.

    Files of another user could name any process of this machine, for root to kill, or any directory, for root to copy from or into.
    """
    path = run_directory(option)
    if os.path.isdir(path):
        check_run_directory(path)
    return path


def check_run_directory(path: str) -> None:
    """Check that nobody but root and the caller can write to RUN. Raises: TrustError; OSError when it is not there."""
    status = os.stat(path)
    if not is_owned_by_us(status):
        raise TrustError(path, f"belongs to user {status.st_uid}, who could put anything there", "$APPC_RUN names another place")
    if others_can_write(status):
        raise TrustError(path, "can be written to by others", "chmod go-w, or $APPC_RUN names another place")


def name_full_disk(run_directory: str, error: OSError) -> StorageError | OSError:
    """Return what to say of *error* in the making of something in RUN: of a full disk which it is, not which file had no room."""
    if error.errno in (ENOSPC, EDQUOT):
        return StorageError(run_directory, reason_of(error), "acrun gc and acfetch gc make room")
    return error


def make_workspace(run_directory: str, kind: str) -> tuple[str, int]:
    """Make a new private directory below RUN/tmp and return its path and the descriptor that locks it. Raises: OSError."""
    parent = os.path.join(run_directory, "tmp")
    os.makedirs(parent, mode=0o700, exist_ok=True)
    while True:
        path = os.path.join(parent, f"{kind}-{os.urandom(8).hex()}")
        os.mkdir(path, 0o700)
        try:
            return path, open_locked(path)
        except (BusyError, FileNotFoundError):
            continue  # a gc took it for a dead one in the moment before the lock, and removes it
