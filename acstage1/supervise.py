"""What happens when in a pod: event handlers and apps in their order, signals, and the end.

An app that ends badly ends the pod; one that ends well leaves the others. Ending means SIGTERM, and SIGKILL after the grace period.
Post-stop handlers run whenever the app's own program was started.

Source: aci.md, eventHandlers; spec/stage1.md, The end of a pod.
"""

from __future__ import annotations

import os
import select
import time

from acstage1 import reports
from acstage1.linux.signals import (
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGQUIT,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    pidfd_send_signal,
)
from acstage1.records import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from acspec.jsontext import JSONValue
    from acstage1.input import Input
    from acstage1.output import Stream
    from acstage1.pod import App, PodDirectory
    from acstage1.reports import Channel

FORWARDED = (SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2)
_KILLED = 128 + SIGKILL


class Life:
    """One app's life: which of its processes runs, how its program ended, and whether all is over."""

    __slots__ = ("app", "began", "code", "done", "owed", "pidfd", "role", "started", "status")

    def __init__(self, app: App) -> None:
        self.app = app
        self.role = ""
        self.pidfd = -1
        self.started = ""
        self.began = False
        self.owed = 0
        self.code: int | None = None
        self.done = False
        self.status: dict[str, JSONValue] = {}


class Supervisor:
    """The loop of the monitor, from the first start to the last end."""

    def __init__(
        self,
        pod: PodDirectory,
        channel: Channel,
        init: int,
        wakeup: int,
        streams: Sequence[Stream],
        inputs: Sequence[Input],
        admit: Callable[[str, int], int],
        on_ready: Callable[[], None],
        on_started: Callable[[], None],
        on_end: Callable[[str, dict[str, JSONValue]], None],
        tell: Callable[[str], None],
    ) -> None:
        """Supervise *pod* over *channel*; *init* is a pidfd, *wakeup* delivers signal numbers.

        *admit* moves a process into its app's cgroups and returns its host pid; the others hear what happens.
        """
        self._lives = {app.name: Life(app) for app in pod.apps}
        self._grace = pod.grace_period
        self._channel = channel
        self._init = init
        self._wakeup = wakeup
        self._streams = list(streams)
        self._inputs = list(inputs)
        self._admit, self._on_ready, self._on_end, self._tell = admit, on_ready, on_end, tell
        self._on_started: Callable[[], None] | None = on_started
        self._deadline: float | None = None
        self._ending = False
        self._asked = False
        self._culprit: int | None = None
        self._init_gone = False

    def run(self) -> int:
        """Supervise to the end and return the pod's exit code. Raises: OSError.

        Source: spec/stage1.md, The end of a pod.
        """
        while not self._init_gone and not all(life.done for life in self._lives.values()):
            self._turn()
        self._channel.close()
        _send(self._init, SIGKILL)  # whatever init is busy with: the kernel ends all that is left in the pod
        self._drain()
        return self._exit_code()

    def _turn(self) -> None:
        poll = select.poll()
        for descriptor in (self._channel.fileno(), self._init, self._wakeup):
            poll.register(descriptor, select.POLLIN)
        flows: list[Stream | Input] = [*self._streams, *self._inputs]
        waiting = [flow.wants() for flow in flows]
        for descriptor, event in waiting:
            poll.register(descriptor, event)
        ready = {descriptor for descriptor, _ in poll.poll(_milliseconds_until(self._deadline))}
        for flow, (descriptor, _) in zip(flows, waiting, strict=True):
            if descriptor in ready:
                flow.advance()
        self._streams = [stream for stream in self._streams if not stream.is_done]
        self._inputs = [flow for flow in self._inputs if not flow.is_done]
        if self._wakeup in ready:
            for number in os.read(self._wakeup, 64):
                self._forward(number)
        if self._channel.fileno() in ready:
            message = self._channel.receive()
            if message:
                self._hear(message)
            else:
                self._init_gone = True
        elif self._init in ready:
            self._init_gone = True
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            self._signal_all(SIGKILL)
        if self._init_gone:
            self._bury()

    def _drain(self) -> None:
        """Read what is still in the pipes: their writing ends close with the last process of the pod.

        A reader of ours that no longer reads could hold us here for ever. So whoever has asked for the end, or asks for it now,
        waits for it no longer than the grace period; the log gets everything.
        """
        deadline = time.monotonic() + self._grace if self._asked else None
        while self._streams:
            poll = select.poll()
            poll.register(self._wakeup, select.POLLIN)
            waiting = [stream.wants() for stream in self._streams]
            for descriptor, event in waiting:
                poll.register(descriptor, event)
            reading = any(event == select.POLLIN for _, event in waiting)
            if not self._init_gone:
                poll.register(self._init, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(0 if self._init_gone and reading else _milliseconds_until(deadline))}
            if not self._init_gone:
                self._init_gone = self._init in ready
            else:
                # Who wrote is dead. A pipe that is empty now is at its end, whoever outside the pod was handed its writing end.
                for stream, (descriptor, event) in zip(list(self._streams), waiting, strict=True):
                    if event == select.POLLIN and descriptor not in ready:
                        stream.finish()
                        self._streams.remove(stream)
                if len(waiting) != len(self._streams):
                    continue
            asked = self._wakeup in ready and any(number in FORWARDED for number in os.read(self._wakeup, 64))
            if asked or (deadline is not None and time.monotonic() >= deadline):
                deadline = None
                self._streams = [stream for stream in self._streams if not stream.stop_copying()]
                continue
            for stream, (descriptor, _) in zip(self._streams, waiting, strict=True):
                if descriptor in ready:
                    stream.advance()
            self._streams = [stream for stream in self._streams if not stream.is_done]

    def _forward(self, number: int) -> None:
        if number not in FORWARDED:
            return
        again = self._deadline is not None and number not in (SIGUSR1, SIGUSR2)
        self._asked = self._asked or number not in (SIGUSR1, SIGUSR2)
        if number == SIGTERM:
            self._ending = True
            self._deadline = time.monotonic() + self._grace
        for life in self._lives.values():
            if not life.began:
                life.owed = number  # nobody is there yet who could answer it
        self._signal_all(SIGKILL if again else number)

    def _signal_all(self, number: int) -> None:
        for life in self._lives.values():
            if life.pidfd >= 0 and (life.role == reports.MAIN or number == SIGKILL):
                _send(life.pidfd, number)

    def _hear(self, message: Sequence[str]) -> None:
        kind, *rest = message
        if kind == reports.READY:
            self._on_ready()
            for life in self._lives.values():
                if self._ending:
                    self._finish(life, {"failed": reports.PRE_START, "why": "the pod is ending"}, 128 + SIGTERM)
                else:
                    self._begin(life)
        elif kind == reports.NOTE:
            self._tell(rest[0])
        elif kind == reports.FORKED:
            self._admitted(self._lives[rest[0]], int(rest[2]))
        elif kind == reports.STARTED:
            self._began(self._lives[rest[0]])
        elif kind == reports.ENDED:
            self._ended(self._lives[rest[0]], os.waitstatus_to_exitcode(int(rest[2])))
        elif kind == reports.FAILED:
            self._failed(*rest)

    def _begin(self, life: Life) -> None:
        life.started = now()
        self._start(life, reports.PRE_START if reports.PRE_START in life.app.handlers else reports.MAIN)

    def _start(self, life: Life, role: str) -> None:
        life.role = role
        if self._ending and self._deadline is None:
            self._deadline = time.monotonic() + self._grace
        self._channel.send(reports.START, life.app.name, role)

    def _admitted(self, life: Life, pid: int) -> None:
        try:
            life.pidfd = os.pidfd_open(self._admit(life.app.name, pid))
        except ProcessLookupError:
            return  # killed before it was anything; init's word of that is on its way
        self._channel.send(reports.JOINED, str(pid))

    def _began(self, life: Life) -> None:
        if life.role == reports.MAIN:
            life.began = True
            if life.owed or self._ending:  # the request came while it was starting
                _send(life.pidfd, life.owed or SIGTERM)
            self._tell_started()

    def _tell_started(self) -> None:
        """Tell, once, that every app's program runs, or has run; an app that could not be started does not hold this up."""
        if self._on_started is not None and not self._ending and all(life.began or life.done for life in self._lives.values()):
            self._on_started()
            self._on_started = None

    def _ended(self, life: Life, code: int) -> None:
        """Go on after a process ended with *code*, negative for a signal."""
        _forget(life)
        if life.role == reports.PRE_START:
            if self._ending:
                self._finish(life, {"failed": reports.PRE_START, "why": "the pod is ending"}, 128 + SIGTERM)
            elif code == 0:
                self._start(life, reports.MAIN)
            else:
                why = f"exit {code}" if code > 0 else f"signal {-code}"
                self._finish(life, {"failed": reports.PRE_START, "why": why}, 125)
        elif life.role == reports.MAIN:
            life.status = {"exit": code} if code >= 0 else {"signal": -code}
            life.code = code if code >= 0 else 128 - code
            self._record(life)
            self._end_pod_after(life)
            if reports.POST_STOP in life.app.handlers:
                self._start(life, reports.POST_STOP)
            else:
                life.done = True
        else:
            if code:
                self._tell(f"{life.app.name}: post-stop ended with {f'exit {code}' if code > 0 else f'signal {-code}'}")
            life.done = True

    def _failed(self, name: str, role: str, step: str, code: str, path: str, why: str) -> None:
        text = f"{path}: {why}" if path else why
        if not name:  # init itself: there is no pod
            self._tell(f"{step}: {text}")
            for life in self._lives.values():
                self._finish(life, {"failed": step, "why": text}, int(code))
            return
        life = self._lives[name]
        _forget(life)
        where = name if role == reports.MAIN else f"{name}: {role}"
        program = code in ("126", "127")
        self._tell(f"{where}: {path or life.app.exec[0]}: {why}" if program else f"{where}: {step}: {text}")
        if role == reports.POST_STOP:
            life.done = True
        else:
            self._finish(life, {"failed": step, "why": text}, int(code))

    def _finish(self, life: Life, status: dict[str, JSONValue], code: int) -> None:
        if life.done:
            return
        life.status, life.code, life.done = status, code, True
        self._record(life)
        self._end_pod_after(life)
        self._tell_started()

    def _record(self, life: Life) -> None:
        try:
            self._on_end(life.app.name, {**life.status, "attempt": 1, "started": life.started or now(), "ended": now()})
        except OSError as error:  # a full disk takes the file from us, not the app's exit code
            self._tell(f"status/{life.app.name}: {(error.strerror or str(error)).lower()}")

    def _end_pod_after(self, life: Life) -> None:
        if not life.code:
            return
        if self._culprit is None and not self._ending:
            self._culprit = life.code
        if not self._ending and any(not other.done for other in self._lives.values() if other is not life):
            self._deadline = time.monotonic() + self._grace
            self._signal_all(SIGTERM)
        self._ending = True

    def _bury(self) -> None:
        """Init is gone: whatever still ran was killed with it."""
        for life in self._lives.values():
            if not life.status:
                life.status, life.code = {"signal": int(SIGKILL)}, _KILLED
                self._record(life)
            life.done = True

    def _exit_code(self) -> int:
        if self._culprit is not None:
            return self._culprit
        return next((life.code for life in self._lives.values() if life.code), 0)


def _forget(life: Life) -> None:
    if life.pidfd >= 0:
        os.close(life.pidfd)
        life.pidfd = -1


def _send(pidfd: int, number: int) -> None:
    try:
        pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        pass  # it has ended; init's word of that is on its way


def _milliseconds_until(deadline: float | None) -> int | None:
    return None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000) + 1)
