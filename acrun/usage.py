"""What a running app uses: processor time, memory, processes, what it read and wrote.

Counted by the kernel in the app's cgroups, which cannot be left, on version 1 and 2 alike. What no controller counts is summed up
by psutil over the app's processes, as far as they live.

Source: cgroups(7); kernel Documentation/admin-guide: cgroup-v1/{cpuacct,memory,blkio-controller}.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import os

from acrun.control_files import find_number, of_devices, of_key, of_pairs, read_control
from acrun.processes import find_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from psutil import Process

    from acrun.control_files import Reading
    from acrun.states import AppState, PodState
    from acspec.jsontext import JSONValue

# Where each number stands: in version 1, in version 2.
_CPU: Sequence[Reading] = (("cpuacct.usage", int), ("cpu.stat", of_key("usage_usec", 1000)))
_MEMORY: Sequence[Reading] = (("memory.usage_in_bytes", int), ("memory.current", int))
_COLD: Sequence[Reading] = (("memory.stat", of_key("total_inactive_file")), ("memory.stat", of_key("inactive_file")))
_LIMIT: Sequence[Reading] = (("memory.limit_in_bytes", int), ("memory.max", int))
_PIDS: Sequence[Reading] = (("pids.current", int),)
_V1_BYTES = "blkio.throttle.io_service_bytes_recursive"
_BYTES_READ: Sequence[Reading] = ((_V1_BYTES, of_devices("Read")), ("io.stat", of_pairs("rbytes")))
_BYTES_WRITTEN: Sequence[Reading] = ((_V1_BYTES, of_devices("Write")), ("io.stat", of_pairs("wbytes")))
# Version 1 says "no limit" by a number that no machine has.
_NO_LIMIT = 1 << 60


class Usage:
    """Processor time in seconds, bytes of memory and their limit, processes and threads, bytes read and written; None: unknown."""

    __slots__ = ("cpu_seconds", "memory_bytes", "memory_limit", "pids", "read_bytes", "written_bytes")

    def __init__(
        self,
        *,
        cpu_seconds: float | None = None,
        memory_bytes: int | None = None,
        memory_limit: int | None = None,
        pids: int | None = None,
        read_bytes: int | None = None,
        written_bytes: int | None = None,
    ) -> None:
        self.cpu_seconds = cpu_seconds
        self.memory_bytes = memory_bytes
        self.memory_limit = memory_limit
        self.pids = pids
        self.read_bytes = read_bytes
        self.written_bytes = written_bytes

    def to_json(self) -> dict[str, JSONValue]:
        """Return the figures for `--json`."""
        return {
            "cpuSeconds": None if self.cpu_seconds is None else round(self.cpu_seconds, 3),
            "memoryBytes": self.memory_bytes,
            "memoryLimitBytes": self.memory_limit,
            "pids": self.pids,
            "readBytes": self.read_bytes,
            "writtenBytes": self.written_bytes,
        }


def measure_pod(state: PodState) -> Usage | None:
    """Return what all apps of a pod use together, None when none of them runs (any more). Raises: OSError.

    Source: spec/pod-directory.md, Files.
    """
    found = [usage for app in state.apps if (usage := measure_app(state, app)) is not None]
    if not found:
        return None
    total = Usage()
    for name in Usage.__slots__:
        counts = [count for usage in found if (count := getattr(usage, name)) is not None]
        if counts and name != "memory_limit":
            setattr(total, name, sum(counts))
    return total


def measure_app(state: PodState, app: AppState) -> Usage | None:
    """Return what one app of a pod uses, None when it does not run (any more). Raises: OSError.

    Source: spec/pod-directory.md, Files.
    """
    if state.state != "running" or (app.status and not app.is_again()):
        return None
    lines = (read_control(os.path.join(state.path, "cgroups")) or "").splitlines()
    usage = _count([path for path in lines if os.path.basename(path) == f"app-{app.name}"])
    if None in (usage.cpu_seconds, usage.memory_bytes, usage.pids, usage.read_bytes):
        _sum_up(usage, state, app)
    return usage if usage.cpu_seconds is not None else None


def _count(paths: Sequence[str]) -> Usage:
    """Return what the control files in *paths* say, the app's directories in all hierarchies."""
    usage = Usage()
    nanoseconds = find_number(paths, _CPU)
    usage.cpu_seconds = nanoseconds / 1e9 if nanoseconds is not None else None
    usage.memory_bytes = find_number(paths, _MEMORY)
    if usage.memory_bytes is not None:
        # As everybody counts: without what the kernel would drop at once for whoever needs room.
        usage.memory_bytes = max(0, usage.memory_bytes - (find_number(paths, _COLD) or 0))
    limit = find_number(paths, _LIMIT)
    usage.memory_limit = limit if limit is not None and limit < _NO_LIMIT else None
    usage.pids = find_number(paths, _PIDS)
    usage.read_bytes, usage.written_bytes = find_number(paths, _BYTES_READ), find_number(paths, _BYTES_WRITTEN)
    return usage


def _sum_up(usage: Usage, state: PodState, app: AppState) -> None:
    """Add up over the processes of an app what nothing else counts: only of those that live, shared memory for each of them."""
    import psutil

    process = find_process(state, app)
    if process is None:
        return
    sums = Usage(cpu_seconds=0.0, memory_bytes=0, pids=0, read_bytes=0, written_bytes=0)
    try:
        with process:
            top = psutil.Process(process.pid)
            family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            with member.oneshot():
                _add(sums, member)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    for name in ("cpu_seconds", "memory_bytes", "pids", "read_bytes", "written_bytes"):
        if getattr(usage, name) is None:
            setattr(usage, name, getattr(sums, name))


def _add(sums: Usage, process: Process) -> None:
    times, moved = process.cpu_times(), process.io_counters()
    sums.cpu_seconds = (sums.cpu_seconds or 0) + times.user + times.system
    sums.memory_bytes = (sums.memory_bytes or 0) + process.memory_info().rss
    sums.pids = (sums.pids or 0) + process.num_threads()
    sums.read_bytes = (sums.read_bytes or 0) + moved.read_bytes
    sums.written_bytes = (sums.written_bytes or 0) + moved.write_bytes
