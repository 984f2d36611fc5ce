"""What the kernel still has of a pod whose monitor is gone: processes are killed, cgroups removed. May be repeated.

It needs nothing but the pod directory, and nothing of it after a reboot.

Source: spec/stage1.md, gc; spec/pod-directory.md, Collection.
"""

from __future__ import annotations

import os
import select

from acspec.errors import KernelError, MissingInputError
from acspec.locks import open_owned
from acstage1.cgroups import collect_cgroups
from acstage1.linux.signals import SIGKILL, send_signal
from acstage1.records import check_owner, open_process, read_cgroups

_DYING_MS = 5000


def collect_pod(path: str) -> int:
    """Kill and remove what the kernel still has of a pod, and return 0.

    Raises: BusyError when the pod runs, or somebody else works on it; KernelError when something cannot be removed; OSError.
    Source: spec/stage1.md, gc.
    """
    try:
        lock = open_owned(path)
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(path, "no such pod directory") from None
    try:
        check_owner(path)
        _kill_init(path)
        left = collect_cgroups(read_cgroups(path))
    finally:
        os.close(lock)
    if left is not None:
        raise KernelError(left, "the cgroup cannot be removed", "is something of it stuck in the kernel?")
    return 0


def _kill_init(path: str) -> None:
    """Kill pod init, should it have outlived its monitor, and all of the pod with it: a pod without cgroups has no other end."""
    init = open_process(path, "init")
    if init is None:
        return
    send_signal(init, SIGKILL)
    poll = select.poll()
    poll.register(init, select.POLLIN)
    poll.poll(_DYING_MS)
    os.close(init)
