"""How the start of a pod goes, told to whoever started it: stage0 by a descriptor, a service manager by sd_notify.

Source: spec/stage1.md, run (--ready-fd); sd_notify(3).
"""

from __future__ import annotations

import os

from acstage1.environment import NOTIFY_VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


class StartNotifier:
    """Tells those who started one pod; each of them may be gone, or not want to be told."""

    __slots__ = ("_apps", "_detached", "_ready_fd", "_uuid")

    def __init__(self, uuid: str, apps: Collection[str], ready_fd: int | None, *, detached: bool) -> None:
        """Tell of the pod *uuid* and its *apps*, by *ready_fd* where there is one; of a *detached* pod the monitor stays."""
        self._uuid = uuid
        self._apps = apps
        self._ready_fd = ready_fd
        self._detached = detached

    def prepared(self) -> None:
        """Tell that the pod stands and its apps are about to start. Raises: OSError: nobody wants the pod any more."""
        if self._detached:
            self._notify(f"MAINPID={os.getpid()}")  # before stage0 ends, which was it until now
        if self._ready_fd is not None:
            os.write(self._ready_fd, b"ready\n")

    def started(self) -> None:
        """Tell that every app's program runs, or has run; there is nothing more to come by the descriptor."""
        if self._ready_fd is None:
            return
        try:
            os.write(self._ready_fd, b"started\n")
        except BrokenPipeError:
            pass
        os.close(self._ready_fd)

    def all_ready(self) -> None:
        """Tell that every app is ready."""
        self._notify(f"READY=1\nSTATUS=pod {self._uuid} runs: {', '.join(self._apps)}")

    def ending(self, why: str) -> None:
        """Tell that the end of the pod has begun, and why."""
        self._notify(f"STOPPING=1\nSTATUS=pod {self._uuid} is ending: {why}")

    def _notify(self, text: str) -> None:
        if NOTIFY_VARIABLE in os.environ:
            from acstage1.notify_socket import notify_service_manager  # only a service manager wants to know

            notify_service_manager(text)
