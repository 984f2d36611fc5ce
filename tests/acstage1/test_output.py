"""Logs as they are written: record by record, and never more than they may be."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acstage1.output import Log

LINE = b"x" * 100


def lose(error: OSError) -> None:
    """Be told that records are lost, which none are."""
    raise error


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes: like a full disk, in the middle of a record."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "app.log"), 1000, lose)
    for _ in range(50):
        log.write("stdout", [LINE], full=True)
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["app.log", "app.log.1"]
    sizes = [(tmp_path / name).stat().st_size for name in os.listdir(tmp_path)]
    assert max(sizes) <= 1000
    for name in os.listdir(tmp_path):
        assert all(line.endswith(b" stdout F " + LINE) for line in (tmp_path / name).read_bytes().splitlines())


def test_one_record_may_be_larger_than_the_limit(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "app.log"), 10, lose)
    log.write("stderr", [LINE], full=False)
    log.close()
    assert (tmp_path / "app.log").read_bytes().endswith(b" stderr P " + LINE + b"\n")


def test_a_log_is_gone_on_with(tmp_path: Path) -> None:
    for _ in range(2):
        log = Log(str(tmp_path / "app.log"), 1000, lose)
        log.write("stdout", [b"a", b"b"], full=True)
        log.close()
    assert len((tmp_path / "app.log").read_bytes().splitlines()) == 4


def test_many_lines_that_come_at_once_do_not_make_a_log_larger_than_it_may_be(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "app.log"), 1000, lose)
    log.write("stdout", [LINE] * 50, full=True)
    log.close()
    assert max((tmp_path / name).stat().st_size for name in ("app.log", "app.log.1")) <= 1000


def test_a_full_disk_takes_whole_records_and_is_told(tmp_path: Path) -> None:
    told: list[OSError] = []
    log = Log(str(tmp_path / "app.log"), 10_000, told.append)
    with files_of_at_most(200):
        for number in (b"1", b"2"):
            log.write("stdout", [LINE + number], full=True)
    log.write("stdout", [LINE + b"3"], full=True)
    log.close()
    assert len(told) == 1
    lines = (tmp_path / "app.log").read_bytes().splitlines()
    assert [line[-102:] for line in lines] == [b" " + LINE + b"1", b" " + LINE + b"3"]
