"""What a running pod uses: processes, memory and processor time of all that descend from its first process.

Read from /proc by psutil, at one moment, without stopping anything; what has ended meanwhile does not count.

Source: proc_pid_stat(5); spec/pod-directory.md, Files.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


class Usage:
    """How many processes, their resident memory in bytes (what they share counts for each), their processor time in seconds."""

    __slots__ = ("cpu_seconds", "memory_bytes", "processes")

    def __init__(self, processes: int, memory_bytes: int, cpu_seconds: float) -> None:
        self.processes = processes
        self.memory_bytes = memory_bytes
        self.cpu_seconds = cpu_seconds

    def to_json(self) -> dict[str, JSONValue]:
        """Return the figures for `--json`."""
        return {"processes": self.processes, "memoryBytes": self.memory_bytes, "cpuSeconds": round(self.cpu_seconds, 2)}


def measure(init: JSONValue) -> Usage | None:
    """Return what the pod whose file `pid` says *init* of its first process uses, or None when that is gone."""
    import psutil

    pid, start = (init.get("pid"), init.get("start")) if isinstance(init, dict) else (None, None)
    if not isinstance(pid, int) or _start_time(pid) != start:
        return None
    usage = Usage(0, 0, 0.0)
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return None
    for process in family:  # init itself is ours, not the apps'
        try:
            memory, times = process.memory_info().rss, process.cpu_times()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        usage.processes += 1
        usage.memory_bytes += memory
        usage.cpu_seconds += times.user + times.system
    return usage


def _start_time(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None
