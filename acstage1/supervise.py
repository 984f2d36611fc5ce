"""The monitor's loop: apps start together, signals are forwarded to them, and the end of one may be the end of the pod.

Ending means SIGTERM to one app after another, the last of the manifest first, and SIGKILL after the grace period to what is left.
Half of that period belongs to the order, so that each app has the other half for itself.

Source: spec/stage1.md, The end of a pod.
"""

from __future__ import annotations

import os
import select
import time

from acstage1 import reports
from acstage1.exit_policy import ExitPolicy
from acstage1.lifecycle import AppLifecycle
from acstage1.linux.signals import SIGKILL, SIGTERM, SIGUSR1, SIGUSR2, send_signal
from acstage1.multiplexer import milliseconds_until
from acstage1.requests import FORWARDED
from acstage1.restarts import Restarts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from acstage1.multiplexer import Multiplexer
    from acstage1.notify_socket import NotifySocket
    from acstage1.pod import PodDirectory
    from acstage1.pod_actions import InitProcess, PodActions
    from acstage1.start_notifier import StartNotifier

_USERS = (SIGUSR1, SIGUSR2)


class Supervisor:
    """The loop of the monitor, from the first start to the last end."""

    def __init__(
        self,
        pod: PodDirectory,
        init: InitProcess,
        wakeup: int,
        multiplexer: Multiplexer,
        actions: PodActions,
        notifier: StartNotifier,
        notify_sockets: Mapping[str, NotifySocket],
        finish_setup: Callable[[Sequence[str]], None],
    ) -> None:
        """Supervise *pod*; *wakeup* delivers signal numbers, *finish_setup* is called when the pod is built, before any app."""
        self._lives = {
            app.name: AppLifecycle(
                app, pod.grace_period, Restarts(pod.restart, pod.restart_limit), notify_sockets.get(app.name), actions
            )
            for app in pod.apps
        }
        self._policy = ExitPolicy(pod.exit_policy)
        self._grace = pod.grace_period
        self._channel = init.channel
        self._init = init.pidfd
        self._wakeup = wakeup
        self._multiplexer = multiplexer
        self._tell, self._finish_setup = actions.tell, finish_setup
        self._notifier = notifier
        self._told_started = self._told_ready = False
        self._ending = False
        self._asked = False
        self._kill_at: float | None = None
        self._to_stop: list[AppLifecycle] = []  # the next one last
        self._stopping: AppLifecycle | None = None
        self._next_stop_at: float | None = None
        self._culprit: str | None = None
        self._init_gone = False

    def run(self) -> int:
        """Supervise to the end and return the pod's exit code. Raises: OSError.

        Source: spec/stage1.md, The end of a pod.
        """
        while not self._init_gone and not all(life.done for life in self._lives.values()):
            self._turn()
        if not self._ending:
            self._notifier.ending("all apps have ended")
        self._channel.close()
        send_signal(self._init, SIGKILL)  # whatever init is busy with: the kernel ends all that is left in the pod
        self._multiplexer.drain(self._init, self._wakeup, self._drain_deadline)
        return self._policy.exit_code({name: life.code for name, life in self._lives.items()}, self._culprit)

    def _drain_deadline(self, interrupted: bool) -> float | None:
        """Return until when a reader of ours that no longer reads may hold us up, once somebody has asked for the end."""
        if interrupted and any(number in FORWARDED for number in os.read(self._wakeup, 64)):
            return time.monotonic()
        return time.monotonic() + self._grace if self._asked else None

    def _turn(self) -> None:
        ready = self._wait()
        self._multiplexer.advance(ready)
        self._read_notifications(ready)
        if self._wakeup in ready:
            for number in os.read(self._wakeup, 64):
                self._forward(number)
        if self._channel.fileno() in ready:
            message = self._channel.receive()
            if message:
                self._handle_message(message)
            else:
                self._init_gone = True
        elif self._init in ready:
            self._init_gone = True
        for life in self._lives.values():
            if life.rebuilding is not None and life.rebuilding.fileno() in ready and life.rebuilt():
                self._judge(life)
        self._tick()
        self._tell_ready()
        if self._init_gone:
            for life in self._lives.values():
                life.init_ended()

    def _read_notifications(self, ready: set[int]) -> None:
        """Read what apps say by sd_notify, before their ends: they have said it first."""
        for life in self._lives.values():
            if life.notify_socket is not None and life.notify_socket.fileno() in ready:
                life.read_notifications()
        self._tell_ready()

    def _wait(self) -> set[int]:
        poll = select.poll()
        for descriptor in (self._channel.fileno(), self._init, self._wakeup):
            poll.register(descriptor, select.POLLIN)
        for descriptor, event in self._multiplexer.wants().items():
            poll.register(descriptor, event)
        for life in self._lives.values():
            for source in (life.rebuilding, life.notify_socket):
                if source is not None:
                    poll.register(source.fileno(), select.POLLIN)
        moments = [self._kill_at, self._next_stop_at, *(life.next_deadline() for life in self._lives.values())]
        first = min((moment for moment in moments if moment is not None), default=None)
        ready = {descriptor for descriptor, _ in poll.poll(milliseconds_until(first))}
        # The kernel looks at one after another: init may have said its last and ended between its looks at the channel and at init.
        return ready if self._init not in ready else {descriptor for descriptor, _ in poll.poll(0)}

    def _tick(self) -> None:
        """Do what is due by now."""
        if self._to_stop:
            self._stop_next()
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at = None
            self._kill(handlers=False)
        for life in self._lives.values():
            life.tick()

    def _forward(self, number: int) -> None:
        if number not in FORWARDED:
            return
        request = number not in _USERS
        self._asked = self._asked or request
        if self._ending and request:
            self._kill(handlers=True)
        elif number == SIGTERM:
            self._end("as was asked")
        else:
            for life in self._lives.values():
                resting = not life.done
                life.signal(number)
                if resting and life.done:
                    self._judge(life)

    def _kill(self, *, handlers: bool) -> None:
        self._to_stop, self._next_stop_at = [], None
        for life in self._lives.values():
            life.kill(handlers=handlers)

    def _end(self, why: str) -> None:
        """Begin the end of the pod."""
        self._ending = True
        self._notifier.ending(why)
        self._kill_at = time.monotonic() + self._grace
        for life in self._lives.values():
            life.start_no_more()
        self._to_stop = list(self._lives.values())
        self._stop_next()

    def _stop_next(self) -> None:
        """Send SIGTERM to the apps whose turn it is: when the one before has ended, or has had its share of the time."""
        while self._to_stop and self._is_their_turn():
            self._stopping = self._to_stop.pop()
            self._stopping.signal(SIGTERM)
            self._next_stop_at = time.monotonic() + self._grace / 2 / len(self._lives)
        if not self._to_stop:
            self._next_stop_at = None

    def _is_their_turn(self) -> bool:
        return self._stopping is None or self._stopping.done or self._next_stop_at is None or time.monotonic() >= self._next_stop_at

    def _handle_message(self, message: Sequence[str]) -> None:
        kind, *rest = message
        if kind == reports.READY:
            self._finish_setup(rest)
            for life in self._lives.values():
                life.begin()
        elif kind == reports.NOTE:
            self._tell(rest[0])
        elif kind == reports.FORKED:
            self._lives[rest[0]].admitted(int(rest[2]))
        elif kind == reports.STARTED:
            self._lives[rest[0]].program_started()
            self._tell_started()
        elif kind == reports.ENDED:
            life = self._lives[rest[0]]
            if life.ended(os.waitstatus_to_exitcode(int(rest[2]))):
                self._judge(life)
        elif kind == reports.FAILED:
            self._failed(*rest)

    def _failed(self, name: str, role: str, step: str, code: str, path: str, why: str) -> None:
        if not name:  # init itself: there is no pod
            text = f"{path}: {why}" if path else why
            self._tell(f"{step}: {text}")
            for life in self._lives.values():
                life.fail(step, text, int(code))
        elif self._lives[name].failed(role, step, int(code), path, why):
            self._judge(self._lives[name])

    def _judge(self, life: AppLifecycle) -> None:
        """End the pod when the end of an app is to be the end of all."""
        if not self._ending and self._policy.ends_pod(life.app.name, life.code or 0):
            self._culprit = life.app.name
            self._end(f"{life.app.name} ended with {life.code}")
        self._tell_started()

    def _tell_started(self) -> None:
        """Tell, once, that every app's program runs, or has run; an app that could not be started does not hold this up."""
        if not self._told_started and not self._ending and all(life.began or life.done for life in self._lives.values()):
            self._told_started = True
            self._notifier.started()

    def _tell_ready(self) -> None:
        """Tell, once, that every app is ready."""
        if not self._told_ready and not self._ending and all(life.is_ready() for life in self._lives.values()):
            self._told_ready = True
            self._notifier.all_ready()
