"""Processes of pods that the file `pid` names, held by pidfd: a PID that is used again is never taken for one of them.

Source: pidfd_open(2); proc_pid_stat(5); spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os

from acspec.execution import open_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from acrun.states import AppState, PodState


class AppProcess:
    """A living process of an app: its number on this machine, and a descriptor that means it and no other."""

    __slots__ = ("_pidfd", "pid")

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of it."""
        os.close(self._pidfd)

    def lives(self) -> bool:
        """Tell whether it lives; if so, all that was read by its PID until now was its own."""
        import signal

        try:
            signal.pidfd_send_signal(self._pidfd, 0)
        except ProcessLookupError:
            return False
        return True


def find_process(state: PodState, app: AppState) -> AppProcess | None:
    """Return the process that the app of a pod has, None when it has none (any more). Raises: OSError. Source: pidfd_open(2)."""
    processes = state.pids.get("apps")
    process = processes.get(app.name) if isinstance(processes, dict) else None
    if app.pid is None:
        return None
    pidfd = open_process(state.pids, process)
    return AppProcess(app.pid, pidfd) if pidfd is not None else None
