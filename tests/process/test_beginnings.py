"""Signals that come before stage1 runs: in moments that strace makes longer, or before acrun itself has begun."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

import pytest

from tests.support.desk import Desk
from tests.support.running import show_pod
from tests.support.waiting import wait_for


@contextmanager
def held_up(desk: Desk, *words: str) -> Iterator[Popen[str]]:
    """Run acrun with *words*, and yield when there is a pod in phase run; to become stage1 takes a third of a second more."""
    fault = "inject=execve:delay_enter=300000"
    command = ("strace", "-D", "-o", "/dev/null", "-e", "trace=execve", "-e", fault, "acrun", "--grace-period", "0", *words)
    with desk.start(*command) as acrun:
        try:
            wait_for(lambda: list((desk.store / "pods" / "run").glob("*")), "a pod")
            yield acrun
        finally:
            acrun.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_stage1_runs_ends_the_pod_and_is_told_in_it(shelf: Desk, number: signal.Signals) -> None:
    with held_up(shelf, "--name", "early", "./probe.aci", "--", "stay") as acrun:
        acrun.send_signal(number)
        assert acrun.wait() == 128 + number
    assert show_pod(shelf, "early")["exitCode"] == 128 + number


def test_a_pod_that_is_to_leave_nothing_leaves_nothing_then_either(shelf: Desk) -> None:
    with held_up(shelf, "--rm", "./probe.aci", "--", "stay") as acrun:
        acrun.terminate()
        assert acrun.wait() == 128 + signal.SIGTERM
    assert shelf.run("acrun", "list", "--quiet").stdout == ""


# Begins a program to which a signal has been sent already, and is held back.
WAITING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_signal_before_a_detached_pod_is_handed_over_ends_it_as_well(shelf: Desk) -> None:
    words = ("acrun", "--detach", "--name", "early", "--grace-period", "0", "./probe.aci", "--", "stay")
    ended = shelf.run(sys.executable, "-c", WAITING, *words)
    assert (ended.code, ended.stdout) == (128 + signal.SIGTERM, "")
    assert show_pod(shelf, "early")["exitCode"] == 128 + signal.SIGTERM
