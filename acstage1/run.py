"""The sequence of a run, outside the pod: lock, cgroups, init, supervision, cleaning.

One thread, in the host's namespaces. Everything that must be undone is written down before it is done; a kill at any moment leaves
what `gc` can find.

Source: spec/stage1.md, run; ace.md, App Container Executor.
"""

from __future__ import annotations

import gc
import os

from acspec.durable import remove_tree
from acspec.errors import UsageError
from acspec.locks import open_locked
from acspec.program import tell
from acstage1.cgroups import PodCgroups, remove_patiently
from acstage1.errors import StartError
from acstage1.input import Input
from acstage1.isolators import PIDS_LIMIT, account, check_apparmor, ignored_names, remarks
from acstage1.linux.namespaces import CLONE_NEWPID, setns, unshare
from acstage1.linux.signals import SIG_DFL, SIG_IGN, SIGCHLD, SIGKILL, SIGPIPE, getsignal, set_wakeup_fd, signal
from acstage1.output import Log, Stream
from acstage1.pod import PodDirectory
from acstage1.records import Records
from acstage1.reports import FAILED, describe_failure, open_channel
from acstage1.supervise import FORWARDED, Supervisor
from acstage1.trampoline import make_high_trampoline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from acspec.jsontext import JSONValue
    from acstage1.reports import Channel

TOOL = "acstage1"
_BEYOND_ALL = 2**31 - 1
_LISTINGS = 50


class RunOptions:
    """What the command line of `run` says."""

    __slots__ = ("debug", "interactive", "lock_fd", "path", "ready_fd")

    def __init__(self, path: str, lock_fd: int | None, ready_fd: int | None, interactive: bool, debug: bool) -> None:
        self.path = path
        self.lock_fd = lock_fd
        self.ready_fd = ready_fd
        self.interactive = interactive
        self.debug = debug


def run_pod(options: RunOptions) -> int:
    """Run the pod in a pod directory and return its exit code.

    Raises: BusyError when somebody else runs it; PodError; IgnoredIsolatorError; StartError; OSError.
    Source: spec/stage1.md, run.
    """
    lock = options.lock_fd if options.lock_fd is not None else open_locked(options.path)
    os.set_inheritable(lock, False)
    if not os.path.samestat(os.fstat(lock), os.stat(options.path)):
        raise UsageError(f"--lock-fd {lock}", "is not a descriptor of the pod directory")
    pod = PodDirectory(options.path)
    return _Monitor(pod, options, lock).run()


class _Monitor:
    """The process that holds the lock and writes the files."""

    def __init__(self, pod: PodDirectory, options: RunOptions, lock: int) -> None:
        self._pod = pod
        self._options = options
        self._lock = lock
        self._records = Records(pod.path)
        self._cgroups = PodCgroups(pod.uuid, [app.name for app in pod.apps], pod.cgroup_parent)
        self._running: dict[str, int] = {}
        self._init_pid = -1
        self._logs: list[Log] = []

    def run(self) -> int:
        """Carry out the steps of a run."""
        rows = account(self._pod)
        check_apparmor(self._pod)
        self._records.write_cgroups(self._cgroups.paths())
        try:
            return self._run_init(rows)
        finally:
            self._clean()

    def _run_init(self, rows: list[JSONValue]) -> int:
        wakeup = _catch_signals()
        ours, theirs = open_channel()
        descriptors, streams, inner = self._open_streams()
        inputs = self._open_input(descriptors, inner)
        lifeline, held = os.pipe2(os.O_CLOEXEC)
        gate, opener = os.pipe2(os.O_CLOEXEC)
        trampoline = make_high_trampoline()
        pid = _fork_into_new_pid_namespace()
        if pid == 0:
            set_wakeup_fd(-1)
            _close(held, opener, self._lock, ours.fileno(), *wakeup, *(stream.source for stream in streams))
            _keep_only({theirs.fileno(), lifeline, gate, *inner, *([trampoline] if trampoline is not None else [])})
            _become_init(self._pod, theirs, lifeline, gate, trampoline, descriptors, self._options.debug)
        self._init_pid = pid
        theirs.close()
        _close(lifeline, gate, *inner, *([trampoline] if trampoline is not None else []))
        try:
            # The kernel lets the first move into a cgroup wait for milliseconds, in which init is on its way already.
            self._make_cgroups(rows)
            self._admit_init(opener)
            return self._supervise(ours, pid, wakeup[0], streams, inputs)
        finally:
            os.kill(pid, SIGKILL)  # has ended when all went well; else nothing may be left to wait for us
            os.waitpid(pid, 0)
            _close(held, opener)

    def _make_cgroups(self, rows: list[JSONValue]) -> None:
        self._cgroups.make()
        refused = self._cgroups.limit_pids(PIDS_LIMIT)
        state = "enforced" if refused is None else "ignored"
        rows.append({"name": "appc-tools/pids", "app": None, "state": state, "why": refused or f"{PIDS_LIMIT} by default"})
        self._records.write_isolators(rows)
        for remark in remarks(rows):
            tell(TOOL, remark)
        ignored = ignored_names(rows)
        if ignored:
            tell(TOOL, f"isolators not enforced: {', '.join(ignored)} (isolators.json says why)")

    def _admit_init(self, opener: int) -> None:
        try:
            self._cgroups.admit_init(self._init_pid)
            os.write(opener, b"+")
        except (ProcessLookupError, BrokenPipeError):
            pass  # init has ended already; what it said is still in the channel

    def _supervise(self, channel: Channel, pid: int, wakeup: int, streams: list[Stream], inputs: list[Input]) -> int:
        supervisor = Supervisor(
            self._pod,
            channel,
            os.pidfd_open(pid),
            wakeup,
            streams,
            inputs,
            admit=self._admit,
            on_ready=self._ready,
            on_end=self._records.write_status,
            tell=lambda text: tell(TOOL, text),
        )
        return supervisor.run()

    def _open_streams(self) -> tuple[dict[str, tuple[int | None, int, int]], list[Stream], list[int]]:
        """Return each app's descriptors, the streams that we read, and the ends that only init needs."""
        descriptors: dict[str, tuple[int | None, int, int]] = {}
        streams: list[Stream] = []
        inner: list[int] = []
        for app in self._pod.apps:
            stdin = 0 if app.stdin and self._options.interactive else None
            if self._pod.log == "none" or (stdin is not None and os.isatty(0)):
                descriptors[app.name] = (stdin, 1, 2)
                continue
            log = Log(os.path.join(self._pod.path, "logs", f"{app.name}.log"))
            ends = []
            for target in (1, 2):
                source, end = os.pipe2(os.O_CLOEXEC)
                streams.append(Stream(source, target, log))
                ends.append(end)
            inner += ends
            descriptors[app.name] = (stdin, ends[0], ends[1])
        return descriptors, streams, inner

    def _open_input(self, descriptors: dict[str, tuple[int | None, int, int]], inner: list[int]) -> list[Input]:
        """Put a pipe between our standard input and the app that reads it, unless it is a terminal."""
        inputs = []
        for name, (stdin, stdout, stderr) in descriptors.items():
            if stdin is not None and not os.isatty(stdin):
                end, target = os.pipe2(os.O_CLOEXEC)
                inputs.append(Input(stdin, target))
                inner.append(end)
                descriptors[name] = (end, stdout, stderr)
        return inputs

    def _admit(self, app: str, pid: int) -> int:
        """Move the process that init knows as *pid* into its app's cgroups and return its host pid."""
        host_pid = _host_pid(self._init_pid, pid)
        self._cgroups.admit_app(app, host_pid)
        self._running[app] = host_pid
        # Before the process may go on: whoever hears from an app can find it.
        self._records.write_pids(self._init_pid, self._running)
        return host_pid

    def _ready(self) -> None:
        gc.enable()  # from here on this process may live for months
        self._cgroups.settle_init(self._init_pid)
        self._records.write_pids(self._init_pid, {})
        if self._options.ready_fd is not None:
            os.write(self._options.ready_fd, b"ready\n")
            os.close(self._options.ready_fd)

    def _clean(self) -> None:
        left = remove_patiently(self._cgroups.paths())
        if left is not None:
            tell(TOOL, f"{left}: the cgroup is still in use (acrun gc removes it)")
        if self._pod.remove:
            for name in self._removable():
                remove_tree(os.path.join(self._pod.path, name))

    def _removable(self) -> list[str]:
        names = [f"apps/{app.name}/{part}" for app in self._pod.apps for part in ("upper", "work", "rootfs")]
        try:
            return names + [f"volumes/{name}" for name in os.listdir(os.path.join(self._pod.path, "volumes"))]
        except FileNotFoundError:
            return names


