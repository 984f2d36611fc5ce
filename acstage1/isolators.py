"""Isolators: a table of who enforces each, and what is said of the rest. Never is one dropped in silence.

What a judge says holds when the pod starts as it should: what the kernel then refuses is settled in the same rows.

Source: ace.md, Isolators ("an executor MUST make information about which isolators were ignored, enforced or modified available").
"""

from __future__ import annotations

from acspec.capabilities import ALL_CAPABILITIES, bounding_set
from acspec.errors import FormatError
from acspec.isolator_names import (
    APPARMOR_PROFILE,
    BLOCK_BANDWIDTH,
    BLOCK_IOPS,
    CPU,
    CPU_SHARES,
    MEMORY,
    NETWORK_BANDWIDTH,
    NO_NEW_PRIVILEGES,
    OOM_SCORE_ADJ,
    REMOVE_SET,
    RETAIN_SET,
    SECCOMP_REMOVE,
    SECCOMP_RETAIN,
    SELINUX_CONTEXT,
    SYSCTL,
)
from acstage1.errors import IgnoredIsolatorError
from acstage1.oom import check_oom_score, find_floor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from acspec.jsontext import JSONValue
    from acstage1.pod import App, PodDirectory

    Verdict: TypeAlias = tuple[str, str | None]
    Judge: TypeAlias = Callable[[App | PodDirectory, JSONValue], Verdict]


ENFORCED, MODIFIED, IGNORED = "enforced", "modified", "ignored"
# Pod init has what it takes to start apps, and an app with this capability may look into it and change it, unless kept to itself.
_OWN_ONLY = "with CAP_SYS_PTRACE it reaches its own processes only"
_TOO_MUCH = "with CAP_SYS_PTRACE it can take over the pod's first process, and so be root on this host"
_UNKNOWN = "this stage1 does not know it"


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


def _name(isolator: JSONValue) -> JSONValue:
    return isolator.get("name") if isinstance(isolator, dict) else None


def _retained(_: App | PodDirectory, value: JSONValue) -> Verdict:
    names = value.get("set") if isinstance(value, dict) else None
    if not isinstance(names, list) or "CAP_SYS_PTRACE" not in names:
        return ENFORCED, None
    from acstage1.linux.security import can_bound_tracing

    return ENFORCED, _OWN_ONLY if "CAP_SYS_ADMIN" not in names and can_bound_tracing() else _TOO_MUCH


def _enforced(_: App | PodDirectory, __: JSONValue) -> Verdict:
    return ENFORCED, None


def _oom_score(owner: App | PodDirectory, value: JSONValue) -> Verdict:
    wanted, floor = check_oom_score(value), find_floor()
    if not owner.ids.is_host:
        return IGNORED, "only root can set it for a process that cannot be inspected"
    if floor is not None and wanted < floor:
        return MODIFIED, f"{floor}, as a lower one takes CAP_SYS_RESOURCE"
    return ENFORCED, None


def _sysctl(_: App | PodDirectory, value: JSONValue) -> Verdict:
    from acstage1.sysctls import read_parameters

    read_parameters(value)
    return ENFORCED, None


def _no_network(_: App | PodDirectory, __: JSONValue) -> Verdict:
    return IGNORED, "the pod has no network but loopback"


def _filtered(owner: App | PodDirectory, _: JSONValue) -> Verdict:
    calls = getattr(owner, "filter", None)
    if calls is None or calls.isolator is None:
        return IGNORED, "no filter was made of it"  # by a stage0 that does not know how
    return calls.state, calls.why


def _labelled(name: str) -> Judge:
    def judge(_: App | PodDirectory, value: JSONValue) -> Verdict:
        from acstage1.labels import find_shortfall

        why = find_shortfall(name, value)
        return (ENFORCED, None) if why is None else (IGNORED, why)

    return judge


