"""Lengths of time as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.durations import parse_duration
from acspec.errors import UsageError

GOOD = {"0": 0, "90": 90, "45s": 45, "90m": 5400, "12h": 43200, "30d": 2592000, "2w": 1209600, "007d": 604800}


@pytest.mark.parametrize(("text", "seconds"), GOOD.items())
def test_a_number_and_a_unit_are_seconds(text: str, seconds: int) -> None:
    assert parse_duration(text, "--keep-for") == seconds


BAD = ["", "d", "-1d", "+1d", "1.5h", "1 d", "1d ", "1dd", "1y", "1D", "٣d", "1_0s", "0x1f", "1e3", "1234567890d", "1d\n"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no length of time"):
        parse_duration(text, "--keep-for")


@given(st.text(max_size=12))
def test_any_other_word_is_refused_with_our_own_error(text: str) -> None:
    try:
        assert parse_duration(text, "--keep-for") >= 0
    except UsageError as error:
        assert error.what == f"--keep-for {text}".rstrip()


@given(st.integers(0, 10**9 - 1), st.sampled_from("smhdw"))
def test_what_is_written_is_read(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}", "x") == number * parse_duration(f"1{unit}", "x")
