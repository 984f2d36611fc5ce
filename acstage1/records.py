"""The files that stage1 writes into a pod directory: whole, in their place, and readable without it.

They are not synced: what a power cut takes from a pod that ran then is gone anyway, and a sync would cost more than the start.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
import time

from acspec import execution
from acspec.descriptors import write_all
from acspec.errors import FormatError, MissingInputError, TrustError
from acspec.execution import boot_id, format_moment, start_time
from acspec.jsontext import dump_json, read_json_file
from acspec.ownership import only_we_can_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.jsontext import JSONValue


def now(later: float = 0.0) -> str:
    """Return the present moment, or one that many seconds *later*, as RFC 3339 in UTC, to the microsecond.

    Source: types.md, Timestamps.
    """
    return format_moment(*divmod(time.time_ns() + int(later * 1_000_000_000), 1_000_000_000))


class Records:
    """The files of one pod directory."""

    def __init__(self, pod_path: str) -> None:
        self._path = pod_path
        self._boot = boot_id()
        self._monitor = identify(os.getpid())
        self._init: JSONValue = None
        self._owed: dict[str, dict[str, JSONValue]] = {}

    def write_cgroups(self, paths: Sequence[str]) -> None:
        """Write the list of cgroup directories. Raises: OSError."""
        _write(self._path, "cgroups", "".join(f"{path}\n" for path in paths).encode("utf-8", "surrogateescape"))

    def write_isolators(self, rows: list[JSONValue]) -> None:
        """Write isolators.json. Raises: OSError."""
        _write(self._path, "isolators.json", dump_json(rows))

    def write_pids(self, init: int, apps: dict[str, JSONValue]) -> None:
        """Write who is who among the processes of this machine: *init*, and of each app what `identify` said. Raises: OSError."""
        if self._init is None:
            self._init = identify(init)
        value: dict[str, JSONValue] = {"init": self._init, "monitor": self._monitor, "apps": apps, "boot": self._boot}
        _write(self._path, "pid", dump_json(value))

    def write_status(self, app: str, status: dict[str, JSONValue]) -> None:
        """Write how an app ended. Raises: OSError; then it is owed."""
        self._owed[app] = status
        _write(self._path, f"status/{app}", dump_json(status))
        del self._owed[app]

    def write_owed(self) -> None:
        """Write what is owed, now that there may be room for it. Raises: nothing, as that was told before."""
        for app, status in list(self._owed.items()):
            try:
                self.write_status(app, status)
            except OSError:
                continue


def write_end(pod_path: str, code: int, why: str | None = None) -> None:
    """Write the exit code of a run, and *why* it was none of the apps', but a failure of ours. Raises: OSError."""
    _write(pod_path, "end", dump_json({"exit": code} if why is None else {"exit": code, "why": why}))


def _write(pod_path: str, name: str, data: bytes) -> None:
    path = os.path.join(pod_path, name)
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)


def check_owner(path: str) -> None:
    """Check that nobody but root and the caller can write to a pod directory: it names paths to mount and processes to kill.

    Raises: TrustError; OSError when it is not there.
    """
    status = os.stat(path)
    if not only_we_can_write(status):
        raise TrustError(path, f"belongs to user {status.st_uid}, or others can write to it: no pod directory of the caller's")


def identify(pid: int, **more: JSONValue) -> JSONValue:
    """Return what tells a process from all others of this boot, and *more* of it; None when it is gone. Raises: OSError."""
    try:
        return {"pid": pid, "start": start_time(pid), **more}
    except (FileNotFoundError, ProcessLookupError):
        return None


def read_cgroups(pod_path: str) -> list[str]:
    """Return the cgroup directories of a pod; none when stage1 never began. Raises: OSError."""
    try:
        with open(os.path.join(pod_path, "cgroups"), encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def open_process(pod_path: str, who: str, app: str | None = None) -> int | None:
    """Return a pidfd of the monitor, of init, or of an app's main process; None when it is gone.

    Raises: OSError.
    Source: spec/pod-directory.md, Files.
    """
    try:
        value = read_json_file(os.path.join(pod_path, "pid"))
    except (MissingInputError, FormatError):
        return None
    if not isinstance(value, dict):
        return None
    entry = value.get(who)
    if app is not None:
        entry = entry.get(app) if isinstance(entry, dict) else None
    return execution.open_process(value, entry)
