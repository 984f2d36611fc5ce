"""The last steps of a process before it is the app: root, identity, privileges, program, in that order.

Runs in a process that pod init forked (or `enter` did, inside the app's namespaces); it ends in execve or in os._exit.
What fails is written to the report pipe, as `acstage1.reports` has it.

Source: kernel order of steps in spec/stage1.md; ace.md, Apps Perspective; capabilities(7).
"""

from __future__ import annotations

import fcntl
import gc
import os
from errno import ELOOP

from acspec.descriptors import close_range_but
from acspec.execution import REPORT_FD, TRAMPOLINE_FD
from acstage1.environment import describe_sockets, find_terminal_type, make_environment
from acstage1.errors import NotExecutableError, StartError
from acstage1.identity import find_home, resolve_group, resolve_user
from acstage1.inroot import open_plain
from acstage1.isolators import capability_numbers, no_new_privileges
from acstage1.linux.execution import execute_filtered, set_next_label
from acstage1.linux.security import (
    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE,
    bound_tracing,
    can_bound_tracing,
    drop_bounding_set,
    effective_capabilities,
    forbid_inspection,
    forbid_root_privileges,
    join_new_session_keyring,
    keep_capabilities,
    set_capabilities,
    set_no_new_privileges,
)
from acstage1.linux.signals import NSIG, SIG_DFL, SIG_SETMASK, pthread_sigmask, signal
from acstage1.program import check_interpreter, get_program, get_shell
from acstage1.reports import describe_failure, explain, write_failure
from acstage1.trampoline import MARKER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from acstage1.pod import App

_STDOUT = 1
# Above all descriptors that pod init and `enter` open themselves. What a caller left open they have closed where /proc was the
# host's; here it may be anybody's, and without close_range(2) each number is a call.
_BEYOND_OURS = 1 << 16

# What an app gets as descriptors 0 to 2; None stands for the terminal of its own.
Descriptors = tuple[int | None, int | None, int | None]


def fork_in_pod(limit: int) -> int:
    """Fork where no more processes may be than *limit*, which is the pod's own. Raises: StartError; OSError. Source: fork(2)."""
    try:
        return os.fork()
    except BlockingIOError:
        raise StartError("", f"no room for one more process: the pod may have {limit} (--pids-limit)") from None


class Start:
    """One process of an app to be: the app, the words to execute (none: a shell), its descriptors, its sockets behind them.

    *terminal* makes the terminal that takes the place of descriptors that are None. *notify* is the socket that the process gets to
    say when it is ready, if it is to say so.
    """

    __slots__ = ("app", "descriptors", "notify", "report", "sockets", "step", "terminal", "trampoline", "words")

    def __init__(
        self,
        app: App,
        words: Sequence[str],
        descriptors: Descriptors,
        report: int,
        trampoline: int | None,
        terminal: Callable[[], int] | None = None,
    ) -> None:
        self.app = app
        self.words = tuple(words)
        self.descriptors = descriptors
        self.report = report
        self.trampoline = trampoline
        self.terminal = terminal
        self.sockets: tuple[int, ...] = ()
        self.notify: str | None = None
        self.step = "begin"


def become(start: Start, enter_root: Callable[[], None]) -> NoReturn:
    """Carry out the steps and execute the program; *enter_root* makes the app's root this process's. Never returns.

    Source: spec/stage1.md, The start of an app.
    """
    try:
        _become(start, enter_root)
    except BaseException as error:
        write_failure(start.report, describe_failure(start.step, error))
    finally:
        os._exit(125)


def _become(start: Start, enter_root: Callable[[], None]) -> None:
    app = start.app
    start.step = "enter the root"
    enter_root()
    start.step = "leave the caller's session"
    os.setsid()
    join_new_session_keyring()
    start.step = "open a terminal"
    terminal = start.terminal() if start.terminal is not None else -1
    start.step = "arrange descriptors"
    _arrange_descriptors(start, terminal)
    start.step = "resolve user and group"
    uid, gid = resolve_user(app.user), resolve_group(app.group)
    variables = make_environment(app.environment, app.name, find_home(uid), start.notify)
    variables |= describe_sockets([item.name for item in app.sockets] if start.sockets else ())
    if start.terminal is not None:
        os.fchown(_STDOUT, uid, -1)  # who has a terminal may open it by name
        terminal_type = find_terminal_type()
        variables |= {"TERM": terminal_type} if terminal_type is not None and "TERM" not in variables else {}
    start.step = "enter the working directory"
    _enter_directory(app.working_directory)
    start.step = "find the program"
    start.words = start.words or (get_shell(),)
    path = get_program(start.words[0], variables.get("PATH"), app.working_directory)
    start.step = "set the label of the program"
    for label in app.labels:
        set_next_label(*label)
    start.step = "drop privileges"
    _drop_privileges(app, uid, gid)
    start.step = " as ".join(("execve", *(name for _, _, name, _ in app.labels)))
    _execute(start, path, variables)


