"""Logs of pods: record by record, by time, and only what is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.logs import LogReader, find_record, read_logs

FIRST = b"2026-01-01T00:00:00.000001Z stdout F one\n"
SECOND = b"2026-01-01T00:00:00.000003Z stderr P two"


def log(pod: Path, app: str, data: bytes) -> LogReader:
    (pod / "logs").mkdir(exist_ok=True)
    (pod / "logs" / f"{app}.log").write_bytes(data)
    return LogReader(str(pod), app)


def append(pod: Path, app: str, data: bytes) -> None:
    with open(pod / "logs" / f"{app}.log", "ab") as file:
        file.write(data)


def test_a_record_has_its_time_stream_and_text() -> None:
    record = find_record("app", FIRST.rstrip(b"\n"))
    assert record is not None
    assert (record.time, record.stream, record.is_full, record.text) == ("2026-01-01T00:00:00.000001Z", "stdout", True, b"one")


@pytest.mark.parametrize("line", [b"", b"x", b"t stdout F", b"t stdin F x", b"t stdout X x", b"\xff stdout F x"])
def test_what_is_no_record_is_passed_over(tmp_path: Path, line: bytes) -> None:
    assert find_record("app", line) is None
    assert [record.text for record in log(tmp_path, "app", line + b"\n" + FIRST).read()] == [b"one"]


@given(st.binary(max_size=200).filter(lambda text: b"\n" not in text), st.booleans())
def test_any_text_comes_out_as_it_was_written(text: bytes, full: bool) -> None:
    record = find_record("app", b"T stderr %c %s" % (b"F" if full else b"P", text))
    assert record is not None
    assert (record.text, record.is_full) == (text, full)


def test_a_record_in_the_making_is_read_when_it_is_whole(tmp_path: Path) -> None:
    reader = log(tmp_path, "app", FIRST + SECOND)
    assert [record.text for record in reader.read()] == [b"one"]
    assert list(reader.read()) == []
    append(tmp_path, "app", b" more\n" + FIRST)
    assert [record.text for record in reader.read()] == [b"two more", b"one"]


def test_a_log_that_is_put_aside_meanwhile_is_read_to_its_end_first(tmp_path: Path) -> None:
    reader = log(tmp_path, "app", FIRST)
    assert [record.text for record in reader.read()] == [b"one"]
    append(tmp_path, "app", SECOND + b"\n")
    (tmp_path / "logs" / "app.log").rename(tmp_path / "logs" / "app.log.1")
    append(tmp_path, "app", FIRST.replace(b"one", b"three"))
    assert [record.text for record in reader.read()] == [b"two", b"three"]
    append(tmp_path, "app", FIRST.replace(b"one", b"four"))
    assert [record.text for record in reader.read()] == [b"four"]
    again = LogReader(str(tmp_path), "app")
    assert [record.text for record in again.read()] == [b"one", b"two", b"three", b"four"]


def test_several_logs_are_brought_into_one_order(tmp_path: Path) -> None:
    readers = [log(tmp_path, "a", FIRST + SECOND + b"\n"), log(tmp_path, "b", FIRST.replace(b"1Z", b"2Z"))]
    assert [(record.app, record.text) for record in read_logs(readers)] == [("a", b"one"), ("b", b"one"), ("a", b"two")]


def test_an_app_without_a_log_wrote_nothing(tmp_path: Path) -> None:
    assert list(LogReader(str(tmp_path), "app").read()) == []


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    reader = log(tmp_path, "app", b"")
    (tmp_path / "logs" / "app.log").unlink()
    (tmp_path / "logs" / "app.log").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=os.strerror(40)):
        list(reader.read())
