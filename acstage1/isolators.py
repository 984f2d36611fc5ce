"""Isolators: what is enforced here, and what is said of the rest. Never is one dropped in silence.

Source: ace.md, Isolators ("an executor MUST make information about which isolators were ignored, enforced or modified available").
"""

from __future__ import annotations

from acspec.capabilities import ALL_CAPABILITIES, REMOVE_SET, RETAIN_SET, bounding_set
from acspec.errors import FormatError
from acstage1.errors import IgnoredIsolatorError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acstage1.pod import App, PodDirectory

NO_NEW_PRIVILEGES = "os/linux/no-new-privileges"
APPARMOR_PROFILE = "os/linux/apparmor-profile"
PIDS_LIMIT = 4096
_APPARMOR = "/sys/module/apparmor/parameters/enabled"
_PROFILES = "/sys/kernel/security/apparmor/profiles"

_ENFORCED = (RETAIN_SET, REMOVE_SET, NO_NEW_PRIVILEGES)
# Pod init has what it takes to start apps, and an app with this capability may look into it and change it.
_TOO_MUCH = "with CAP_SYS_PTRACE it can take over the pod's first process, and so be root on this host"
_NOT_YET = "this stage1 does not enforce it yet"


def capability_numbers(app: App) -> frozenset[int]:
    """Return the numbers of the capabilities that an app keeps.

    Raises: FormatError.
    Source: ace.md, os/linux/capabilities-retain-set, os/linux/capabilities-remove-set.
    """
    return frozenset(ALL_CAPABILITIES.index(name) for name in bounding_set(app.isolators, app.place))


def no_new_privileges(app: App) -> bool:
    """Tell whether an app's processes may never gain privileges: any isolator that says so counts.

    Raises: FormatError.
    Source: ace.md, os/linux/no-new-privileges.
    """
    answer = False
    for isolator in app.isolators:
        if isinstance(isolator, dict) and isolator.get("name") == NO_NEW_PRIVILEGES:
            value = isolator.get("value")
            if not isinstance(value, bool):
                raise FormatError(f"{app.place}: {NO_NEW_PRIVILEGES}", "is neither true nor false")
            answer = answer or value
    return answer


def check_apparmor(pod: PodDirectory, enabled: str = _APPARMOR, profiles: str = _PROFILES) -> None:
    """Check that every AppArmor profile asked for is loaded, where the kernel has AppArmor.

    Raises: StartError.
    Source: ace.md, os/linux/apparmor-profile ("MUST refuse to run … if the provided AppArmor profile is not available").
    """
    everything = [*pod.isolators, *(isolator for app in pod.apps for isolator in app.isolators)]
    asked = [isolator for isolator in everything if _name(isolator) == APPARMOR_PROFILE]
    if not asked or not _read(enabled).startswith("Y"):
        return
    loaded = {line.rpartition(" (")[0] for line in _read(profiles).splitlines()}
    for isolator in asked:
        value = isolator.get("value") if isinstance(isolator, dict) else None
        profile = value.get("profile") if isinstance(value, dict) else None
        if profile not in loaded:
            raise StartError(f"AppArmor profile {profile}", "is not loaded on this host")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _name(isolator: JSONValue) -> JSONValue:
    return isolator.get("name") if isinstance(isolator, dict) else None


def account(pod: PodDirectory) -> list[JSONValue]:
    """Return isolators.json: one object for each isolator of the pod and its apps, and for the limit that is ours.

    Raises: IgnoredIsolatorError in strict mode.
    Source: ace.md, Isolators.
    """
    rows: list[JSONValue] = [_row(None, isolator) for isolator in pod.isolators]
    rows += [_row(app.name, isolator) for app in pod.apps for isolator in app.isolators]
    ignored = ignored_names(rows)
    if pod.strict and ignored:
        raise IgnoredIsolatorError(ignored[0], "would be ignored, which --strict forbids")
    return rows


def _row(app: str | None, isolator: JSONValue) -> JSONValue:
    name = _name(isolator)
    if app is not None and name in _ENFORCED:
        return {"name": name, "app": app, "state": "enforced", "why": _TOO_MUCH if _retains_ptrace(isolator) else None}
    return {"name": name, "app": app, "state": "ignored", "why": _NOT_YET}


def _retains_ptrace(isolator: JSONValue) -> bool:
    value = isolator.get("value") if isinstance(isolator, dict) and isolator.get("name") == RETAIN_SET else None
    names = value.get("set") if isinstance(value, dict) else None
    return isinstance(names, list) and "CAP_SYS_PTRACE" in names


def find_notes(rows: list[JSONValue]) -> list[str]:
    """Return what people are told of isolators that are enforced and yet need a word."""
    enforced = [row for row in rows if isinstance(row, dict) and row["state"] == "enforced" and row["app"] is not None]
    return [f"{row['app']}: {row['why']}" for row in enforced if row["why"]]


def ignored_names(rows: list[JSONValue]) -> list[str]:
    """Return the names of the isolators in isolators.json that are ignored, each once, for the warning."""
    found = {str(row["name"]): None for row in rows if isinstance(row, dict) and row["state"] == "ignored"}
    return list(found)
