"""The sequence of a run, outside the pod: lock, cgroups, init, supervision, cleaning.

One thread, in the host's namespaces. Everything that must be undone is written down before it is done; a kill at any moment leaves
what `gc` can find.

Source: spec/stage1.md, run; ace.md, App Container Executor.
"""

from __future__ import annotations

import gc
import os

from acspec.descriptors import close_all_but
from acspec.durable import remove_tree
from acspec.errors import ToolError, UsageError, reason_of
from acspec.execution import open_pidfd
from acspec.locks import open_owned
from acspec.ownership import is_root
from acspec.program import os_error, tell
from acstage1.cgroupfs import remove_patiently
from acstage1.cgroups import PodCgroups
from acstage1.descriptors import Streams, close_all, open_streams
from acstage1.errors import StartError
from acstage1.hierarchies import find_own_hierarchies
from acstage1.idmap import refusal
from acstage1.isolator_report import IsolatorReport
from acstage1.isolators import has_labels
from acstage1.linux.forks import fork_into
from acstage1.linux.namespaces import CLONE_NEWPID
from acstage1.linux.signals import SIGKILL, set_wakeup_fd
from acstage1.losses import Losses
from acstage1.multiplexer import Multiplexer
from acstage1.pod import PodDirectory
from acstage1.pod_actions import InitProcess, PodActions
from acstage1.records import Records, check_owner, write_end
from acstage1.reports import FAILED, describe_failure, open_channel
from acstage1.requests import catch_requests
from acstage1.start_notifier import StartNotifier
from acstage1.supervise import Supervisor
from acstage1.trampoline import make_high_trampoline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from acstage1.idmap import IdMap
    from acstage1.notify_socket import NotifySocket
    from acstage1.reports import Channel
    from acstage1.sockets import Socket

TOOL = "acstage1"

_OWN_FAILURE = 125


class RunOptions:
    """What the command line of `run` says."""

    __slots__ = ("debug", "detached", "interactive", "lock_fd", "path", "ready_fd")

    def __init__(
        self, path: str, lock_fd: int | None, ready_fd: int | None, interactive: bool, debug: bool, detached: bool
    ) -> None:
        self.path = path
        self.lock_fd = lock_fd
        self.ready_fd = ready_fd
        self.interactive = interactive
        self.debug = debug
        self.detached = detached


def run_pod(options: RunOptions) -> int:
    """Run the pod in a pod directory and return its exit code.

    Raises: BusyError when somebody else runs it; FormatError; IgnoredIsolatorError; StartError; OSError.
    Source: spec/stage1.md, run.
    """
    lock = options.lock_fd if options.lock_fd is not None else open_owned(options.path)
    os.set_inheritable(lock, False)
    if not os.path.samestat(os.fstat(lock), os.stat(options.path)):
        raise UsageError(f"--lock-fd {lock}", "is not a descriptor of the pod directory")
    check_owner(options.path)
    try:
        return _run_locked(options, lock)
    except (ToolError, OSError) as error:
        _note_failure(options.path, error)
        raise


def _run_locked(options: RunOptions, lock: int) -> int:
    pod = PodDirectory(options.path)
    monitor: _Monitor | None = None
    try:
        monitor = _Monitor(pod, options, lock)
        return monitor.run()
    finally:
        if pod.remove_pod and (monitor is None or monitor.is_clean):
            _remove(pod.path, lock)


def _note_failure(path: str, error: ToolError | OSError) -> None:
    """Leave a word of why there was no run, which nobody may have read on standard error."""
    try:
        write_end(path, _OWN_FAILURE, str(os_error(error) if isinstance(error, OSError) else error))
    except OSError:
        pass  # a full disk, or the pod is removed: the word on standard error is on its way in any case


def _remove(path: str, lock: int) -> None:
    from acstage1.removal import remove_pod_directory

    try:
        remove_pod_directory(path, lock)
    except OSError as error:  # the app's exit code counts for more
        tell(TOOL, f"{error.filename or path}: {reason_of(error)} (acrun gc removes the pod)")


