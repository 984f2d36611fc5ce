"""A temporary file that is appended to and read anywhere."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.spool import Spool
from acspec.errors import OutputError


@given(st.lists(st.binary(max_size=50) | st.integers(1, 400_000).map(bytes)))
def test_what_was_appended_is_read_at_its_place(parts: list[bytes]) -> None:
    with Spool() as spool:
        places = [spool.append(part) for part in parts]
        assert [spool.read(place, len(part)) for place, part in zip(places, parts, strict=True)] == parts
        assert spool.read(sum(map(len, parts)), 10) == b""


def test_a_change_is_seen_wherever_the_bytes_are_by_then() -> None:
    with Spool() as spool:
        first, second = spool.append(b"abc"), spool.append(b"def")
        spool.change(first + 1, b"X")
        spool.append(b"ghi")
        spool.change(second, b"YZ")
        assert spool.read(0, 100) == b"aXcYZfghi"
        assert os.pread(spool.descriptor, 6, 0) == b"aXcYZf"


def test_it_has_no_name_and_is_where_it_was_asked_for(tmp_path: Path) -> None:
    with Spool(str(tmp_path)) as spool:
        assert os.listdir(tmp_path) == []
        assert os.fstat(spool.descriptor).st_dev == tmp_path.stat().st_dev


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"x\.aci: no temporary file in .*/nowhere: no such file"):
        Spool(str(tmp_path / "nowhere"), "x.aci")


def test_a_full_disk_is_an_error_with_what_it_is_for_and_no_second_one_at_the_end(tmp_path: Path) -> None:
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        with Spool(str(tmp_path), "x.aci") as spool, pytest.raises(OSError, match="File too large") as caught:
            spool.append(bytes(1_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == "x.aci"