def _enter_directory(path: str) -> None:
    # All capabilities are still there, so /proc/1/root would open to us: the way must not lead through it.
    try:
        descriptor = open_plain(path, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        why = "leads out of the root, or in circles" if error.errno == ELOOP else os.strerror(error.errno or 0)
        raise OSError(error.errno, why, path) from None
    os.fchdir(descriptor)
    os.close(descriptor)


def _arrange_descriptors(start: Start, terminal: int) -> None:
    """Make the app's descriptors, its sockets, the report pipe and the trampoline, which execve closes; all others are closed."""
    chosen = [terminal if descriptor is None else descriptor for descriptor in start.descriptors]
    places = dict(enumerate((*chosen, *start.sockets))) | {REPORT_FD: start.report}
    if start.trampoline is not None:
        places[TRAMPOLINE_FD] = start.trampoline
    # Out of the way first: they must not stand where they are about to be put.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, TRAMPOLINE_FD + 1) for descriptor in places.values()]
    for number, descriptor in zip(places, high, strict=True):
        os.dup2(descriptor, number, inheritable=number != TRAMPOLINE_FD)
    start.report = REPORT_FD
    close_range_but(places, _BEYOND_OURS)


def _drop_privileges(app: App, uid: int, gid: int) -> None:
    wanted = capability_numbers(app)
    # What this machine does not let us have, nobody in the pod can have either.
    effective = effective_capabilities()
    kept = frozenset(number for number in wanted if effective >> number & 1)
    if CAP_SYS_PTRACE in kept and CAP_SYS_ADMIN not in kept and can_bound_tracing():
        bound_tracing()
    # A filter is loaded by this capability. The next execve takes it: root is left with the bounding set, others with nothing.
    loading = frozenset({CAP_SYS_ADMIN} if app.filter.program is not None and effective >> CAP_SYS_ADMIN & 1 else ())
    drop_bounding_set(kept)
    app.ids.set_groups({gid, *app.gids})
    os.setresgid(*[app.ids.gid(gid)] * 3)
    if uid == 0:
        set_capabilities(kept | loading)
    elif app.ids.uid(uid) == 0:
        forbid_root_privileges()  # an app that asks for another user is root here by name alone
    elif loading:
        keep_capabilities()
    os.setresuid(*[app.ids.uid(uid)] * 3)
    if uid != 0:
        # The kernel has emptied the other sets already; the inheritable one, and what securebits of the caller kept, it has not.
        set_capabilities(loading)
    forbid_inspection()
    if no_new_privileges(app):
        set_no_new_privileges()


def _reset_signals() -> None:
    for number in range(1, NSIG):
        try:
            signal(number, SIG_DFL)
        except (OSError, ValueError):
            continue  # SIGKILL, SIGSTOP and those the C library keeps
    pthread_sigmask(SIG_SETMASK, ())


def _execute(start: Start, path: str, variables: dict[str, str]) -> None:
    check_interpreter(path, start.words[0])
    _reset_signals()
    os.umask(0o022)
    if start.trampoline is None:
        os.set_inheritable(REPORT_FD, False)
        try:
            _load_and_execute(start, path, list(start.words), variables)
        except OSError as error:
            if error.filename is None:  # the filter's
                raise
            raise NotExecutableError(start.words[0], explain(error.errno or 0)) from None
    words: list[str | bytes] = [MARKER, os.fsencode(path), *(os.fsencode(word) for word in start.words)]
    _load_and_execute(start, TRAMPOLINE_FD, words, variables)


def _load_and_execute(start: Start, file: str | int, words: list[str | bytes], variables: dict[str, str]) -> None:
    if start.app.filter.program is None:
        os.execve(file, words, variables)
    gc.disable()  # giving memory back is a call that the filter may end us for
    start.step = f"load the filter of system calls and {start.step}"
    execute_filtered(start.app.filter.program, file, words, variables)
