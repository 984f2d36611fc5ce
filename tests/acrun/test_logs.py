"""Logs of pods: record by record, by time, and only what is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.logs import LogReader, LogRecord, LogSelection, cut_to_lines, find_record, read_logs

FIRST = b"2026-01-01T00:00:00.000001Z stdout F one\n"
SECOND = b"2026-01-01T00:00:00.000003Z stderr P two"


def log(pod: Path, app: str, data: bytes) -> LogReader:
    (pod / "logs").mkdir(exist_ok=True)
    (pod / "logs" / f"{app}.log").write_bytes(data)
    return LogReader(str(pod), app)


def _all(reader: LogReader, selection: LogSelection) -> list[LogRecord]:
    return [record for record in reader.read() if selection.covers(record)]


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


def test_a_log_put_aside_is_read_whole_though_another_took_its_name_since(tmp_path: Path) -> None:
    reader = log(tmp_path, "app", FIRST)
    assert [record.text for record in reader.read()] == [b"one"]
    for number in (b"two", b"three", b"four"):
        append(tmp_path, "app", FIRST.replace(b"one", number + b" at the end"))
        (tmp_path / "logs" / "app.log").rename(tmp_path / "logs" / "app.log.1")
        append(tmp_path, "app", FIRST.replace(b"one", number))
    assert [record.text for record in reader.read()] == [b"two at the end", b"three", b"four at the end", b"four"]
    reader.close()
    reader.close()


def test_what_comes_while_a_log_is_put_aside_is_read(tmp_path: Path) -> None:
    reader = log(tmp_path, "app", FIRST)
    records = reader.read()
    assert next(records).text == b"one"
    append(tmp_path, "app", FIRST.replace(b"one", b"late"))
    (tmp_path / "logs" / "app.log").rename(tmp_path / "logs" / "app.log.1")
    append(tmp_path, "app", FIRST.replace(b"one", b"new"))
    assert [record.text for record in records] == [b"late", b"new"]


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    log(tmp_path, "app", FIRST + SECOND + b"\n")
    wanted = {"stderr": LogSelection(stream="stderr"), "since": LogSelection("2026-01-01T00:00:00.000002Z")}
    for selection in wanted.values():
        assert [record.text for record in LogReader(str(tmp_path), "app", selection).read()] == [b"two"]
    assert list(LogReader(str(tmp_path), "app", LogSelection("2026-01-01T00:00:00.000002Z", "stdout")).read()) == []


TAILS = {
    "nothing": (0, []),
    "the last line": (1, [b"6"]),
    "a line in two parts": (2, [b"4", b"5", b"6"]),
    "lines of the log that was put aside": (4, [b"2", b"3", b"4", b"5", b"6"]),
    "more than there are": (99, [b"1", b"2", b"3", b"4", b"5", b"6"]),
}


@pytest.mark.parametrize(("lines", "texts"), TAILS.values(), ids=TAILS)
def test_reading_begins_with_the_last_lines(lines: int, texts: list[bytes], tmp_path: Path) -> None:
    log(tmp_path, "app", b"T stdout F 1\nT stdout F 2\n")
    (tmp_path / "logs" / "app.log").rename(tmp_path / "logs" / "app.log.1")
    reader = log(tmp_path, "app", b"T stdout F 3\nT stdout P 4\nT stdout F 5\nnone\nT stdout F 6\nT stdout F unfinis")
    reader.start_at_end(lines)
    assert [record.text for record in reader.read()] == texts
    append(tmp_path, "app", b"hed\n")
    assert [record.text for record in reader.read()] == [b"unfinished"]


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.sampled_from("FP"), st.integers(0, 40_000)), max_size=12),
    st.integers(0, 14),
    st.sampled_from([None, "stdout"]),
)
def test_the_last_lines_are_those_of_all_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]], lines: int, stream: str | None
) -> None:
    path, selection = tmp_path_factory.mktemp("pod"), LogSelection(stream=stream)
    data = b"".join(b"T %s %s %d %s\n" % (name.encode(), kind.encode(), size, b"x" * size) for name, kind, size in rows)
    everything = [record.text for record in cut_to_lines(_all(log(path, "app", data), selection), lines)]
    reader = LogReader(str(path), "app", selection)
    reader.start_at_end(lines)
    assert [record.text for record in reader.read()] == everything


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
