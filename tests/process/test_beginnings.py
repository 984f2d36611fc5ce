"""Signals that come before stage1 runs: in moments that strace makes longer, or before acrun itself has begun."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from tests.support.desk import Desk
from tests.support.running import show_pod
from tests.support.waiting import wait_for

MOMENTS = {"while the pod is made": ("rename,renameat,renameat2", "prepare"), "as stage1 takes over": ("execve", "run")}


@contextmanager
def held_up(desk: Desk, calls: str, *words: str) -> Iterator[Popen[str]]:
    """Run acrun with *words* where each of *calls* takes a third of a second, also when it has become stage1."""
    fault = f"inject={calls}:delay_enter=300000"
    command = ("strace", "-D", "-o", "/dev/null", "-e", f"trace={calls}", "-e", fault, "acrun", *words)
    with desk.start(*command) as acrun:
        try:
            yield acrun
        finally:
            acrun.kill()


def list_phase(desk: Desk, *phases: str) -> list[Path]:
    return [path for phase in phases for path in (desk.store / "pods" / phase).glob("*")]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_stage1_runs_ends_the_pod_and_is_told_in_it(shelf: Desk, moment: str, number: signal.Signals) -> None:
    calls, phase = MOMENTS[moment]
    with held_up(shelf, calls, "--name", "early", "--grace-period", "0", "./probe.aci", "--", "stay") as acrun:
        wait_for(lambda: list_phase(shelf, phase, "run"), "a pod")
        acrun.send_signal(number)
        assert acrun.wait() == 128 + number
    assert show_pod(shelf, "early")["exitCode"] == 128 + number
    assert list_phase(shelf, "embryo", "prepare") == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_pod_that_is_to_leave_nothing_leaves_nothing_then_either(shelf: Desk, moment: str) -> None:
    calls, phase = MOMENTS[moment]
    with held_up(shelf, calls, "--rm", "--grace-period", "0", "./probe.aci", "--", "stay") as acrun:
        wait_for(lambda: list_phase(shelf, phase, "run"), "a pod")
        acrun.terminate()
        assert acrun.wait() == 128 + signal.SIGTERM
    assert list_phase(shelf, "embryo", "prepare", "run", "exited-garbage", "garbage", "names") == []


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
