"""Processes as /proc shows them: which is which, inside a pod and outside, now and after others have had its number.

Source: proc(5), pid_namespaces(7).
"""

from __future__ import annotations

import os
from errno import ESRCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTINGS = 50


def start_time(pid: int) -> int:
    """Return when a process started, field 22 of /proc/PID/stat, which with the PID tells it from all others of this boot.

    Raises: FileNotFoundError; ProcessLookupError; OSError.
    Source: proc_pid_stat(5).
    """
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def boot_id() -> str:
    """Return the ID of this boot. Raises: OSError. Source: random(4)."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def get_host_pid(init: int, pid: int) -> int:
    """Return the host's number of the child of *init* that is *pid* in the pod. Raises: ProcessLookupError; OSError.

    Source: proc_pid_status(5), NSpid.
    """
    for child in _list_children(init):
        try:
            with open(f"/proc/{child}/status", "rb") as status:
                if any(line.startswith(b"NSpid:") and int(line.split()[-1]) == pid for line in status):
                    return int(child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # an orphan that init has reaped since
    raise ProcessLookupError(ESRCH, os.strerror(ESRCH), f"process {pid} of the pod")


def _list_children(init: int) -> Iterator[str]:
    """Yield the children of *init*, the newest first, many times: the list leaves out some while others end."""
    for _ in range(_LISTINGS):
        with open(f"/proc/{init}/task/{init}/children", encoding="ascii") as file:
            yield from reversed(file.read().split())
