"""PID 1 of the pod: has the pod built, then forks what the monitor asks for and reaps what ends.

It holds no descriptor and no path of the host, no lock and no file of the pod directory; it decides nothing. When the
monitor is gone it ends, and the kernel ends everything in the pod with it.

Source: pid_namespaces(7); the order of steps in spec/stage1.md, Pod init.
"""

from __future__ import annotations

import gc
import os
import select

from acspec.errors import ToolError
from acstage1 import reports
from acstage1.building import APPS, build_pod
from acstage1.cgroupview import choose_views, show_cgroups
from acstage1.linux.namespaces import CLONE_NEWCGROUP, CLONE_NEWNS, pivot_root_here, unshare
from acstage1.linux.security import die_with_parent
from acstage1.linux.signals import SIG_IGN, SIGCHLD, SIGKILL, SIGPIPE, set_wakeup_fd, signal
from acstage1.start import Start, become, fork_in_pod
from acstage1.tree import NOTIFY_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acstage1.context import InitContext
    from acstage1.pod import App
    from acstage1.start import Descriptors

_REAPED_AT_ONCE = 64


def run_init(context: InitContext) -> NoReturn:
    """Be PID 1 of the pod. Never returns: ends in os._exit whatever happens.

    Source: spec/stage1.md, Pod init.
    """
    step = ["begin"]
    try:
        _tie_to_monitor(context.lifeline)
        build_pod(context, step)
        step[0] = "serve"
        _Init(context).serve()
    except BaseException as error:
        try:
            context.channel.send(reports.FAILED, "", "", *reports.describe_failure(step[0], error).fields())
        except OSError:
            pass
    finally:
        os._exit(0)


def _tie_to_monitor(lifeline: int) -> None:
    """End with the monitor, also when it ended before the kernel was told to watch it."""
    die_with_parent(SIGKILL)
    poll = select.poll()
    poll.register(lifeline, 0)
    if poll.poll(0):
        os._exit(0)
    signal(SIGPIPE, SIG_IGN)
    os.umask(0o022)  # the caller's is not for what is made here


class _Child:
    """A process of an app: for which app and role, its report pipe, the gate that it waits at, whether its start failed.

    *report* is a reading end, -1 once that said something; *gate* a writing end, -1 once it is open.
    """

    __slots__ = ("app", "failed", "gate", "report", "role")

    def __init__(self, app: str, role: str, report: int, gate: int) -> None:
        self.app = app
        self.role = role
        self.report = report
        self.gate = gate
        self.failed = False


class _Init:
    """The loop of PID 1: requests of the monitor, reports of starting processes, ends of all."""

    def __init__(self, context: InitContext) -> None:
        self._context = context
        self._apps = {app.name: app for app in context.pod.apps}
        self._children: dict[int, _Child] = {}
        self._poll = select.poll()
        self._wake, self._wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal(SIGCHLD, lambda _number, _frame: None)
        set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for descriptor in (self._wake, context.channel.fileno()):
            self._poll.register(descriptor, select.POLLIN)

    def serve(self) -> None:
        """Serve until the monitor is gone. Raises: OSError."""
        gc.enable()
        marks, namespaces = self._context.marks, self._context.namespaces
        self._context.channel.send(reports.READY, *(marks.numbers() if marks is not None else ()), descriptors=namespaces)
        for descriptor in namespaces:
            os.close(descriptor)
        channel = self._context.channel
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            # Reports first: reaping closes their descriptors, and a start may be given the same numbers.
            for descriptor in ready - {self._wake, channel.fileno()}:
                self._read_report(descriptor)
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if channel.fileno() in ready:
                message = channel.receive()
                if not message:
                    return
                self._handle_request(message)

    def _handle_request(self, message: Sequence[str]) -> None:
        if message[0] == reports.START:
            self._start(self._apps[message[1]], message[2])
        elif message[0] == reports.JOINED:
            child = self._children.get(int(message[1]))
            if child is not None and child.gate >= 0:
                try:
                    os.write(child.gate, b"+")
                except BrokenPipeError:
                    pass  # killed at its gate, and about to be reaped
                os.close(child.gate)
                child.gate = -1

    def _start(self, app: App, role: str) -> None:
        words = app.exec if role == reports.MAIN else app.handlers[role]
        report, report_end = os.pipe2(os.O_CLOEXEC)
        gate, gate_end = os.pipe2(os.O_CLOEXEC)
        try:
            pid = fork_in_pod(self._context.pod.pids_limit)
        except (ToolError, OSError) as error:
            for descriptor in (report, report_end, gate, gate_end):
                os.close(descriptor)
            self._context.channel.send(reports.FAILED, app.name, role, *reports.describe_failure("fork", error).fields())
            return
        if pid == 0:
            self._be_child(app, role, words, report_end, gate)
        os.close(report_end)
        os.close(gate)
        self._children[pid] = _Child(app.name, role, report, gate_end)
        self._poll.register(report, select.POLLIN)
        self._context.channel.send(reports.FORKED, app.name, role, str(pid))

    def _be_child(self, app: App, role: str, words: Sequence[str], report: int, gate: int) -> NoReturn:
        set_wakeup_fd(-1)
        terminal = self._context.terminals.get(app.name) if role == reports.MAIN else None
        start = Start(app, words, (None, None, None), report, self._context.trampoline, terminal)
        start.notify = NOTIFY_PATH if app.notify and role == reports.MAIN else None

        def enter_root() -> None:
            if os.read(gate, 1) != b"+":
                os._exit(125)
            marks = self._context.marks
            is_marked = marks is not None and marks.put_on(app.name)
            unshare(CLONE_NEWNS if is_marked else CLONE_NEWNS | CLONE_NEWCGROUP)
            pivot_root_here(f"{APPS}/{app.name}")
            show_cgroups(choose_views(self._context.hierarchies))
            start.descriptors = self._descriptors(app, role)
            start.sockets = tuple(self._context.sockets[item] for item in app.sockets) if role == reports.MAIN else ()

        become(start, enter_root)

    def _descriptors(self, app: App, role: str) -> Descriptors:
        stdin, stdout, stderr = self._context.descriptors[app.name]
        reads = stdin is not None and role == reports.MAIN
        if not reads:
            stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        if role == reports.MAIN and app.name in self._context.terminals:
            return None if reads else stdin, None, None
        return stdin, stdout, stderr

    def _read_report(self, descriptor: int) -> None:
        """Read a report pipe: its end without a word means that the program runs."""
        pid, child = next(((pid, child) for pid, child in self._children.items() if child.report == descriptor), (0, None))
        if child is None:
            return  # heard when its process was reaped, a moment ago
        data = os.read(descriptor, 8192)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        child.report = -1
        if data:
            child.failed = True
            failure = reports.read_failure(data)
            self._context.channel.send(reports.FAILED, child.app, child.role, *failure.fields())
        else:
            self._context.channel.send(reports.STARTED, child.app, child.role, str(pid))

    def _reap(self) -> None:
        for _ in range(_REAPED_AT_ONCE):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.get(pid)
            if child is None:
                continue  # an orphan of some app
            if child.report >= 0:
                self._read_report(child.report)
            del self._children[pid]
            if child.gate >= 0:
                os.close(child.gate)
            if not child.failed:
                self._context.channel.send(reports.ENDED, child.app, child.role, str(status))
        os.write(self._wakeup, b"+")  # a storm of orphans must not keep us from the monitor's requests
