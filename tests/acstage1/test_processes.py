"""Processes as /proc shows them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

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
