"""Users and groups by number and by name, as whoever runs or checks an image takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.execution import MAX_ID, find_id, may_hold_mount, parse_id

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
