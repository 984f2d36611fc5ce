"""What an app of an ordinary user's pod left behind, killed from inside the pod, as no cgroup may tell it from the rest.

An only app's is every process but init. Those of several are told apart by their marks.

Source: kill(2), pid_namespaces(7); spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os
import select

from acstage1.errors import StartError
from acstage1.linux.mounts import MS_NODEV, MS_NOEXEC, MS_NOSUID, mount
from acstage1.linux.namespaces import CLONE_NEWNS, unshare
from acstage1.linux.signals import SIGKILL, send_signal

_ROUNDS = 250
_DYING_MS = 4
_INIT = 1
_PROC = "/proc"


def kill_left(mark: int | None) -> None:
    """Kill every process of the app with that mark, or, without one, of the pod, and wait until they are gone.

    This process is in the namespaces of init, which and this one stay.

    Raises: StartError when they do not end; OSError.
    """
    if mark is not None:
        # Init has none, and that of the app may have been mounted over.
        unshare(CLONE_NEWNS)
        mount("proc", _PROC, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for _ in range(_ROUNDS):
        if not (_kill_all() if mark is None else _kill_marked(mark)):
            return
        select.poll().poll(_DYING_MS)
    raise StartError("what it left behind", "does not end")


def _kill_all() -> bool:
    """Kill all that there is at once, so that nothing can fork faster; return whether there was something, the dead included."""
    try:
        os.kill(-1, SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _kill_marked(mark: int) -> bool:
    others = [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) not in (_INIT, os.getpid())]
    return sum(_kill_if(pid, mark) for pid in others) > 0  # all of them, not only up to the first


def _kill_if(pid: int, mark: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if os.stat(f"{_PROC}/{pid}/ns/cgroup").st_ino != mark:
            return False
    except OSError:  # it is dead, or in the middle of its start: of an app that is not to be started again now
        return False
    else:
        send_signal(process, SIGKILL)
        return True
    finally:
        os.close(process)
