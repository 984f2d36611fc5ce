"""A pod that nobody sits at: stage1 as a process of its own, with no descriptor, no terminal and no directory of the caller's.

We wait until its apps run, so that whoever reads our exit code knows whether they do; a signal that comes meanwhile ends the pod.
What stage1 has to say, then and later, it writes into the pod's file `messages`.

Source: spec/stage1.md, run; spec/pod-directory.md, Files; setsid(2).
"""

from __future__ import annotations

import os
import signal

from acrun.stage1 import become_stage1, release_requests
from acspec.descriptors import close_all_but
from acspec.errors import reason_of
from acspec.execution import open_pidfd
from acspec.program import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acspec.pods import Pod

_STARTED = b"started\n"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Detached:
    """How the start of a detached pod went: exit code (0: its apps run), what stage1 said, and a pidfd of it."""

    __slots__ = ("_monitor", "code", "messages", "uuid")

    def __init__(self, uuid: str, code: int, messages: bytes, monitor: int) -> None:
        self.uuid = uuid
        self.code = code
        self.messages = messages
        self._monitor = monitor

    def end(self) -> None:
        """End the pod after all, and wait until it has ended."""
        _send_sigterm(self._monitor)
        os.waitid(os.P_PIDFD, self._monitor, os.WEXITED)


def start_detached(stage1: Sequence[str], pod: Pod, *, debug: bool) -> Detached:
    """Start *stage1* for a pod whose lock we hold, and hand it over; return when all its apps run, or it has ended.

    Raises: OSError.
    Source: spec/stage1.md, run.
    """
    messages = os.open(os.path.join(pod.path, "messages"), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    ready, ready_end = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a caller that ignored it would take the exit code from us
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until they end the pod: it would go on without us
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _be_monitor(stage1, pod, messages, ready_end, debug=debug)
    monitor = open_pidfd(pid)
    asked = _end_when_asked(monitor)
    release_requests()
    os.close(ready_end)
    pod.unlock()  # stage1 has it, too
    is_started = _read(ready).endswith(_STARTED)
    code = 0 if is_started and not asked else _wait(pid, asked)
    os.lseek(messages, 0, os.SEEK_SET)
    said = _read(messages)
    if code and not said:
        said = f"acrun: {pod.uuid}: ended before its apps ran\n".encode("ascii")
    return Detached(pod.uuid, code, said, monitor)


def _be_monitor(stage1: Sequence[str], pod: Pod, messages: int, ready: int, *, debug: bool) -> NoReturn:
    """Leave all that is the caller's, and become stage1."""
    try:
        os.setsid()
        os.chdir("/")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number, descriptor in enumerate((nowhere, nowhere, messages)):
            os.dup2(descriptor, number)
        os.set_inheritable(ready, True)
        close_all_but({ready, -1 if pod.lock_fd is None else pod.lock_fd})
        become_stage1(stage1, pod, interactive=False, debug=debug, further=("--detached", "--ready-fd", str(ready)))
    except OSError as error:
        tell("acrun", f"{stage1[0]}: {reason_of(error)}")
    finally:
        os._exit(125)


def _end_when_asked(monitor: int) -> list[int]:
    """Have the pod end when a signal asks us to; return the list in which its number will be then."""
    asked: list[int] = []

    def end(number: int, _: object) -> None:
        asked.append(number)
        _send_sigterm(monitor)

    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, end)
    return asked


def _send_sigterm(monitor: int) -> None:
    try:
        signal.pidfd_send_signal(monitor, signal.SIGTERM)
    except ProcessLookupError:
        pass


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def _wait(pid: int, asked: list[int]) -> int:
    """Return the exit code of a start that came to nothing. Source: spec/exit-codes.md, Programs that run an app."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if asked:
        return 128 + asked[0]
    return code if code > 0 else 125