class _Monitor:
    """The process that holds the lock and writes the files."""

    def __init__(self, pod: PodDirectory, options: RunOptions, lock: int) -> None:
        self._pod = pod
        self._options = options
        self._lock = lock
        self._records = Records(pod.path)
        self._report = IsolatorReport(pod)
        self._cgroups = PodCgroups(find_own_hierarchies(), pod.uuid, [app.name for app in pod.apps], pod.cgroup_parent)
        self._streams = Streams()
        self._losses = Losses(self._tell)
        self.is_clean = True

    def run(self) -> int:
        """Carry out the steps of a run."""
        if has_labels(self._pod):
            from acstage1.labels import assign_labels

            assign_labels(self._pod)
        wakeup = catch_requests()  # before anything is there to be undone
        self._records.write_cgroups(self._cgroups.paths())
        try:
            code = self._run_init(wakeup)
        finally:
            self._clean()
        if not self._pod.remove_pod:
            self._records.write_owed()  # what the apps left may have been what filled the disk
            self._write_end(code)
        return code

    def _write_end(self, code: int) -> None:
        try:
            write_end(self._pod.path, code)
        except OSError as error:  # a full disk takes the file from us, not the exit code
            self._tell(f"end: {reason_of(error)}")

    def _run_init(self, wakeup: int) -> int:
        ours, theirs = open_channel()
        interactive, detached = self._options.interactive, self._options.detached
        streams = self._streams = open_streams(self._pod, self._losses, interactive=interactive, detached=detached)
        notify_sockets = _open_notify_sockets(self._pod)
        lifeline, held = os.pipe2(os.O_CLOEXEC)
        gate, opener = os.pipe2(os.O_CLOEXEC)
        trampoline = make_high_trampoline()
        sockets = {item: item.open() for app in self._pod.apps for item in app.sockets if item.is_host}
        for_init = {lifeline, gate, *streams.inner, *sockets.values(), *([trampoline] if trampoline is not None else [])}
        pid = _fork_init(self._pod.ids)
        if pid == 0:
            set_wakeup_fd(-1)
            os.close(self._lock)  # whatever its number
            close_all_but({theirs.fileno(), *for_init})
            _become_init(self._pod, theirs, lifeline, gate, trampoline, streams, sockets, self._cgroups, self._options.debug)
        init = InitProcess(pid, open_pidfd(pid), ours)
        theirs.close()
        close_all(for_init)
        try:
            # The kernel lets the first move into a cgroup wait for milliseconds, in which init is on its way already.
            self._cgroups.make()
            self._report.limit_pod(self._cgroups)
            self._admit_init(pid, opener)
            return self._supervise(init, wakeup, notify_sockets)
        finally:
            streams.restore_terminal()
            os.kill(pid, SIGKILL)  # has ended when all went well; else nothing may be left to wait for us
            os.waitpid(pid, 0)
            close_all((held, opener))

    def _admit_init(self, pid: int, opener: int) -> None:
        try:
            self._cgroups.admit_init(pid)
            os.write(opener, b"+")
        except (ProcessLookupError, BrokenPipeError):
            pass  # init has ended already; what it said is still in the channel

    def _supervise(self, init: InitProcess, wakeup: int, notify_sockets: Mapping[str, NotifySocket]) -> int:
        pod, options, streams = self._pod, self._options, self._streams
        notifier = StartNotifier(pod.uuid, [app.name for app in pod.apps], options.ready_fd, detached=options.detached)
        actions = PodActions(pod, init, self._cgroups, self._records, streams, notify_sockets, self._tell)

        def finish_setup(marks: Sequence[str]) -> None:
            gc.enable()  # from here on this process may live for months
            actions.finish_setup(self._report, marks)
            notifier.prepared()

        multiplexer = Multiplexer(streams.outputs, streams.inputs, list(streams.relays.values()))
        code = Supervisor(pod, init, wakeup, multiplexer, actions, notifier, notify_sockets, finish_setup).run()
        return StartError.exit_code if code == 0 and self._losses.of_caller else code

    def _tell(self, text: str) -> None:
        self._streams.tell(lambda: tell(TOOL, text))

    def _clean(self) -> None:
        left = remove_patiently(self._cgroups.paths())
        self.is_clean = left is None
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


def _open_notify_sockets(pod: PodDirectory) -> dict[str, NotifySocket]:
    apps = [app.name for app in pod.apps if app.notify]
    if not apps:
        return {}
    from acstage1.notify_socket import NotifySocket

    return {name: NotifySocket(os.path.join(pod.path, "apps", name)) for name in apps}


def _fork_init(ids: IdMap) -> int:
    """Fork a child that is PID 1 of a new namespace, and of a user namespace where *ids* say so.

    This process stays where it is: with unshare(2), every later child of ours would land in the pod, and none could be made after
    its end.

    Raises: StartError without the privilege; OSError.
    """
    if ids.is_host and not is_root():
        raise StartError("clone", "without an idMap, this takes root", "sudo acrun")
    try:
        return fork_into(ids.namespaces | CLONE_NEWPID)
    except OSError as error:
        raise error if ids.is_host else refusal(error) from None


def _become_init(
    pod: PodDirectory,
    channel: Channel,
    lifeline: int,
    gate: int,
    trampoline: int | None,
    streams: Streams,
    sockets: dict[Socket, int],
    cgroups: PodCgroups,
    debug: bool,
) -> NoReturn:
    """Be pod init, whose modules are imported only here: beside the monitor, which makes the cgroups meanwhile."""
    try:
        from acstage1.context import InitContext
        from acstage1.init import run_init

        descriptors, terminals, hierarchies = streams.descriptors, streams.terminals, cgroups.hierarchies()
        run_init(InitContext(pod, channel, lifeline, gate, trampoline, descriptors, terminals, sockets, hierarchies, debug))
    except BaseException as error:
        channel.send(FAILED, "", "", *describe_failure("begin", error).fields())
    finally:
        os._exit(0)
