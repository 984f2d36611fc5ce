"""An app's life, turn by turn: what it is sent, in orders of events that a run of a pod meets only now and then."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from acstage1.lifecycle import AppLifecycle
from acstage1.reports import PRE_START
from acstage1.restarts import NO, Restarts

Program = subprocess.Popen[bytes]


class Deaf:
    """Stands for the monitor's actions: nothing it is told goes anywhere, and every process is where it says."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None

    def admit(self, _app: str, _role: str, _attempt: int, pid: int) -> int:
        return pid


@pytest.fixture
def life() -> AppLifecycle:
    """An app that is to start, and of which nothing has been heard."""
    app: Any = SimpleNamespace(name="app", handlers={}, exec=["/bin/cat"])
    actions: Any = Deaf()
    life = AppLifecycle(app, 60, Restarts(NO, None), None, actions)
    life.begin()
    return life


@pytest.fixture
def main() -> Iterator[Program]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as main:
        yield main
        main.kill()


def answer(main: Program) -> bytes:
    """Return what a program answers that still runs."""
    assert main.stdin is not None
    assert main.stdout is not None
    main.stdin.write(b"here\n")
    main.stdin.flush()
    return main.stdout.readline()


def test_the_end_of_the_pod_asks_no_app_before_its_turn(life: AppLifecycle, main: Program) -> None:
    life.admitted(main.pid)
    life.start_no_more()
    life.program_started()  # the word of its start is younger than the end of the pod
    assert answer(main) == b"here\n"
    life.signal(signal.SIGTERM)
    assert main.wait() == -signal.SIGTERM
    life.ended(-signal.SIGTERM)
    assert (life.done, life.code) == (True, 128 + signal.SIGTERM)


def test_a_request_that_came_before_the_program_ran_is_made_when_it_does(life: AppLifecycle, main: Program) -> None:
    life.signal(signal.SIGTERM)
    life.admitted(main.pid)
    assert answer(main) == b"here\n"
    life.program_started()
    assert main.wait() == -signal.SIGTERM


def test_until_the_word_of_its_start_comes_a_program_is_asked_nothing_so_that_it_is_asked_once(
    life: AppLifecycle, main: Program
) -> None:
    life.admitted(main.pid)
    life.signal(signal.SIGTERM)
    assert answer(main) == b"here\n"
    life.program_started()
    assert main.wait() == -signal.SIGTERM


LISTENER = """
import signal
numbers = {signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
print("listening", flush=True)
while (number := signal.sigwait(numbers)) != signal.SIGTERM:
    print(number.name, flush=True)
"""


def test_of_several_signals_that_came_before_each_is_passed_on(life: AppLifecycle) -> None:
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as main:
        assert main.stdout is not None
        assert main.stdout.readline() == "listening\n"
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
            life.signal(number)
        life.admitted(main.pid)
        life.program_started()
        assert sorted([main.stdout.readline(), main.stdout.readline()]) == ["SIGHUP\n", "SIGUSR1\n"]
        life.signal(signal.SIGTERM)
        assert main.stdout.read() == ""
        assert main.wait() == 0


def test_a_pre_start_that_is_on_its_way_is_asked_to_end_when_it_runs(main: Program) -> None:
    app: Any = SimpleNamespace(name="app", handlers={PRE_START: ["/bin/cat"]}, exec=["/bin/cat"])
    actions: Any = Deaf()
    life = AppLifecycle(app, 60, Restarts(NO, None), None, actions)
    life.begin()
    life.admitted(main.pid)
    life.signal(signal.SIGINT)
    assert answer(main) == b"here\n"
    life.program_started()
    assert main.wait() == -signal.SIGINT
    life.ended(-signal.SIGINT)
    assert (life.done, life.code) == (True, 128 + signal.SIGINT)
