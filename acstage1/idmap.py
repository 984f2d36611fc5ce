"""The ids of a pod: those of the host, or those of a user namespace in which an ordinary user's own id is all there is.

What differs between the two is asked of an `IdMap`, so nobody else needs to know which of them a pod has.

Source: user_namespaces(7); spec/stage1.md, Ids.
"""

from __future__ import annotations

import errno
import os

from acspec.errors import reason_of
from acspec.execution import MAX_ID
from acstage1.errors import StartError
from acstage1.linux.namespaces import CLONE_NEWUSER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acspec.fields import Fields

# What can forbid user namespaces to ordinary users: the switch, the value that does, and one that does not.
_SWITCHES = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "10000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
_DENIALS = (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EUSERS)


class IdMap:
    """Which ids a pod has: all of the host's (`is_host`), or one user and one group, behind which stand the caller's."""

    __slots__ = ("_gid", "_uid", "is_host")

    def __init__(self, fields: Fields | None) -> None:
        """Read the map of stage1.json; None: the ids of the host. Raises: FormatError when it is none that we can set up.

        Source: spec/stage1.md, Ids.
        """
        self.is_host = fields is None
        self._uid = (0, 0) if fields is None else _read_pair(fields, "uid", os.geteuid())
        self._gid = (0, 0) if fields is None else _read_pair(fields, "gid", os.getegid())

    @property
    def namespaces(self) -> int:
        """The flag of the pod's own user namespace, for clone and setns; 0 when it has none."""
        return 0 if self.is_host else CLONE_NEWUSER

    @property
    def overlay_options(self) -> str:
        """What overlay needs to be told: where trusted.* attributes cannot be written, its notes go into user.* ones."""
        return "" if self.is_host else ",userxattr"

    @property
    def terminal_options(self) -> str:
        """What devpts is told of the group that terminals belong to: tty, which is 5 on every Linux."""
        return ",gid=5" if self.gid(5) == 5 else ""

    def uid(self, wanted: int) -> int:
        """Return the user that an app gets which asks for *wanted*."""
        return wanted if self.is_host else self._uid[0]

    def gid(self, wanted: int) -> int:
        """Return the group that an app gets which asks for *wanted*."""
        return wanted if self.is_host else self._gid[0]

    def fill(self) -> None:
        """Write the maps of this process's new user namespace, in which it could do nothing without. Raises: StartError; OSError.

        Source: user_namespaces(7): a process may map its own id, once it has given up setgroups for good.
        """
        if self.is_host:
            return
        try:
            _write("setgroups", "deny")
            _write("uid_map", f"{self._uid[0]} {self._uid[1]} 1")
            _write("gid_map", f"{self._gid[0]} {self._gid[1]} 1")
        except OSError as error:
            raise refusal(error) from None

    def set_groups(self, gids: Iterable[int]) -> None:
        """Make *gids* the groups of this process, where that can be done. Raises: OSError. Source: setgroups(2)."""
        if self.is_host:
            os.setgroups(sorted(set(gids)))

    def limit_processes(self, limit: int) -> None:
        """Let a pod that may have no cgroup hold no more than *limit* processes: all of one user, in one user namespace.

        Raises: OSError.
        Source: setrlimit(2), RLIMIT_NPROC; counted for each user namespace since Linux 5.14.
        """
        if self.is_host:
            return
        import resource

        most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        least = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(resource.RLIMIT_NPROC, (least, least))


def _read_pair(fields: Fields, key: str, own: int) -> tuple[int, int]:
    """Return the id inside and the id outside of a map of one; the one outside has to be our own."""
    value = fields.items(key)
    if len(value) == 1 and isinstance(row := value[0], list) and len(row) == 3:
        inside, outside, count = row
        if isinstance(inside, int) and 0 <= inside <= MAX_ID and outside == own and count == 1:
            return inside, own
    raise fields.fault(key, f"this stage1 maps the caller's own id and no other, as in [[0, {own}, 1]]")


def _write(name: str, text: str) -> None:
    descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)


def refusal(error: OSError, sysctls: str = "/proc/sys") -> StartError:
    """Return what to say when a user namespace, or a right in it, was refused with *error*, and which switch would help.

    Source: user_namespaces(7); namespaces(7), /proc/sys/user; Debian's and Ubuntu's own switches.
    """
    if error.errno in _DENIALS:
        for name, bad, good in _SWITCHES:
            if _read_switch(os.path.join(sysctls, name.replace(".", "/"))) == bad:
                return StartError("user namespace", f"{name} is {bad} on this machine", f"sysctl {name}={good}, or sudo acrun")
    why = reason_of(error)
    return StartError("user namespace", f"refused: {why}", "in a container, its seccomp filter may be why; else sudo acrun")


def _read_switch(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None
