"""Signals without the module `signal`, which makes enums of them at import and costs 4 ms.

Source: signal(7), pidfd_send_signal(2).
"""

from __future__ import annotations

from _signal import (  # type: ignore[import-not-found]
    NSIG,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGCHLD,
    SIGCONT,
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGPIPE,
    SIGQUIT,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    SIGUSR1,
    SIGUSR2,
    SIGWINCH,
    getsignal,
    pidfd_send_signal,
    pthread_sigmask,
    set_wakeup_fd,
    signal,
)

__all__ = [
    "NSIG",
    "SIGCHLD",
    "SIGCONT",
    "SIGHUP",
    "SIGINT",
    "SIGKILL",
    "SIGPIPE",
    "SIGQUIT",
    "SIGSTOP",
    "SIGTERM",
    "SIGTSTP",
    "SIGUSR1",
    "SIGUSR2",
    "SIGWINCH",
    "SIG_BLOCK",
    "SIG_DFL",
    "SIG_IGN",
    "SIG_SETMASK",
    "SIG_UNBLOCK",
    "getsignal",
    "pthread_sigmask",
    "send_signal",
    "set_wakeup_fd",
    "signal",
]


def send_signal(process: int, number: int) -> None:
    """Send a signal to the process of the pidfd *process*; one that has ended needs none. Raises: OSError.

    Source: pidfd_send_signal(2).
    """
    try:
        pidfd_send_signal(process, number)
    except ProcessLookupError:
        pass
