"""The user and the group of an app, looked up in the image's own files: as whom it will run, and what is in the way of that.

Source: aci.md, user, group; docs/decisions, user and group names.
"""

from __future__ import annotations

from acspec.app import App
from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.execution import find_id, parse_id
from acspec.typed import NamedTuple
from actool.checks.reports import Diagnostic, warning
from actool.checks.rootfs_index import ROOT
from actool.checks.rootfs_paths import RootfsPaths, State, describe_missing
from actool.checks.survey import GROUP, PASSWD, Survey

_CANNOT = "so the app cannot start"


class Identity(NamedTuple):
    """As whom an app runs, as far as that is known."""

    uid: int | None = None
    gid: int | None = None
    gids: tuple[int, ...] = ()

    def may(self, mode: int, uid: int, gid: int) -> bool:
        """Tell whether it may execute or enter what has this *mode* and these owners; true when it is not known.

        Source: path_resolution(7), Permissions.
        """
        if self.uid is None or self.gid is None:
            return True
        if self.uid == 0:
            return True
        bit = 0o100 if uid == self.uid else 0o010 if gid == self.gid or gid in self.gids else 0o001
        return bool(mode & bit)


class Owner(NamedTuple):
    """The number of a user or group, None when it is not known, and what is to be said of it."""

    number: int | None = None
    finding: Diagnostic | None = None


def get_identity(app: App, survey: Survey, paths: RootfsPaths) -> tuple[Identity, list[Diagnostic]]:
    """Return as whom *app* will run, and a warning for what cannot be resolved.

    Source: aci.md, user, group.
    """
    user = _resolve(app.user, "user", survey.databases, PASSWD, paths)
    group = _resolve(app.group, "group", survey.databases, GROUP, paths)
    findings = [owner.finding for owner in (user, group) if owner.finding is not None]
    return Identity(user.number, group.number, app.supplementary_gids), findings


def _resolve(text: str, key: str, databases: dict[bytes, bytes], database: bytes, paths: RootfsPaths) -> Owner:
    place = f"app.{key}"
    if text.startswith("/"):
        return _resolve_path(text.encode(), place, key, paths)
    number = parse_id(text)
    found = paths.resolve(database.removeprefix(ROOT))
    if found.state is not State.MISSING:
        if database not in databases or found.path != database.removeprefix(ROOT):
            return Owner()  # not known from here: a link, or a volume
        own = find_id(databases[database], text)
        number = number if own is None else own
    if number is not None:
        return Owner(number)
    if found.state is State.MISSING:
        why = f'there is no {database.decode()} to look up "{escape(text)}" in'
    else:
        why = f'"{escape(text)}" is not in {database.decode()}'
    if text == "root":
        return Owner(0, warning("owner-unresolved", f"{why}, so it counts as 0", place=place))
    return Owner(None, warning("owner-unresolved", f"{why}, {_CANNOT}", place=place))


def _resolve_path(path: bytes, place: str, key: str, paths: RootfsPaths) -> Owner:
    found = paths.resolve(path)
    if found.state is State.MISSING:
        return Owner(None, warning("owner-unresolved", f"{describe_missing(path, found)}, {_CANNOT}", place=place))
    if found.node is None or (found.node.program is None and found.node.kind is not Kind.DIRECTORY):
        return Owner()  # of other files the owners are not kept
    return Owner(found.node.uid if key == "user" else found.node.gid)
