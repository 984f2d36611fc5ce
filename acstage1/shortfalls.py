"""What an ordinary user's pod does without: row by row for isolators.json, and in one line for people.

Users and groups are sought in the image before the app starts, from outside; its start seeks them again, inside, and decides.

Source: ace.md, Isolators (what is modified is told); spec/stage1.md, Ids.
"""

from __future__ import annotations

import os

from acspec.errors import ToolError
from acstage1.identity import resolve_group, resolve_user
from acstage1.inroot import open_in_root
from acstage1.isolators import IGNORED, MODIFIED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acstage1.pod import App, PodDirectory

USER, GROUP, GROUPS = "appc-tools/user", "appc-tools/group", "appc-tools/supplementary-groups"


def find_shortfalls(pod: PodDirectory) -> list[JSONValue]:
    """Return a row for each thing that the apps of *pod* ask for and a user namespace of one id cannot give. Raises: OSError."""
    if pod.ids.is_host:
        return []
    rows = [row for app in pod.apps for row in _judge(pod, app)]
    staying = sorted(set(os.getgroups()) - {os.getegid()})
    if staying:
        why = f"the caller's groups {', '.join(map(str, staying))} stay: only root can drop them"
        rows.append({"name": GROUPS, "app": None, "state": MODIFIED, "why": why})
    return rows


def _judge(pod: PodDirectory, app: App) -> list[JSONValue]:
    rows: list[JSONValue] = []
    uid, gid = _identify(pod, app)
    if uid is not None and (given := pod.ids.uid(uid)) != uid:
        bare = ", without capabilities" if given == 0 else ""
        why = f"user {uid} runs as {given}, the only one of an ordinary user's pod{bare}"
        rows.append({"name": USER, "app": app.name, "state": MODIFIED, "why": why})
    if gid is not None and (given := pod.ids.gid(gid)) != gid:
        why = f"group {gid} is {given}, the only one of an ordinary user's pod"
        rows.append({"name": GROUP, "app": app.name, "state": MODIFIED, "why": why})
    if app.gids:
        rows.append({"name": GROUPS, "app": app.name, "state": IGNORED, "why": "only root can set further groups"})
    return rows


def _identify(pod: PodDirectory, app: App) -> tuple[int | None, int | None]:
    """Return the user and the group that an app asks for; None for one that is not to be found, which its start will say."""
    path = app.lower if app.lower is not None else os.path.join(pod.path, "apps", app.name, "rootfs")
    root = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def open_inside(name: str, flags: int) -> int:
        return open_in_root(root, name, flags)

    found: list[int | None] = []
    for resolve, text in ((resolve_user, app.user), (resolve_group, app.group)):
        try:
            # The owner of a file says nothing here: every file belongs to the caller, who is the pod's one user.
            found.append(None if text.startswith("/") else resolve(text, open_inside))
        except (ToolError, OSError):
            found.append(None)
    os.close(root)
    return found[0], found[1]


def describe_shortfalls(rows: list[JSONValue]) -> list[str]:
    """Return the line about what apps get otherwise, none when there is nothing; what is ignored is told with the isolators."""
    own = [row for row in rows if isinstance(row, dict) and row["name"] in (USER, GROUP)]
    return ["without root: " + "; ".join(f"{row['app']}: {row['why']}" for row in own)] if own else []
