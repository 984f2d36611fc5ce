"""Users and groups by number and by name, as whoever runs or checks an image takes them, and the processes of pods."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.execution import MAX_ID, boot_id, find_id, may_hold_mount, open_process, parse_id, start_time

NUMBERS = {
    "0": 0,
    "007": 7,
    "4294967294": MAX_ID,
    "4294967295": None,
    "": None,
    "-1": None,
    "1 ": None,
    "\u0661": None,
    "9" * 5000: None,
}


@pytest.mark.parametrize("text", NUMBERS, ids=lambda text: text[:12])
def test_a_number_is_one_that_an_owner_can_have(text: str) -> None:
    assert parse_id(text) == NUMBERS[text]


OWN = {"pid": os.getpid(), "start": start_time(os.getpid())}
THIS_BOOT, OTHER_BOOT = {"boot": boot_id()}, {"boot": "0d2c8a8e-0000-4000-8000-000000000000"}
ENTRIES: dict[str, tuple[Any, Any, bool]] = {
    "this process": (THIS_BOOT, OWN, True),
    "the same numbers of another boot": (OTHER_BOOT, OWN, False),
    "the same numbers of no boot": ({}, OWN, False),
    "one that began at another time": (THIS_BOOT, OWN | {"start": 1}, False),
    "one without a time": (THIS_BOOT, {"pid": os.getpid()}, False),
    "no process": (THIS_BOOT, None, False),
    "a number that no process has": (THIS_BOOT, OWN | {"pid": 2**31 - 1}, False),
    "a number that none can have": (THIS_BOOT, OWN | {"pid": 2**70}, False),
    "a group of processes": (THIS_BOOT, OWN | {"pid": -os.getpid()}, False),
    "a word": (THIS_BOOT, OWN | {"pid": "1"}, False),
    "nothing of use": ([], OWN, False),
}


@pytest.mark.parametrize("sentence", ENTRIES)
def test_a_process_is_meant_only_by_its_number_its_time_and_its_boot(sentence: str) -> None:
    pids, entry, is_meant = ENTRIES[sentence]
    descriptor = open_process(pids, entry)
    if descriptor is not None:
        signal.pidfd_send_signal(descriptor, 0)
        os.close(descriptor)
    assert (descriptor is not None) is is_meant


def test_zeros_in_front_cost_nothing() -> None:
    assert parse_id("0" * 100_000 + "5") == 5


def test_the_first_line_of_a_name_that_has_a_number_counts() -> None:
    database = b"appx:x:1:\napp\napp:x\napp:x:no:\napp:x:99999999999:\napp:x:7:8\napp:x:9:"
    assert find_id(database, "app") == 7
    assert find_id(database, "nobody") is None
    assert find_id(b"app:x:4294967295:\napp:x:5:", "app") is None


@given(some.binary(max_size=100), some.text(max_size=5))
def test_any_file_has_a_number_for_a_name_or_none(database: bytes, name: str) -> None:
    found = find_id(database, name)
    assert found is None or 0 <= found <= MAX_ID


TARGETS = {
    "": False,
    "proc": False,
    "proc/1": False,
    "proc/sys/net": False,
    "sys": False,
    "dev": False,
    "dev/shm": True,
    "process": True,
}


@pytest.mark.parametrize("path", TARGETS)
def test_a_mount_lies_neither_on_the_root_nor_over_what_the_kernel_shows(path: str) -> None:
    assert may_hold_mount(tuple(filter(None, path.split("/")))) == TARGETS[path]
