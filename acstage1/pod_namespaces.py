"""The namespaces of a running pod, joined by the processes that rebuild an app in it.

Root goes in by init's pidfd. An ordinary user may not, as init is not to be inspected; so init hands its namespaces out, to the
monitor alone.

Source: setns(2), ptrace(2), Ptrace access mode checking; spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os

from acstage1.linux.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    setns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# In the order in which they are handed out, and joined: only in the first is the right to join the others.
_NAMES = {
    "user": CLONE_NEWUSER, "pid": CLONE_NEWPID, "net": CLONE_NEWNET, "ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS, "mnt": CLONE_NEWNS,
}  # fmt: skip


def open_namespaces() -> list[int]:
    """Return descriptors of this process's own namespaces, to be handed out. Raises: OSError."""
    return [os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in _NAMES]


class PodNamespaces:
    """The namespaces of *init*, a pidfd, or those that it has handed out where there are any."""

    __slots__ = ("_handed", "_init")

    def __init__(self, init: int, handed: Sequence[int]) -> None:
        self._init = init
        self._handed = tuple(handed)

    def descriptors(self) -> set[int]:
        """Return the descriptors that a process has to keep open to join them."""
        return {self._init, *self._handed}

    def join(self, flags: int) -> None:
        """Join the namespaces of *flags* (CLONE_NEW*). Raises: OSError."""
        if not self._handed:
            setns(self._init, flags)
            return
        for descriptor, flag in zip(self._handed, _NAMES.values(), strict=True):
            if flags & flag:
                setns(descriptor, flag)
