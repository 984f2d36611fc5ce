"""Whose a file is, and who else can write to it: what is believed of what a file says.

Source: inode(7), The file type and mode.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import stat_result

_OTHERS_WRITE = 0o022  # group or others


def is_owned_by_us(status: stat_result) -> bool:
    """Tell whether a file belongs to the caller, or to root, who may do everything anyway."""
    return status.st_uid in (0, os.geteuid())


def others_can_write(status: stat_result) -> bool:
    """Tell whether anybody but its owner can write to a file."""
    return status.st_mode & _OTHERS_WRITE != 0


def only_we_can_write(status: stat_result) -> bool:
    """Tell whether nobody but root and the caller can write to a file."""
    return is_owned_by_us(status) and not others_can_write(status)
