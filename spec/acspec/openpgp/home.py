"""A home directory for gpg that is there as long as it is used, and locked meanwhile: one without a lock was left by a kill.

gpg is never given an agent here, so that the path may be of any length: of a socket in it, it would be 107 bytes at most.

Source: gpg(1), --homedir and --no-autostart; spec/store.md, Locks.
"""

from __future__ import annotations

import os
import tempfile

from acspec.errors import BusyError
from acspec.locks import open_locked
from acspec.ownership import only_we_can_write

PREFIX = "gpg-"


class Home:
    """A new, empty home directory, at *path* until it is closed."""

    def __init__(self, scratch: str | None) -> None:
        """Make it in the directory *scratch*, or where programs have their temporary files. Raises: OSError.

        Whoever else can write to *scratch* could put another home in its place, or a link: then it does not lie there.
        """
        if scratch is not None and not only_we_can_write(os.stat(scratch)):
            scratch = None
        while True:
            self._directory = tempfile.TemporaryDirectory(prefix=PREFIX if scratch is not None else f"appc-{PREFIX}", dir=scratch)
            try:
                self._lock = open_locked(self._directory.name)
            except (BusyError, FileNotFoundError):
                continue  # a sweep took it for a dead one in the moment before the lock
            self.path = self._directory.name
            return

    def check_room(self) -> None:
        """Check that there is room for a keyring: gpg does not say so when it finds none. Raises: OSError."""
        try:
            with open(os.path.join(self.path, "room"), "wb") as file:
                file.write(bytes(1 << 16))
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.path.dirname(self.path)) from None

    def close(self) -> None:
        """Remove it. May be called again."""
        self._directory.cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
