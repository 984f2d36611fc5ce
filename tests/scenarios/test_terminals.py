"""At a terminal, as people type it: `acrun -it`, `acrun enter`, and what is refused without one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play
from tests.support.terminal import Terminal, at_terminal

HINT = "--tty: standard input is not a terminal (--interactive alone passes on what is none)"
WITHOUT = {
    "a terminal to write to": Scenario("acrun -t ./sh.aci -- 'test -t 1 && ! test -t 0 && cat; printf done'", "done"),
    "a terminal to type at": Scenario("acrun -it ./sh.aci -- 'echo never' < /dev/null", "", 125, HINT),
    "the input of a pipe": Scenario("echo words | acrun -i ./sh.aci -- 'test -t 0 || cat'", "words\n"),
    "a terminal for two apps": Scenario("acrun -t ./sh.aci --- ./probe.aci", "", 125, "--tty: the pod has 2 apps"),
    "a prepared pod that is run with one": Scenario(
        "acrun run-prepared -t $(acrun prepare ./sh.aci -- 'test -t 1 && printf yes')", "yes"
    ),
    "a preparation with one": Scenario("acrun prepare -t ./sh.aci -- true", "", 2, "is an option of the run"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_without_a_terminal(shelf: Desk, case: str) -> None:
    play(shelf, WITHOUT[case])


@contextmanager
def typing(shelf: Desk, line: str) -> Iterator[Terminal]:
    """Type a line into a shell at a terminal."""
    environment = {**os.environ, **shelf.machine.environment, **shelf.environment, "TERM": "vt220"}
    with at_terminal(["sh", "-c", line], shelf.path, environment, (33, 101)) as terminal:
        yield terminal


def test_a_shell_in_a_new_pod(shelf: Desk) -> None:
    with typing(shelf, "acrun -it ./sh.aci --exec /bin/sh; echo code $?; stty -a") as terminal:
        terminal.answer("# ", "tty; echo $TERM; exit 4")
        assert terminal.end() == 0
        assert terminal.settings() == terminal.before
    assert "/dev/pts/0\r\nvt220\r\ncode 4\r\n" in terminal.shown.replace("\r\r", "\r")
    assert " icanon" in terminal.shown


def test_images_come_through_a_pipe_and_what_they_show_is_at_a_terminal(shelf: Desk) -> None:
    with typing(shelf, "echo $PWD/sh.aci | acrun -t - -- 'test -t 1 && echo shown'") as terminal:
        assert terminal.end() == 0
        assert terminal.shown.rstrip() == "shown"


STAY = "acrun -d --name stay ./sh.aci -- 'trap \"exit 0\" TERM; while :; do sleep 1000 & wait; done' > /dev/null"
ENTERED = {
    "where all is a terminal": ("acrun enter stay -- tty", "/dev/pts/0"),
    "where errors go elsewhere": ("acrun enter stay -- sh -c 'test -t 0 || echo apart' 2> /dev/null", "apart"),
    "where the input does not come from it": ("acrun enter stay -- tty < /dev/null", "not a tty"),
    "where none is wanted": ("acrun enter --no-tty stay -- sh -c 'ls /dev/pts'", "ptmx"),
    "where one is wanted": ("acrun enter -t stay -- ls /dev/pts 2> /dev/null", "0     ptmx"),
}


@pytest.mark.parametrize("case", ENTERED)
def test_a_command_in_a_running_pod(shelf: Desk, case: str) -> None:
    line, shown = ENTERED[case]
    with typing(shelf, f"{STAY} && {line}; acrun stop stay") as terminal:
        assert terminal.end() == 0
        assert terminal.shown.split("\r\n")[0].rstrip("\r") == shown


def test_a_shell_in_a_running_pod(shelf: Desk) -> None:
    with typing(shelf, f"{STAY} && acrun enter stay; echo code $?; acrun stop stay") as terminal:
        terminal.answer("# ", "exit 4")
        assert terminal.end() == 0
    assert "code 4" in terminal.shown
