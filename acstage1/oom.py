"""The OOM killer: how readily it chooses an app (oom_score_adj), and what people are told when it has.

Source: proc_pid_oom_score_adj(5); schema/types/isolator_linux_specific.go, os/linux/oom-score-adj.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.isolator_names import OOM_SCORE_ADJ
from acstage1.cgroupfs import read_control, write_control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acstage1.pod import App

_CAP_SYS_RESOURCE = 24
_OWN = "/proc/self/oom_score_adj"


def check_oom_score(value: JSONValue) -> int:
    """Return *value* when it is one for oom_score_adj. Raises: FormatError. Source: proc_pid_oom_score_adj(5)."""
    if not isinstance(value, int) or isinstance(value, bool) or not -1000 <= value <= 1000:
        raise FormatError(OOM_SCORE_ADJ, "is not a whole number from -1000 to 1000")
    return value


def find_floor() -> int | None:
    """Return the least value that this process may give to others; None when it may give any. Source: capabilities(7)."""
    from acstage1.linux.security import effective_capabilities

    if effective_capabilities() >> _CAP_SYS_RESOURCE & 1:
        return None
    return int(read_control(_OWN) or 0)


def set_oom_score(app: App, pid: int | None = None) -> None:
    """Give process *pid*, this one by default, the value that *app* asks for, if it does. Raises: FormatError; OSError.

    In an ordinary user's pod nobody can: the file of a process that cannot be inspected is root's.
    """
    if not app.ids.is_host:
        return
    for isolator in app.isolators:
        if isinstance(isolator, dict) and isolator.get("name") == OOM_SCORE_ADJ:
            value, floor = check_oom_score(isolator.get("value")), find_floor()
            text = str(value if floor is None else max(value, floor))
            try:
                write_control(_OWN if pid is None else f"/proc/{pid}/oom_score_adj", text)
            except (FileNotFoundError, ProcessLookupError):
                return  # killed before it was anything


def describe_oom(app: str, status: dict[str, JSONValue], kills: int) -> str:
    """Return what people are told when the kernel has killed *kills* processes of an app that ended with *status*."""
    if status.get("signal") == 9:
        return f"{app}: killed, out of memory"
    return f"{app}: out of memory, {kills} of its processes killed"