# Isolator by isolator: who judges an app's, and who a pod's. What is for one of them only has None for the other.
JUDGES: dict[str, tuple[Judge | None, Judge | None]] = {
    RETAIN_SET: (_retained, None),
    REMOVE_SET: (_enforced, None),
    NO_NEW_PRIVILEGES: (_enforced, None),
    SECCOMP_RETAIN: (_filtered, None),
    SECCOMP_REMOVE: (_filtered, None),
    SELINUX_CONTEXT: (_labelled(SELINUX_CONTEXT),) * 2,
    APPARMOR_PROFILE: (_labelled(APPARMOR_PROFILE),) * 2,
    OOM_SCORE_ADJ: (_oom_score, None),
    SYSCTL: (None, _sysctl),
    # Judged by the kernel: acstage1.limits.
    CPU_SHARES: (_enforced, _enforced),
    CPU: (_enforced, _enforced),
    MEMORY: (_enforced, _enforced),
    BLOCK_BANDWIDTH: (_enforced, _enforced),
    BLOCK_IOPS: (_enforced, _enforced),
    NETWORK_BANDWIDTH: (_no_network, _no_network),
}


def has_labels(pod: PodDirectory) -> bool:
    """Tell whether any isolator of a pod is about labels of a security module. Source: ace.md, Linux Isolators."""
    everything = [*pod.isolators, *(isolator for app in pod.apps for isolator in app.isolators)]
    return any(_name(isolator) in (APPARMOR_PROFILE, SELINUX_CONTEXT) for isolator in everything)


def judge_isolators(pod: PodDirectory) -> list[JSONValue]:
    """Return the rows of isolators.json: one object for each isolator of the pod and its apps.

    Raises: FormatError; StartError for what must not be ignored.
    Source: ace.md, Isolators.
    """
    rows: list[JSONValue] = [_row(None, pod, isolator) for isolator in pod.isolators]
    rows += [_row(app.name, app, isolator) for app in pod.apps for isolator in app.isolators]
    rows += [row for app in pod.apps if (row := _default_filter(app)) is not None]
    return rows


def _default_filter(app: App) -> JSONValue:
    if app.filter.program is None or app.filter.isolator in {_name(isolator) for isolator in app.isolators}:
        return None
    return {"name": app.filter.isolator, "app": app.name, "state": app.filter.state, "why": app.filter.why}


def check_strict(pod: PodDirectory, rows: list[JSONValue]) -> None:
    """Check that nothing is ignored where the pod is strict. Raises: IgnoredIsolatorError.

    Source: ace.md, Isolators ("strict mode").
    """
    for row in rows if pod.strict else ():
        if isinstance(row, dict) and row["state"] == IGNORED:
            raise IgnoredIsolatorError(str(row["name"]), f"would be ignored, which --strict forbids: {row['why']}")


def _row(app: str | None, owner: App | PodDirectory, isolator: JSONValue) -> JSONValue:
    name, value = (isolator.get("name"), isolator.get("value")) if isinstance(isolator, dict) else (None, None)
    judges = JUDGES.get(name) if isinstance(name, str) else None
    judge = judges[app is None] if judges is not None else None
    if judge is not None:
        state, why = judge(owner, value)
    else:
        state, why = IGNORED, _UNKNOWN if judges is None else f"it is for {'apps' if app is None else 'pods'} only"
    return {"name": name, "app": app, "state": state, "why": why}


def find_notes(rows: list[JSONValue]) -> list[str]:
    """Return what people are told of isolators that are enforced and yet need a word."""
    return [f"{row['app']}: {row['why']}" for row in rows if isinstance(row, dict) and row["why"] == _TOO_MUCH]


def ignored_names(rows: list[JSONValue]) -> list[str]:
    """Return the names of the isolators in isolators.json that are ignored, each once, for the warning."""
    found = {str(row["name"]): None for row in rows if isinstance(row, dict) and row["state"] == IGNORED}
    return list(found)
