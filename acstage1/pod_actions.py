"""What the monitor does for its apps: messages to init, cgroups, files in the pod directory, lines for people.

Source: spec/stage1.md, run; spec/pod-directory.md, Files.
"""

from __future__ import annotations

from acstage1.linux.signals import SIGKILL, send_signal
from acstage1.oom import describe_oom, set_oom_score
from acstage1.processes import get_host_pid
from acstage1.records import identify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from acspec.jsontext import JSONValue
    from acstage1.cgroups import PodCgroups
    from acstage1.descriptors import Streams
    from acstage1.isolator_report import IsolatorReport
    from acstage1.pod import App, PodDirectory
    from acstage1.rebuild import Rebuilding
    from acstage1.records import Records
    from acstage1.reports import Channel


class InitProcess:
    """PID 1 of a pod, seen from outside: its number on this machine, a pidfd, and the channel to it."""

    __slots__ = ("channel", "pid", "pidfd")

    def __init__(self, pid: int, pidfd: int, channel: Channel) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.channel = channel


class PodActions:
    """The actions of one pod's monitor, as the apps' lifecycles ask for them. *tell* writes a line for people."""

    def __init__(
        self,
        pod: PodDirectory,
        init: InitProcess,
        cgroups: PodCgroups,
        records: Records,
        streams: Streams,
        notifying: Container[str],
        tell: Callable[[str], None],
    ) -> None:
        """Act for *pod*; the apps in *notifying* say themselves when they are ready."""
        self.tell = tell
        self.send = init.channel.send
        self.prepare_restart = streams.prepare_restart
        self._pod = pod
        self._init = init
        self._cgroups = cgroups
        self._records = records
        self._notifying = notifying
        self._apps = {app.name: app for app in pod.apps}
        self._oom_kills = dict.fromkeys(self._apps, 0)
        self._running: dict[str, JSONValue] = {}
        self._marks: dict[str, int] = {}

    def finish_setup(self, report: IsolatorReport, marks: Sequence[str]) -> None:
        """Limit the apps of the pod that is built now, and write down isolators and processes; *marks* are the apps' own, if any.

        Raises: IgnoredIsolatorError; OSError.
        """
        self._marks = dict(zip(self._apps, map(int, marks), strict=False))
        self._cgroups.move_init_to_leaf(self._init.pid)
        report.limit_apps(self._cgroups)
        self._records.write_isolators(report.rows)
        for note in report.notes():
            self.tell(note)
        self._records.write_pids(self._init.pid, {})

    def admit(self, app: str, role: str, attempt: int, pid: int) -> int:
        """Move the process that init knows as *pid* into its app's cgroups and return its host pid. Raises: OSError."""
        host_pid = get_host_pid(self._init.pid, pid)
        self._cgroups.admit_app(app, host_pid)
        set_oom_score(self._apps[app], host_pid)
        self._running[app] = identify(host_pid, role=role, attempt=attempt, **({"ready": False} if app in self._notifying else {}))
        # Before the process may go on: whoever hears from an app can find it.
        self._records.write_pids(self._init.pid, self._running)
        return host_pid

    def record_notifications(self, app: str, words: set[str]) -> None:
        """Write down what an app has said that it is. Raises: OSError."""
        entry = self._running.get(app)
        if isinstance(entry, dict):
            entry.update(dict.fromkeys(words, True))
            self._records.write_pids(self._init.pid, self._running)

    def end(self, app: str, status: dict[str, JSONValue]) -> None:
        """Write how an app ended, and say so when it was for want of memory: its own, or that of init, with which all end."""
        kills = self.take_oom_kills(app)
        if kills or self._cgroups.count_oom_kills(None):
            status["oom"] = True
            self.tell(describe_oom(app, status, kills))
        self.amend(app, status)

    def amend(self, app: str, status: dict[str, JSONValue]) -> None:
        """Write the status of an app that has ended anew. Raises: OSError."""
        self._records.write_status(app, status)

    def take_oom_kills(self, app: str) -> int:
        """Return how many processes of an app the kernel has killed for want of memory since this was asked last."""
        kills = self._cgroups.count_oom_kills(app)
        further, self._oom_kills[app] = kills - self._oom_kills[app], kills
        return further

    def rebuild(self, app: App) -> Rebuilding:
        """Begin to make the clean copy that an app is started again from. Raises: OSError."""
        from acstage1.pod_namespaces import PodNamespaces
        from acstage1.rebuild import start_rebuilding  # most pods never start an app again

        namespaces = PodNamespaces(self._init.pidfd, self._init.channel.handed)
        return start_rebuilding(self._pod, app, namespaces, self._cgroups.paths_of(app.name), self._marks.get(app.name))

    def kill(self, app: str) -> None:
        """Kill an app that takes no signal from us; where the kernel cannot end it alone, it ends it with the whole pod."""
        if not self._cgroups.kill_app(app):
            send_signal(self._init.pidfd, SIGKILL)
