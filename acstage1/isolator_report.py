"""The report of a pod's isolators, from the first judgement to isolators.json, and the limits that it sets on the way.

What the kernel refuses is known only when the cgroups stand: those of the pod before init is in them, those of the apps when init
has left the pod's own directory, but before any app starts.

Source: ace.md, Isolators ("an executor MUST make information about which isolators were ignored, enforced or modified available").
"""

from __future__ import annotations

from acspec.errors import reason_of
from acspec.isolator_names import CPU_SHARES
from acstage1.cgroups import Setting
from acstage1.isolators import ENFORCED, IGNORED, MODIFIED, check_strict, find_notes, ignored_names, judge_isolators
from acstage1.shortfalls import describe_shortfalls, find_shortfalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acstage1.cgroups import PodCgroups
    from acstage1.limits import Demand
    from acstage1.pod import PodDirectory

PIDS = "appc-tools/pids"
DEVICES = "appc-tools/devices"


class IsolatorReport:
    """The isolators of a pod and its apps: what they ask for, and what becomes of each."""

    __slots__ = ("_demands", "_pod", "rows")

    def __init__(self, pod: PodDirectory) -> None:
        """Judge every isolator. Raises: FormatError; StartError; IgnoredIsolatorError in strict mode."""
        self._pod = pod
        self._demands = _read_demands(pod)
        self.rows = judge_isolators(pod) + find_shortfalls(pod)
        check_strict(pod, self.rows)

    def limit_pod(self, cgroups: PodCgroups) -> None:
        """Set the limits of the pod."""
        limit = str(self._pod.pids_limit)
        row: dict[str, JSONValue] = {"name": PIDS, "app": None, "state": ENFORCED, "why": f"at most {limit} processes and threads"}
        try:
            cgroups.set(None, Setting("pids", [("pids.max", limit)], [("pids.max", limit)]))
        except OSError as error:
            if self._pod.ids.is_host:  # else init has set RLIMIT_NPROC
                row.update(state=IGNORED, why=reason_of(error))
        self.rows.append(row)
        why = cgroups.why_no_devices
        state, why = (ENFORCED, None) if why is None else (MODIFIED, f"{why}: every file system of the pod is nodev instead")
        self.rows.append({"name": DEVICES, "app": None, "state": state, "why": why})
        self._apply([demand for demand in self._demands if demand.app is None], cgroups)

    def limit_apps(self, cgroups: PodCgroups) -> None:
        """Set the limits of the apps, which settles every row. Raises: IgnoredIsolatorError in strict mode."""
        self._apply([demand for demand in self._demands if demand.app is not None], cgroups)
        for demand in self._demands:
            for row in self.rows if demand.told else ():
                if isinstance(row, dict) and (row["app"], row["name"]) == (demand.app, demand.name):
                    row["state"], row["why"] = demand.verdict()
        check_strict(self._pod, self.rows)

    def _apply(self, demands: list[Demand], cgroups: PodCgroups) -> None:
        if demands:
            from acstage1.limits import apply_demands

            apply_demands(self._pod, demands, cgroups)

    def notes(self) -> list[str]:
        """Return what people are told."""
        notes, ignored = [*describe_shortfalls(self.rows), *find_notes(self.rows)], ignored_names(self.rows)
        if ignored:
            notes.append(f"isolators not enforced: {', '.join(ignored)} (acrun status says why)")
        return notes


def _limits(isolator: JSONValue) -> bool:
    name = isolator.get("name") if isinstance(isolator, dict) else None
    return isinstance(name, str) and name.startswith(("resource/", CPU_SHARES))


def _read_demands(pod: PodDirectory) -> list[Demand]:
    if not any(_limits(isolator) for isolator in (*pod.isolators, *(isolator for app in pod.apps for isolator in app.isolators))):
        return []  # most pods: what reads quantities need not be imported
    from acstage1.limits import read_demands

    return read_demands(pod)
