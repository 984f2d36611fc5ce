"""Processes as /proc shows them: which is which, inside a pod and outside.

Source: proc(5), pid_namespaces(7).
"""

from __future__ import annotations

import os
from errno import ESRCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTINGS = 5


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
