"""Images of a store in use: kept from being removed by a lock, and dated, which is what a collection goes by.

Light: the path to a start goes through here. Who may be removed, and when, is not this module's to say.

Source: spec/store.md, Locks and Collecting images.
"""

from __future__ import annotations

import os

from acspec.errors import BusyError
from acspec.locks import open_locked


def hold_image(path: str) -> int:
    """Keep the image whose file is *path* in its store until the descriptor that is returned is closed, and date it.

    Raises: BusyError when somebody is removing it; FileNotFoundError when it is not there (any more); OSError.
    Source: spec/store.md, Locks.
    """
    descriptor = open_locked(path, shared=True)
    date_image(path)
    return descriptor


def open_held_image(path: str) -> int:
    """Open an image to be read, and keep it in its store until the descriptor is closed, unless somebody is just removing it.

    What is open can be read to its end all the same. Nobody is waited for: whoever may read an image can lock it for ever.

    Raises: FileNotFoundError when it is not there (any more); OSError.
    Source: spec/store.md, Locks.
    """
    try:
        return hold_image(path)
    except BusyError:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        date_image(path)  # a collection may not have made up its mind yet
        return descriptor


def date_image(path: str) -> None:
    """Let the time of an image's record be now: when it was last used. Where the caller may not, it stays what it was.

    Source: spec/store.md, Collecting images.
    """
    try:
        os.utime(f"{path.removesuffix('.aci')}.json", follow_symlinks=False)
    except OSError:  # a store of somebody else's, or one that can only be read
        pass
