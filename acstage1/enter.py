"""A command inside an app that runs, confined as the app is: its cgroups, its namespaces, and the very steps of its start.

Source: setns(2), "a PID file descriptor"; spec/stage1.md, enter.
"""

from __future__ import annotations

import os

from acspec.descriptors import close_all_but
from acspec.errors import MissingInputError, ToolError, reason_of
from acspec.execution import open_pidfd
from acspec.program import tell
from acstage1.cgroups import join_app
from acstage1.enter_streams import EnterStreams
from acstage1.errors import NotExecutableError, NotFoundError, StartError
from acstage1.isolators import has_labels
from acstage1.linux.namespaces import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    setns,
)
from acstage1.linux.security import forbid_inspection
from acstage1.linux.signals import (
    SIG_BLOCK,
    SIG_SETMASK,
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    pthread_sigmask,
    send_signal,
    signal,
)
from acstage1.oom import set_oom_score
from acstage1.pod import App, PodDirectory
from acstage1.records import check_owner, open_process, read_cgroups
from acstage1.reports import Failure, read_failure
from acstage1.start import Start, become, fork_in_pod
from acstage1.trampoline import make_high_trampoline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acstage1.enter_terminal import EnterTerminal

_ALL = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
_ERRORS = {126: NotExecutableError, 127: NotFoundError}
_PASSED_ON = (SIGINT, SIGQUIT, SIGTERM, SIGHUP)


def enter_app(path: str, name: str, words: Sequence[str], *, tty: bool) -> int:
    """Run *words*, or a shell, in the app *name* of a running pod and return the exit code, 128+N for signal N.

    With *tty* it has a terminal of its own, which our caller's shows; else our descriptors 0 to 2 as `enter_streams` has them.

    Raises: MissingInputError when there is no such app running; NotFoundError; NotExecutableError; StartError; OSError; UsageError.
    Source: spec/stage1.md, enter.
    """
    check_owner(path)
    pod = PodDirectory(path)
    app = next((app for app in pod.apps if app.name == name), None)
    target = None if app is None else open_process(path, "apps", name)
    if app is None or target is None:
        raise MissingInputError(name, "no such app is running in this pod")
    if has_labels(pod):
        from acstage1.labels import assign_labels

        assign_labels(pod)
    report, report_end = os.pipe2(os.O_CLOEXEC)
    trampoline = make_high_trampoline()
    session = _open_terminal() if tty else EnterStreams()
    mask = pthread_sigmask(SIG_BLOCK, _PASSED_ON)  # until they are passed on: who forks would end by one, and not what it forked
    pid = os.fork()
    if pid == 0:
        descriptors, terminal = session.be_inside()
        close_all_but({report_end, target, *session.inner, *([trampoline] if trampoline is not None else [])})
        _join(pod, app, target, Start(app, words, descriptors, report_end, trampoline, terminal))
    os.close(report_end)
    _pass_on_signals(pid)
    pthread_sigmask(SIG_SETMASK, mask)
    session.attend(open_pidfd(pid))
    data = os.read(report, 8192)
    code = _wait(pid)
    if data:
        raise _error(read_failure(data))
    if code == 0 and session.loss.error is not None:
        raise session.loss.error
    return code


def _open_terminal() -> EnterTerminal:
    from acstage1.enter_terminal import EnterTerminal

    return EnterTerminal()


def _join(pod: PodDirectory, app: App, target: int, start: Start) -> NoReturn:
    """Join the app's cgroups and namespaces, then fork: only a child is in the PID namespace joined."""

    def join() -> None:
        os.setpgid(0, 0)  # a terminal's signals come through the process that waits, once
        forbid_inspection()  # before any process of the pod can see this one
        set_oom_score(app)
        join_app(read_cgroups(pod.path), app.name)  # before the namespaces, from inside which they are out of reach
        pod.ids.limit_processes(pod.pids_limit)
        setns(target, _ALL | pod.ids.namespaces)
        pid = fork_in_pod(pod.pids_limit)
        if pid != 0:
            _pass_on_signals(pid)
            pthread_sigmask(SIG_SETMASK, ())
            os._exit(_wait(pid))

    become(start, join)


def _wait(pid: int) -> int:
    """Wait for the end of a child and return its exit code, 128+N for signal N."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _pass_on_signals(pid: int) -> None:
    """Have *pid* answer what the terminal or a caller sends, also when it has ended meanwhile and its number is another's."""
    process = open_pidfd(pid)

    def pass_on(number: int, _frame: object) -> None:
        try:
            send_signal(process, number)
        except PermissionError as error:  # an AppArmor profile may let it take none from outside
            tell("acstage1", f"signal {number}: {reason_of(error)}")

    for number in _PASSED_ON:
        signal(number, pass_on)


def _error(failure: Failure) -> ToolError:
    what = failure.path or failure.step
    return _ERRORS.get(failure.code, StartError)(what, failure.why)