def _catch_signals() -> tuple[int, int]:
    """Return a pipe that delivers the numbers of signals which are not ours to obey."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in FORWARDED:
        if getsignal(number) != SIG_IGN:  # nohup stays nohup
            signal(number, lambda _number, _frame: None)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)  # a caller that ignored it would take init's end from us
    return reading, writing


def _fork_into_new_pid_namespace() -> int:
    """Fork a child that is PID 1 of a new namespace. Raises: StartError without the privilege; OSError."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare(CLONE_NEWPID)
    except PermissionError:
        raise StartError("unshare", "this takes root", "sudo acrun") from None
    pid = os.fork()
    if pid != 0:
        # Else every later child of ours would land in the pod, and none could be made after its end.
        setns(own, CLONE_NEWPID)
    os.close(own)
    return pid


def _keep_only(kept: set[int]) -> None:
    """Close every descriptor but *kept*: whatever the caller left open leads to the host. Source: close_range(2)."""
    last = 2
    for descriptor in sorted(number for number in kept if number > 2):
        if descriptor > last + 1:  # an empty range, to os.closerange, may be everything
            os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, _BEYOND_ALL)


def _become_init(
    pod: PodDirectory,
    channel: Channel,
    lifeline: int,
    gate: int,
    trampoline: int | None,
    descriptors: dict[str, tuple[int | None, int, int]],
    debug: bool,
) -> NoReturn:
    """Be pod init, whose modules are imported only here: beside the monitor, which makes the cgroups meanwhile."""
    try:
        from acstage1.init import InitContext, run_init

        run_init(InitContext(pod, channel, lifeline, gate, trampoline, descriptors, debug))
    except BaseException as error:
        channel.send(FAILED, "", "", *describe_failure("begin", error).fields())
    finally:
        os._exit(0)


def _children_of(init: int) -> Iterator[str]:
    """Yield the children of *init*, the newest first, many times: the list leaves out some while others end."""
    for _ in range(_LISTINGS):
        with open(f"/proc/{init}/task/{init}/children", encoding="ascii") as file:
            yield from reversed(file.read().split())


def _host_pid(init: int, pid: int) -> int:
    """Return the host's number of the child of *init* that is *pid* in the pod. Raises: ProcessLookupError; OSError.

    Source: proc_pid_status(5), NSpid.
    """
    for child in _children_of(init):
        try:
            with open(f"/proc/{child}/status", "rb") as status:
                if any(line.startswith(b"NSpid:") and int(line.split()[-1]) == pid for line in status):
                    return int(child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # an orphan that init has reaped since
    raise ProcessLookupError(3, "no such child of pod init", str(pid))


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
