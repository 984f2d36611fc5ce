"""A cgroup namespace for each app: a mark that tells its processes from those of other apps where no cgroup of its own does.

An app cannot leave it without the right to, and no process of it can be put into another's by chance. All see the same in it.

Source: cgroup_namespaces(7), setns(2); spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os

from acstage1.linux.namespaces import CLONE_NEWCGROUP, setns, unshare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN = "/proc/self/ns/cgroup"


class AppMarks:
    """The marks of a pod's apps, as init holds them."""

    def __init__(self) -> None:
        self._namespaces: dict[str, int] = {}

    def make(self, apps: Iterable[str]) -> None:
        """Make a mark for each app; this process has the last one until it makes a namespace for itself. Raises: OSError."""
        for app in apps:
            unshare(CLONE_NEWCGROUP)
            self._namespaces[app] = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)

    def numbers(self) -> list[str]:
        """Return what the monitor knows the marks by, in the order of the apps. Raises: OSError."""
        return [str(os.fstat(descriptor).st_ino) for descriptor in self._namespaces.values()]

    def put_on(self, app: str) -> bool:
        """Mark this process as one of *app*, and return whether there are marks. Raises: OSError."""
        if app in self._namespaces:
            setns(self._namespaces[app], CLONE_NEWCGROUP)
        return app in self._namespaces
