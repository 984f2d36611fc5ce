"""Signals that come before stage1 runs: as acrun becomes it, or before acrun itself has begun."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.support.desk import Desk
from tests.support.machine import Ended
from tests.support.running import show_pod


def signal_at_stage1(desk: Desk, number: signal.Signals, *words: str) -> Ended:
    """Run acrun with *words*, which gets a signal in the very call by which it becomes stage1."""
    trace = desk.path / "trace"
    strace = ("strace", "-o", str(trace), "-e", "trace=execve")
    assert desk.run(*strace, "acrun", "--rm", "./probe.aci", "--", "exit", "0").code == 0
    calls = [line for line in trace.read_text().splitlines() if line.startswith("execve(")]
    (place,) = [place for place, line in enumerate(calls) if "acstage1" in line]  # the first, which begins acrun, does not count
    fault = f"inject=execve:signal={number.name}:when={place}"
    return desk.run(*strace, "-e", fault, "acrun", *words, "./probe.aci", "--", "stay", "7")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_stage1_runs_ends_the_pod_and_is_told_in_it(shelf: Desk, number: signal.Signals) -> None:
    assert signal_at_stage1(shelf, number, "--name", "early").code == 128 + number
    assert show_pod(shelf, "early")["exitCode"] == 128 + number


def test_a_pod_that_is_to_leave_nothing_leaves_nothing_then_either(shelf: Desk) -> None:
    assert signal_at_stage1(shelf, signal.SIGTERM, "--rm").code == 128 + signal.SIGTERM
    assert shelf.run("acrun", "list", "--quiet").stdout == ""


# Begins a program to which a signal has been sent already, and is held back.
WAITING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.kill(os.getpid(), signal.SIGTERM)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def test_a_signal_before_a_detached_pod_is_handed_over_ends_it_as_well(shelf: Desk) -> None:
    words = ("acrun", "--detach", "--name", "early", "--grace-period", "0", "./probe.aci", "--", "stay", "7")
    ended = shelf.run(sys.executable, "-c", WAITING, *words)
    assert (ended.code, ended.stdout) == (128 + signal.SIGTERM, "")
    assert show_pod(shelf, "early")["exitCode"] == 128 + signal.SIGTERM
