"""Processes as /proc shows them: which is which, inside a pod and outside, now and after others have had its number.

Source: proc(5), pid_namespaces(7).
"""

from __future__ import annotations

import os
from errno import ESRCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTINGS = 5


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


def get_host_pid(init: int, pid: int, listings: int = _LISTINGS) -> int:
    """Return the host's number of the child of *init* that is *pid* in the pod.

    It is sought in *listings* of the children of init, which are short, then among all processes.

    Raises: ProcessLookupError; OSError.
    Source: proc_pid_status(5), PPid and NSpid.
    """
    parent = b"PPid:\t%d\n" % init
    for candidate in _list_candidates(init, listings):
        try:
            with open(f"/proc/{candidate}/status", "rb") as file:
                status = file.readlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # an orphan that init has reaped since
        if parent in status and any(line.startswith(b"NSpid:") and int(line.split()[-1]) == pid for line in status):
            return int(candidate)
    raise ProcessLookupError(ESRCH, os.strerror(ESRCH), f"process {pid} of the pod")


def _list_candidates(init: int, listings: int) -> Iterator[str]:
    """Yield the children of *init*, the newest first, several times, as the list leaves out some while others end; then all."""
    for _ in range(listings):
        with open(f"/proc/{init}/task/{init}/children", encoding="ascii") as file:
            yield from reversed(file.read().split())
    yield from (name for name in os.listdir("/proc") if name.isdigit())
