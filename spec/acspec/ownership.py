"""Whose a file is, and who else can write to it: what is believed of what a file says. And who this process is to the machine.

Source: inode(7), The file type and mode; user_namespaces(7).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import stat_result

_OTHERS_WRITE = 0o022  # group or others
_ALL_IDS = [b"0", b"0", b"4294967295"]


def is_root() -> bool:
    """Tell whether this process is root of the machine: root of a user namespace is an ordinary user with another number.

    Source: user_namespaces(7), uid_map.
    """
    return os.geteuid() == 0 and _read_id_map() == _ALL_IDS


def is_root_by_name() -> bool:
    """Tell whether this process is an ordinary user who is called root and has one id alone, as `unshare --map-root-user` does it.

    Source: unshare(1).
    """
    return os.geteuid() == 0 and _read_id_map()[2:] == [b"1"]


def _read_id_map() -> list[bytes]:
    try:
        with open("/proc/self/uid_map", "rb") as file:
            return file.read(4096).split()
    except OSError:  # no /proc, or a kernel without user namespaces
        return _ALL_IDS


def is_owned_by_us(status: stat_result) -> bool:
    """Tell whether a file belongs to the caller, or to root, who may do everything anyway."""
    return status.st_uid in (0, os.geteuid())


def others_can_write(status: stat_result) -> bool:
    """Tell whether anybody but its owner can write to a file."""
    return status.st_mode & _OTHERS_WRITE != 0


def only_we_can_write(status: stat_result) -> bool:
    """Tell whether nobody but root and the caller can write to a file."""
    return is_owned_by_us(status) and not others_can_write(status)
