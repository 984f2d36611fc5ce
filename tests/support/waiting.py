"""Waiting for what another process does: as long as it takes on a busy machine, and an error when it never comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 60


def wait_for(find: Callable[[], T], what: str) -> T:
    """Return what *find* finds, once that is something; fail when *what* has not come in time."""
    deadline = time.monotonic() + SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)
    return found
