"""The ids that an ordinary user's pod has: one user and one group, behind which stand the caller's own.

Inside they have the number that the apps ask for, when all ask for the same, so that a program which will not run as root does
run. Else it is 0. Root's pods have the ids of the host.

Source: spec/stage1.md, Ids; user_namespaces(7).
"""

from __future__ import annotations

import os
import stat

from acspec.ownership import is_root, is_root_by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acspec.jsontext import JSONValue
    from acspec.volumes import Volume

_OVERFLOW = 65534  # as the kernel shows an id that is not mapped
_NOT_THROUGH_LINKS = os.O_NOFOLLOW | os.O_CLOEXEC


def choose_id_map(apps: JSONValue, roots: Iterable[str]) -> JSONValue:
    """Return `idMap` of stage1.json for the *apps* of a manifest, whose rendered root directories are *roots*; None for root.

    Raises: OSError.
    Source: spec/stage1.md, Ids.
    """
    if is_root():
        return None
    pairs = list(zip((_app(value) for value in apps), roots, strict=True)) if isinstance(apps, list) else []
    uids = {_find_number(app.get("user"), root, "passwd") for app, root in pairs}
    gids = {_find_number(app.get("group"), root, "group") for app, root in pairs}
    return {"uid": [[_only(uids), os.geteuid(), 1]], "gid": [[_only(gids), os.getegid(), 1]]}


class Owners:
    """Who the owners of files are inside a pod with that `idMap`, where nobody has the caller's number."""

    __slots__ = ("_gid", "_is_seen_as_root", "_uid")

    def __init__(self, id_map: JSONValue) -> None:
        found = id_map if isinstance(id_map, dict) else {}
        self._uid, self._gid = _find_row(found.get("uid")), _find_row(found.get("gid"))
        self._is_seen_as_root = is_root_by_name()

    def uid(self, number: int) -> int:
        """Return the user that *number*, of a file of the pod's, is inside."""
        return self._find_inside(self._uid, number)

    def gid(self, number: int) -> int:
        """Return the group that *number*, of a file of the pod's, is inside."""
        return self._find_inside(self._gid, number)

    def _find_inside(self, row: tuple[int, int] | None, number: int) -> int:
        if row is None:
            return number
        inside, outside = row
        return inside if number == (0 if self._is_seen_as_root else outside) else _OVERFLOW


def _find_row(rows: JSONValue) -> tuple[int, int] | None:
    """Return the id inside and the id outside of a map of one; None when it is none."""
    row = rows[0] if isinstance(rows, list) and len(rows) == 1 else None
    inside, outside, _ = row if isinstance(row, list) and len(row) == 3 else (None, None, None)
    return (inside, outside) if isinstance(inside, int) and isinstance(outside, int) else None


def owner_notes(volumes: Iterable[Volume]) -> list[str]:
    """Return a line for each volume of kind empty whose owner only root could make what is asked for."""
    if is_root():
        return []
    asked = [volume for volume in volumes if volume.uid or volume.gid]
    return [f"volume {volume.name} belongs to the pod's one user: another owner takes root" for volume in asked]


def _app(value: JSONValue) -> dict[str, JSONValue]:
    app = value.get("app") if isinstance(value, dict) else None
    return app if isinstance(app, dict) else {}


def _only(numbers: set[int | None]) -> int:
    number = next(iter(numbers)) if len(numbers) == 1 else None
    return 0 if number is None else number


def _find_number(text: JSONValue, root: str, database: str) -> int | None:
    """Return the number that a user or group has in the image, or None when that cannot be told from here."""
    from acspec.execution import find_id, parse_id

    if not isinstance(text, str) or text.startswith("/"):
        return None
    number = find_id(_read(root, database), text)
    return number if number is not None else parse_id(text)


def _read(root: str, name: str) -> bytes:
    """Return etc/*name* of a tree; empty when it is not a regular file reached without a link, or too long to be believed."""
    from acspec import limits

    try:
        directory = os.open(os.path.join(root, "etc"), os.O_RDONLY | os.O_DIRECTORY | _NOT_THROUGH_LINKS)
    except OSError:
        return b""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _NOT_THROUGH_LINKS, dir_fd=directory)
    except OSError:
        return b""
    finally:
        os.close(directory)
    with open(descriptor, "rb") as file:
        data = file.read(limits.PASSWD_BYTES + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    return data if len(data) <= limits.PASSWD_BYTES else b""
