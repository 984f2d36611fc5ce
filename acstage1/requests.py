"""Signals that ask something of a pod: held back until the monitor can answer them, so that none ends a run without a word.

Source: signal(7); spec/stage1.md, run.
"""

from __future__ import annotations

import os

from acstage1.linux.signals import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_UNBLOCK,
    SIGCHLD,
    SIGHUP,
    SIGINT,
    SIGPIPE,
    SIGQUIT,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    getsignal,
    pthread_sigmask,
    set_wakeup_fd,
    signal,
)

FORWARDED = (SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2)


def hold_requests() -> None:
    """Have signals wait that come from now on: they are told by what `catch_requests` returns. Source: pthread_sigmask(3)."""
    pthread_sigmask(SIG_BLOCK, FORWARDED)


def catch_requests() -> int:
    """Return a pipe that delivers the numbers of signals which are not ours to obey, those that waited first. Raises: OSError."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in FORWARDED:
        if getsignal(number) != SIG_IGN:  # nohup stays nohup
            signal(number, lambda _number, _frame: None)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGCHLD, SIG_DFL)  # a caller that ignored it would take init's end from us
    pthread_sigmask(SIG_UNBLOCK, FORWARDED)
    return reading
