"""One app's life: pre-start, main, post-stop, one process after another, how it ended, and whether it begins again.

An app does not know the others: what its end means for the pod, `supervise` says.

Source: aci.md, eventHandlers; spec/stage1.md, The end of a pod and Restarts.
"""

from __future__ import annotations

import os
import time

from acspec.errors import reason_of
from acstage1.linux.signals import SIGINT, SIGKILL, SIGQUIT, SIGTERM, send_signal
from acstage1.records import now
from acstage1.reports import JOINED, MAIN, POST_STOP, PRE_START, START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acspec.jsontext import JSONValue
    from acstage1.notify_socket import NotifySocket
    from acstage1.pod import App
    from acstage1.pod_actions import PodActions
    from acstage1.rebuild import Rebuilding
    from acstage1.restarts import Restarts

# What a pre-start handler gets of the signals that are passed on: those that ask for an end, and mean nothing else.
_REQUESTS = (SIGTERM, SIGINT, SIGQUIT)
_ENDING = "the pod is ending"


class AppLifecycle:
    """One app's life: whether main runs or has run (*began*), how it ended (*code*), and whether all is over (*done*)."""

    def __init__(self, app: App, grace: float, restarts: Restarts, notify_socket: NotifySocket | None, actions: PodActions) -> None:
        self.app = app
        self.code: int | None = None
        self.began = False
        self.done = False
        self.notify_socket = notify_socket
        self.rebuilding: Rebuilding | None = None
        self._kill_at: float | None = None
        self._timed_out = self._pending_kill = False
        self._restart_at: float | None = None
        self._restart_delay: float | None = None
        self._grace = grace
        self._restarts = restarts
        self._actions = actions
        self._role = ""
        self._pidfd = -1
        self._attempt = 0
        self._started, self._since = "", 0.0
        self._status: dict[str, JSONValue] = {}
        self._runs = self._answers = False
        self._said: set[str] = set()
        self._pending_signals: list[int] = []
        self._ending = False

    def begin(self) -> None:
        """Start the first process. Raises: OSError."""
        if self._ending:
            self._finish({"failed": PRE_START, "why": _ENDING}, 128 + (self._request() or SIGTERM))
            return
        self._attempt += 1
        self._started, self._since = now(), time.monotonic()
        self._runs, self._said, self.code = False, set(), None
        if self.notify_socket is not None:
            self.notify_socket.drain()
        self._start(PRE_START if PRE_START in self.app.handlers else MAIN)

    def _start(self, role: str) -> None:
        self._role = role
        self._answers = self._timed_out = self._pending_kill = False
        self._actions.send(START, self.app.name, role)

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do, on the monotonic clock."""
        return self._kill_at if self._restart_at is None else self._restart_at

    def start_no_more(self) -> None:
        """Start nothing more but post-stop."""
        self._ending = True
        self._cancel_restart()

    def signal(self, number: int) -> None:
        """Pass a signal on to main, or to pre-start when it asks for an end; what main cannot answer yet is kept until it can.

        A request for an end that comes between two attempts is answered by no further one.

        Raises: OSError.
        """
        if self._restart_at is not None or self.rebuilding is not None:
            if number in _REQUESTS:
                self._cancel_restart()
            return
        if not self._runs and number not in self._pending_signals:
            self._pending_signals.append(number)
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        # Not before its program is known to run: what is on its way there ignores it, and what runs already would get it twice.
        if self._answers and (self._role == MAIN or (self._role == PRE_START and number in _REQUESTS)):
            self._send(number)

    def _request(self) -> int:
        """Return the last of the signals owed that asks for an end, or 0."""
        return next((number for number in reversed(self._pending_signals) if number in _REQUESTS), 0)

    def kill(self, *, handlers: bool) -> None:
        """Kill what runs, post-stop only when *handlers*; what comes after it still comes. Raises: OSError."""
        if handlers or self._role != POST_STOP:
            self._send(SIGKILL)

    def tick(self) -> None:
        """Do what is due by now. Raises: OSError."""
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            self._restart_at = None
            self.rebuilding = self._actions.rebuild(self.app)
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill_at = None
            self._timed_out = True
            self._send(SIGKILL)

    def admitted(self, pid: int) -> None:
        """Let a process go on that init has forked and that waits at its gate; post-stop has the grace period from here on.

        Raises: OSError.
        """
        try:
            self._pidfd = os.pidfd_open(self._actions.admit(self.app.name, self._role, self._attempt, pid))
        except ProcessLookupError:
            return  # killed before it was anything; init's word of that is on its way
        if self._role == POST_STOP:
            self._kill_at = time.monotonic() + self._grace
        if self._pending_kill:
            self._send(SIGKILL)
        self._actions.send(JOINED, str(pid))

    def program_started(self) -> None:
        """Take note that the program of the present role runs. Raises: OSError."""
        self._answers = True
        for number in self._pending_signals:  # what came before; an end of the pod alone is no request before its turn
            self._pass_on(number)
        if self._role == MAIN:
            self.began = self._runs = True
            self._pending_signals = []

    def is_ready(self) -> bool:
        """Tell whether main runs and, where it is to say so, has said that it is ready; or is not waited for any more."""
        return self.done or (self._runs and (self.notify_socket is None or "ready" in self._said))

    def read_notifications(self) -> None:
        """Read what the app says by sd_notify. Raises: OSError."""
        heard = self.notify_socket.receive() if self.notify_socket is not None else set()
        if self._role == MAIN and not heard <= self._said:
            self._said |= heard
            self._actions.record_notifications(self.app.name, self._said)

    def ended(self, code: int) -> bool:
        """Go on after a process ended with *code*, negative for a signal; return whether the app's own end is known by now."""
        self._release_process()
        if self._role == PRE_START:
            return self._ended_pre_start(code)
        if self._role == MAIN:
            self._end({"exit": code} if code >= 0 else {"signal": -code}, code if code >= 0 else 128 - code, restart=True)
            final = self._restart_delay is None
            if POST_STOP in self.app.handlers:
                self._start(POST_STOP)
            else:
                self._finish_attempt()
            return final
        self._ended_post_stop(code)
        self._finish_attempt()
        return False

    def _ended_post_stop(self, code: int) -> None:
        memory = ", out of memory" if self._actions.take_oom_kills(self.app.name) else ""
        if code or memory:
            why = f"was killed after {self._grace:g} s" if self._timed_out else f"ended with {_words(code)}"
            self._actions.tell(f"{self.app.name}: {POST_STOP} {why}{memory}")
            self._note_post_stop(why + memory)

    def _note_post_stop(self, why: str) -> None:
        """Write down that post-stop failed, which changes nothing else."""
        self._status[POST_STOP] = why
        self._write(self._actions.amend)

    def _ended_pre_start(self, code: int) -> bool:
        if self._ending or (code and self._request()):
            self._finish({"failed": PRE_START, "why": _ENDING}, 128 + (self._request() or SIGTERM))
        elif code:
            self._actions.tell(f"{self.app.name}: pre-start ended with {_words(code)}")
            self._end({"failed": PRE_START, "why": _words(code)}, 125, restart=True)
            self._finish_attempt()
        else:
            self._start(MAIN)
            return False
        return self.done

    def failed(self, role: str, step: str, code: int, path: str, why: str) -> bool:
        """Go on after a process did not become the program; return whether the app's own end is known by now."""
        self._release_process()
        text = f"{path}: {why}" if path else why
        where = self.app.name if role == MAIN else f"{self.app.name}: {role}"
        program = code in (126, 127)
        self._actions.tell(f"{where}: {path or self.app.exec[0]}: {why}" if program else f"{where}: {step}: {text}")
        if role == POST_STOP:
            self._note_post_stop(f"could not be started: {text}")
            self._finish_attempt()
            return False
        self._finish({"failed": step, "why": text}, code)
        return True

    def rebuilt(self) -> bool:
        """Go on when the clean copy is made, or has failed; return whether the app's own end is known by now. Raises: OSError."""
        failure = self.rebuilding.finish() if self.rebuilding is not None else None
        self.rebuilding = None
        if failure is not None:
            self._attempt += 1
            self._started = now()
            return self.failed(MAIN, failure.step, failure.code, failure.path, failure.why)
        self.begin()
        return False

    def _finish_attempt(self) -> None:
        """Rest until the next attempt, or be done."""
        self._role = ""
        if self._restart_delay is None or self._ending:
            self._be_done()
        else:
            self._restart_at = time.monotonic() + self._restart_delay

    def _cancel_restart(self) -> None:
        """Make no further attempt, when it is that what is waited for."""
        if self.rebuilding is not None:
            self.rebuilding.cancel()
        if self.rebuilding is not None or self._restart_at is not None:
            self.rebuilding = self._restart_at = None
            self._be_done()

    def _be_done(self) -> None:
        self.done = True
        if self._status.pop("next", None) is not None:  # what was said of a further attempt no longer holds
            self._write(self._actions.amend)

    def fail(self, step: str, why: str, code: int) -> None:
        """End without a start: there is no pod for it."""
        if not self.done:
            self._finish({"failed": step, "why": why}, code)

    def init_ended(self) -> None:
        """Take for killed what still ran when init ended, as it was."""
        self._cancel_restart()
        if self.code is None:
            self._end({"signal": int(SIGKILL)}, 128 + SIGKILL)
        self.done = True

    def _finish(self, status: dict[str, JSONValue], code: int) -> None:
        self._end(status, code)
        self.done = True

    def _end(self, status: dict[str, JSONValue], code: int, *, restart: bool = False) -> None:
        ran = time.monotonic() - self._since
        self.code = code
        self._restart_delay = self._restarts.find_delay(code, ran) if restart and not self._ending else None
        moments: dict[str, JSONValue] = {"attempt": self._attempt or 1, "started": self._started or now(), "ended": now()}
        if self._restart_delay is not None and not self._actions.prepare_restart(self.app.name):
            self._restart_delay = None
        if self._restart_delay is not None:
            moments["next"] = now(self._restart_delay)
        self._status = status | moments
        self._write(self._actions.end)

    def _write(self, write: Callable[[str, dict[str, JSONValue]], None]) -> None:
        try:
            write(self.app.name, self._status)
        except OSError as error:  # a full disk takes the file from us, not the app's exit code
            self._actions.tell(f"status/{self.app.name}: {reason_of(error)}")

    def _send(self, number: int) -> None:
        self._pending_kill = self._pending_kill or (number == SIGKILL and self._pidfd < 0)  # it is on its way to its gate
        if self._pidfd < 0:
            return
        try:
            send_signal(self._pidfd, number)  # when it has ended, init's word of that is on its way
        except PermissionError as error:  # the app's label may be one that takes no signals from outside
            if number == SIGKILL:
                self._actions.kill(self.app.name)
            else:
                self._actions.tell(f"{self.app.name}: signal {number}: {reason_of(error)}")

    def _release_process(self) -> None:
        self._kill_at = None
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1


def _words(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"signal {-code}"
