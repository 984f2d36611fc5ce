"""Directories in which something is being made: RUN/tmp/NAME, locked by their maker, free to be collected without it."""

from __future__ import annotations

import os

from acspec.errors import BusyError
from acspec.locks import open_locked


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
