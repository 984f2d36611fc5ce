"""Processes as /proc shows them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import NoReturn

import pytest

from acstage1.linux.namespaces import CLONE_NEWPID, CLONE_NEWUSER, unshare
from acstage1.processes import get_host_pid


@pytest.fixture
def child() -> Iterator[int]:
    """Return a child of this process that stays."""
    lifeline, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        os.read(lifeline, 1)
        os._exit(0)
    os.close(lifeline)
    yield pid
    os.close(end)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("listings", [1, 0], ids=["among the children", "among all processes"])
def test_a_child_is_found(child: int, listings: int) -> None:
    assert get_host_pid(os.getpid(), child, listings) == child


def test_a_process_of_somebody_else_is_nobody_s_child(child: int) -> None:
    with pytest.raises(ProcessLookupError):
        get_host_pid(child, os.getpid())


def stay() -> NoReturn:
    while True:
        signal.pause()


def make_impostor() -> NoReturn:
    """Make, in a namespace of an app's, the processes 1 and 2, which by this one's end become children of init."""
    unshare(CLONE_NEWPID)
    for _ in range(2):
        if os.fork() == 0:
            stay()
    os._exit(0)


def be_init(report: int) -> NoReturn:
    """Be the first process of a namespace: with a child that has the number 2, then with a younger one that claims it."""
    if os.fork() == 0:
        stay()
    app = os.fork()
    if app == 0:
        make_impostor()
    os.waitpid(app, 0)
    os.write(report, b"+")
    stay()


@pytest.fixture
def init() -> Iterator[int]:
    """Return the first process of a namespace whose second one has an impostor."""
    numbers, numbers_end = os.pipe()
    made, made_end = os.pipe()
    parent = os.fork()
    if parent == 0:
        try:
            unshare(CLONE_NEWUSER | CLONE_NEWPID)
            pid = os.fork()
            if pid == 0:
                be_init(made_end)
            os.write(numbers_end, str(pid).encode())
            os.waitpid(pid, 0)
        finally:
            os._exit(0)
    os.close(numbers_end)
    os.close(made_end)
    pid = int(os.read(numbers, 16))
    assert os.read(made, 1) == b"+"
    yield pid
    os.kill(pid, signal.SIGKILL)  # and all that is in its namespace
    os.waitpid(parent, 0)
    os.close(numbers)
    os.close(made)


def in_namespace(pid: int) -> list[int]:
    with open(f"/proc/{pid}/status") as file:
        return [int(word) for line in file if line.startswith("NSpid:") for word in line.split()[1:]]


@pytest.mark.parametrize("listings", [1, 0], ids=["among the children", "among all processes"])
def test_a_number_in_a_namespace_of_an_app_s_own_is_none_of_the_pod_s(init: int, listings: int) -> None:
    with open(f"/proc/{init}/task/{init}/children") as file:
        children = [in_namespace(int(word)) for word in file.read().split()]
    assert [numbers[-1] for numbers in children].count(2) == 2  # the impostor is there
    found = get_host_pid(init, 2, listings)
    assert in_namespace(found) == [found, 2]
