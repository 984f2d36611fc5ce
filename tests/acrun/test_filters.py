"""Compiled filters as they are kept: believed when they are whole, and otherwise made anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.filters import Compiled, Filter, find_compiled, keep_compiled, read_noted
from acspec import limits

KEY = "k" * 64


def test_what_was_kept_is_found(tmp_path: Path) -> None:
    keep_compiled(str(tmp_path), KEY, Compiled(b"12345678", ("frobnicate",)))
    found = find_compiled(str(tmp_path), KEY)
    assert found is not None
    assert (found.program, found.unknown) == (b"12345678", ("frobnicate",))
    assert find_compiled(str(tmp_path), "other") is None


BAD = {
    "half of an instruction": {"key": KEY, "program": "00" * 12, "unknown": []},
    "nothing": {"key": KEY, "program": "", "unknown": []},
    "more than the kernel takes": {"key": KEY, "program": "00" * (limits.SECCOMP_FILTER_BYTES + 8), "unknown": []},
    "no hexadecimal": {"key": KEY, "program": "x" * 16, "unknown": []},
    "no list": {"key": KEY, "program": "00" * 8, "unknown": None},
    "another key": {"key": "x", "program": "00" * 8, "unknown": []},
    "no key": {"program": "00" * 8, "unknown": []},
    "no object": [],
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_whole_is_not_believed(tmp_path: Path, case: str) -> None:
    (tmp_path / "filters").mkdir()
    (tmp_path / "filters" / f"{KEY}.json").write_text(json.dumps(BAD[case]))
    assert find_compiled(str(tmp_path), KEY) is None


@given(data=st.binary(max_size=64))
def test_any_bytes_are_no_filter_and_no_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    place = tmp_path_factory.mktemp("run")
    (place / "filters").mkdir()
    (place / "filters" / f"{KEY}.json").write_bytes(data)
    assert find_compiled(str(place), KEY) is None


def test_a_disk_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "filters").write_text("a file")
    keep_compiled(str(tmp_path), KEY, Compiled(b"12345678", ()))
    assert find_compiled(str(tmp_path), KEY) is None


def test_a_noted_filter_is_read_back_with_its_program(tmp_path: Path) -> None:
    keep_compiled(str(tmp_path), KEY, Compiled(b"12345678", ()))
    made = Filter(KEY, b"12345678", "own", "enforced", None)
    read = read_noted(str(tmp_path), made.to_note())
    assert (read.to_json(), read.program) == (made.to_json(), made.program)
    none = read_noted(str(tmp_path), Filter(None, b"", "own", "enforced", "why").to_note())
    assert (none.to_json(), none.program) == ({"filter": False, "isolator": "own", "state": "enforced", "why": "why"}, b"")


def test_a_noted_filter_whose_program_was_collected_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_noted(str(tmp_path), Filter(KEY, b"12345678", "own", "enforced", None).to_note())
