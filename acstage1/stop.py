"""Asking a pod to end: a signal to its monitor, or to its first process when it shall be quick; then waiting.

Source: spec/stage1.md, stop.
"""

from __future__ import annotations

import os
import select

from acspec.errors import MissingInputError
from acspec.locks import is_locked
from acstage1.linux.signals import SIGKILL, SIGTERM, send_signal
from acstage1.records import check_owner, open_process

_MOMENT_MS = 10


def stop_pod(path: str, *, force: bool) -> int:
    """End the pod in a pod directory and return 0 when it has ended; one that has ended already is no error.

    SIGTERM goes to the apps, and SIGKILL to what is left after the grace period; with *force* everything is killed at once. A pod
    that is just starting is ended as soon as it stands.

    Raises: MissingInputError when there is no such pod; OSError.
    Source: spec/stage1.md, stop.
    """
    if not os.path.isdir(path):
        raise MissingInputError(path, "no such pod directory")
    check_owner(path)
    monitor = _find_monitor(path)
    if monitor is None:
        return 0
    target = open_process(path, "init") if force else monitor
    if target is not None:
        send_signal(target, SIGKILL if force else SIGTERM)
    poll = select.poll()
    poll.register(monitor, select.POLLIN)
    poll.poll()
    return 0


def _find_monitor(path: str) -> int | None:
    """Return a pidfd of the monitor, or None when nobody runs the pod. Who has its lock may be about to say who that is.

    Raises: OSError.
    Source: spec/pod-directory.md, Locks.
    """
    while (monitor := open_process(path, "monitor")) is None:
        try:
            if not is_locked(path):
                return None
        except FileNotFoundError:  # it was removed at its end
            return None
        select.poll().poll(_MOMENT_MS)
    return monitor
