"""Users and groups of an app, found inside its rootfs: this process's root already is the app's.

Source: aci.md, user, group; docs/decisions, user and group names.
"""

from __future__ import annotations

import os
import stat

from acspec import limits
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.execution import find_id, parse_id
from acspec.jsontext import read_limited
from acstage1.inroot import open_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Opener: TypeAlias = Callable[[str, int], int]


def resolve_user(text: str, open_file: Opener = open_plain) -> int:
    """Return the uid that *text* means: a name in /etc/passwd, a number, or the owner of `/path`.

    *open_file* opens a path of the app's root: this process's own, unless somebody else asks beforehand.

    Raises: FormatError; FileNotFoundError for a path that is not there; OSError.
    Source: aci.md, user.
    """
    return _resolve(text, "/etc/passwd", "user", open_file, owner=lambda status: status.st_uid)


def resolve_group(text: str, open_file: Opener = open_plain) -> int:
    """Return the gid that *text* means: a name in /etc/group, a number, or the group of `/path`. *open_file* as in `resolve_user`.

    Raises: FormatError; FileNotFoundError for a path that is not there; OSError.
    Source: aci.md, group.
    """
    return _resolve(text, "/etc/group", "group", open_file, owner=lambda status: status.st_gid)


def _resolve(text: str, database: str, kind: str, open_file: Opener, owner: Callable[[os.stat_result], int]) -> int:
    if text.startswith("/"):
        descriptor = open_file(text, os.O_PATH)
        try:
            return owner(os.fstat(descriptor))
        finally:
            os.close(descriptor)
    number = find_id(read_database(database, open_file), text)
    if number is not None:
        return number
    number = parse_id(text)
    if number is not None:
        return number
    if text == "root":
        return 0
    raise FormatError(f'{kind} "{escape(text)}"', f"is neither in the image's {database} nor a number")


def read_database(path: str, open_file: Opener = open_plain) -> bytes:
    """Return a passwd or group file; empty when there is none, or it is no regular file. Raises: FormatError when it is too long.

    Source: passwd(5), group(5).
    """
    try:
        descriptor = open_file(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        data = read_limited(descriptor, limits.PASSWD_BYTES)
    finally:
        os.close(descriptor)
    if len(data) > limits.PASSWD_BYTES:
        raise FormatError(path, f"larger than the limit of {limits.PASSWD_BYTES} bytes")
    return data


def find_home(uid: int) -> str | None:
    """Return the home directory that the image's /etc/passwd gives a uid, or None. Raises: FormatError. Source: passwd(5)."""
    for line in read_database("/etc/passwd").split(b"\n"):
        fields = line.split(b":")
        if len(fields) >= 6 and fields[2] == str(uid).encode() and fields[5].startswith(b"/"):
            return os.fsdecode(fields[5])
    return None
