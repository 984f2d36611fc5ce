"""PIDs of a pod's processes on the host, found in /proc by those that they have inside.

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

    It is sought in *listings* of the children of init, which are short, then among all processes. One that has this number in a
    namespace of an app's own making, and has become a child of init, is another.

    Raises: ProcessLookupError; OSError.
    Source: proc_pid_status(5), PPid and NSpid; pid_namespaces(7).
    """
    parent = b"PPid:\t%d\n" % init
    with open(f"/proc/{init}/status", "rb") as file:
        depth = len(_find_numbers(file.readlines()))
    for candidate in _list_candidates(init, listings):
        try:
            with open(f"/proc/{candidate}/status", "rb") as file:
                status = file.readlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # an orphan that init has reaped since
        numbers = _find_numbers(status) if parent in status else []
        if len(numbers) == depth and numbers[-1] == pid:
            return int(candidate)
    raise ProcessLookupError(ESRCH, os.strerror(ESRCH), f"process {pid} of the pod")


def _find_numbers(status: list[bytes]) -> list[int]:
    """Return the numbers of a process, from that in the namespace of /proc to that in its own."""
    return [int(word) for line in status if line.startswith(b"NSpid:") for word in line.split()[1:]]


def _list_candidates(init: int, listings: int) -> Iterator[str]:
    """Yield the children of *init*, the newest first, several times, as the list leaves out some while others end; then all."""
    for _ in range(listings):
        with open(f"/proc/{init}/task/{init}/children", encoding="ascii") as file:
            yield from reversed(file.read().split())
    yield from (name for name in os.listdir("/proc") if name.isdigit())
