"""Bytes in memory or in a temporary file: to those who read them all the same."""

from __future__ import annotations

import os
import resource
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.errors import StorageError
from actool.spool import Spool, open_temporary

MIB = 1024 * 1024


@given(some.lists(some.binary(max_size=20)), some.booleans())
def test_what_is_put_is_read_wherever_it_lies(parts: list[bytes], big: bool) -> None:
    with closing(Spool()) as spool:
        spool.append(bytes(5 * MIB if big else 0))
        places = []
        for number, part in enumerate(parts):
            places.append(spool.append(part))
            assert spool.read(places[number // 2], len(parts[number // 2])) == parts[number // 2]
        assert [spool.read(place, len(part)) for place, part in zip(places, parts, strict=True)] == parts
        assert spool.size == (5 * MIB if big else 0) + sum(map(len, parts))


def test_a_temporary_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with closing(Spool()) as spool, open_temporary() as file:
        spool.append(bytes(5 * MIB))
        file.write(b"data")
        assert os.listdir(tmp_path) == []


def test_a_place_for_temporary_files_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with closing(Spool()) as spool, pytest.raises(StorageError, match=r"temporary file: no such file.*TMPDIR"):
        spool.append(bytes(5 * MIB))
    with pytest.raises(StorageError, match="temporary file: no such file"):
        open_temporary()


def test_a_file_that_cannot_grow_is_told_once() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6 * MIB, before[1]))
    try:
        with closing(Spool()) as spool, pytest.raises(StorageError, match="temporary file: file too large"):
            fill(spool)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(spool: Spool) -> None:
    for _ in range(2000):
        spool.append(bytes(4096))
