"""The files of a command line, and those of a list."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acspec import limits
from acspec.errors import FormatError, MissingInputError, ToolError, UsageError
from actool.checks.file_lists import read_file_names


def test_files_of_a_list_come_behind_those_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"b c.aci\n\n/d\xff\n-\n")
    assert read_file_names(["a"], str(tmp_path / "list")) == ("a", "b c.aci", os.fsdecode(b"/d\xff"), "./-")


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a\nb")
    assert read_file_names([], str(tmp_path / "list")) == ("a", "b")


REFUSED: dict[str, tuple[bytes, type[ToolError], str]] = {
    "nothing": (b"", UsageError, "list: names no file (did what makes the list fail?)"),
    "empty lines": (b"\n\n", UsageError, "names no file"),
    "a zero byte": (b"a\nb\0c\n", FormatError, "list, line 2: holds a zero byte (one path a line)"),
    "a line of 4097 bytes": (b"a\n\n" + b"x" * 4097, FormatError, "list, line 3: longer than the limit of 4096 bytes"),
    "too many lines": (b"x\n" * (limits.FILE_LIST_LINES + 1), FormatError, "more than the limit of 65536 lines"),
    "too many bytes": (b"x" * 4000 + b"\n", FormatError, "larger than the limit of 4194304 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_list_is_refused_that_holds(case: str, tmp_path: Path) -> None:
    data, error, words = REFUSED[case]
    (tmp_path / "list").write_bytes(data * 1100 if case == "too many bytes" else data)
    with pytest.raises(error) as caught:
        read_file_names(["a"], str(tmp_path / "list"))
    assert words in str(caught.value)


def test_a_list_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such file"):
        read_file_names([], str(tmp_path / "list"))


def test_a_directory_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="a directory, not a list of files"):
        read_file_names([], str(tmp_path))


@pytest.mark.parametrize(("files", "listed_in"), [(["-"], "-"), (["-", "a", "-"], None)])
def test_standard_input_is_read_only_once(files: list[str], listed_in: str | None) -> None:
    with pytest.raises(UsageError, match="standard input can be read only once"):
        read_file_names(files, listed_in)


def test_no_file_at_all_makes_no_sense() -> None:
    with pytest.raises(UsageError, match="names no file"):
        read_file_names([], None)
