"""Bytes in memory or in a temporary file: to those who read them all the same."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.spool import Spool
from acspec.errors import OutputError, StorageError

MUCH = bytes(1_000_000)
PARTS = st.binary(max_size=50) | st.integers(1, 400_000).map(bytes)


@given(st.lists(PARTS))
def test_what_was_appended_is_read_at_its_place(parts: list[bytes]) -> None:
    with Spool() as spool:
        places = [spool.append(part) for part in parts]
        assert [spool.read(place, len(part)) for place, part in zip(places, parts, strict=True)] == parts
        assert spool.read(sum(map(len, parts)), 10) == b""


@given(st.lists(PARTS), st.booleans())
def test_it_is_read_between_one_append_and_the_next(parts: list[bytes], big: bool) -> None:
    with Spool() as spool:
        spool.append(MUCH if big else b"")
        places = []
        for number, part in enumerate(parts):
            places.append(spool.append(part))
            assert spool.read(places[number // 2], len(parts[number // 2])) == parts[number // 2]


@given(st.lists(PARTS, min_size=1), st.data())
def test_any_window_of_it_is_read_and_changed_like_one_of_bytes(parts: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(parts))
    with Spool() as spool:
        for part in parts:
            spool.append(part)
        start = data.draw(st.integers(0, len(whole)))
        size = data.draw(st.integers(0, len(whole) + 10))
        new = b"x" * min(data.draw(st.integers(0, 100)), len(whole) - start)
        spool.change(start, new)
        whole[start : start + len(new)] = new
        assert spool.read(start, size) == whole[start : start + size]
        assert spool.read(0, len(whole)) == whole


@given(st.lists(PARTS))
def test_what_was_put_is_had_back_whole(parts: list[bytes]) -> None:
    with Spool() as spool:
        spool.append(b"something else")
        places = [spool.put(part) for part in parts]
        assert [spool.get(place) for place in places] == parts


def test_a_change_is_seen_wherever_the_bytes_are_by_then() -> None:
    with Spool() as spool:
        first, second = spool.append(b"abc"), spool.append(b"def")
        spool.change(first + 1, b"X")
        assert os.pread(spool.descriptor, 6, 0) == b"aXcdef"
        spool.append(b"ghi")
        spool.change(second, b"YZ")
        assert spool.read(0, 100) == b"aXcYZfghi"
        assert os.pread(spool.descriptor, 10, 0) == b"aXcYZfghi"


def test_it_has_no_name_and_is_where_it_was_asked_for(tmp_path: Path) -> None:
    with Spool(str(tmp_path)) as spool:
        spool.append(MUCH)
        assert os.listdir(tmp_path) == []
        assert os.fstat(spool.descriptor).st_dev == tmp_path.stat().st_dev


def test_it_is_where_temporary_files_are_unless_it_was_asked_for_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool() as spool:
        spool.append(MUCH)
        assert os.readlink(f"/proc/self/fd/{spool.descriptor}").startswith(f"{tmp_path}/")
        assert os.listdir(tmp_path) == []


def test_a_few_bytes_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with Spool() as spool:
        spool.append(b"abc")
        spool.change(1, b"X")
        assert spool.read(0, 10) == b"aXc"


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        Spool(str(tmp_path / "nowhere"), "x.aci") as spool,
        pytest.raises(OutputError, match=r"x\.aci: no temporary file in .*/nowhere: no such file"),
    ):
        spool.append(MUCH)


def test_a_place_for_temporary_files_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with Spool() as spool, pytest.raises(StorageError, match=r"temporary file: no such file.*TMPDIR"):
        spool.append(MUCH)


def test_a_full_disk_is_an_error_with_what_it_is_for_and_no_second_one_at_the_end(tmp_path: Path) -> None:
    with no_file_beyond(65_536):
        with Spool(str(tmp_path), "x.aci") as spool, pytest.raises(OSError, match="File too large") as caught:
            spool.append(MUCH)
        assert caught.value.filename == "x.aci"


@pytest.mark.parametrize("size", [4096, 1_000_000], ids=["bit by bit", "at once"])
def test_a_full_disk_for_temporary_files_is_told_once(size: int) -> None:
    with no_file_beyond(65_536), Spool() as spool, pytest.raises(StorageError, match=r"temporary file: file too large .*TMPDIR"):
        fill(spool, size)


def fill(spool: Spool, size: int) -> None:
    for _ in range(1_000_000 // size):
        spool.append(bytes(size))


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes, as if the disk were full, for the duration of a block."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
