"""What an app of an ordinary user's pod left behind, killed from inside the pod, as no cgroup may tell it from the rest.

An only app's is every process but init. Those of several are told apart by their marks, if need be while all of them stand still:
of a process that forks and ends at once, over and over, there may be nothing left by the time that it is looked at.

Source: kill(2), pid_namespaces(7); spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os
import select

from acstage1.errors import StartError
from acstage1.linux.mounts import MS_NODEV, MS_NOEXEC, MS_NOSUID, mount
from acstage1.linux.namespaces import CLONE_NEWNS, unshare
from acstage1.linux.security import die_with_parent
from acstage1.linux.signals import SIGCONT, SIGKILL, SIGSTOP, send_signal

# Half a minute: much memory takes seconds to be freed, and what has few rights to a busy processor takes as long to die.
_LOOKS = 300
_DYING_MS, _LONGEST_MS = 4, 100
_INIT = 1
_PROC = "/proc"
# What is found out about a process: another app's, the app's and killed, ending and nobody's any more, ended.
_OTHER, _KILLED, _DYING, _DEAD = range(4)


def kill_left(mark: int | None) -> None:
    """Kill every process of the app with that mark, or, without one, of the pod, and wait until they are gone.

    This process is in the namespaces of init, which and this one stay.

    Raises: StartError when they do not end; OSError.
    """
    if mark is not None:
        # Init has none, and that of the app may have been mounted over.
        unshare(CLONE_NEWNS)
        mount("proc", _PROC, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for number in range(_LOOKS):
        if not (_signal_all(SIGKILL) if mark is None else _kill_marked(mark)):
            return
        select.poll().poll(min(_DYING_MS * (number + 1), _LONGEST_MS))
    raise StartError("what it left behind", "does not end")


def _signal_all(number: int) -> bool:
    """Send a signal to all at once, so that nothing can fork faster; return whether there was something, even dead."""
    try:
        os.kill(-1, number)
    except ProcessLookupError:
        return False
    return True


def _kill_marked(mark: int) -> bool:
    """Kill all that has the mark, and return whether there was something that is not dead yet."""
    found = _judge_all(mark)
    if _KILLED not in found and found & {_DYING, _DEAD}:
        # What has ended just now may have forked before. This time none can: all of a pod are told in one call, those that are
        # being forked as well. Even without the monitor they go on, unless the pod ends and this process with it.
        die_with_parent(0)
        _signal_all(SIGSTOP)
        try:
            found = _judge_all(mark)
        finally:
            _signal_all(SIGCONT)
    return bool(found & {_KILLED, _DYING})


def _judge_all(mark: int) -> set[int]:
    return {_judge(int(name), mark) for name in os.listdir(_PROC) if name.isdigit() and int(name) not in (_INIT, os.getpid())}


def _judge(pid: int, mark: int) -> int:
    """Kill a process that has the mark, and return what it was."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return _DEAD
    try:
        marks = _find_marks(pid)
        if mark in marks:
            send_signal(process, SIGKILL)
            return _KILLED
        return _OTHER if marks else _DEAD if _has_ended(process) else _DYING
    except PermissionError:  # it is in the middle of its start: of an app that is not to be started again now
        return _OTHER
    finally:
        os.close(process)


def _find_marks(pid: int) -> set[int]:
    """Return the marks of a process's threads: the first may have ended, and the others live. Raises: PermissionError."""
    marks = set()
    for thread in _list_threads(pid):
        try:
            marks.add(os.stat(f"{_PROC}/{pid}/task/{thread}/ns/cgroup").st_ino)
        except (FileNotFoundError, ProcessLookupError):  # it ends
            continue
    return marks


def _list_threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"{_PROC}/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _has_ended(process: int) -> bool:
    """Tell whether the process of a pidfd has closed all that it had open. Source: pidfd_open(2)."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(0))
