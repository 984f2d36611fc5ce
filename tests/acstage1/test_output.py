"""Logs as they are written: record by record, and never more than they may be."""

from __future__ import annotations

import os
from pathlib import Path

from acstage1.output import Log

LINE = b"x" * 100


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "app.log"), limit=1000)
    for _ in range(50):
        log.write("stdout", [LINE], full=True)
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["app.log", "app.log.1"]
    sizes = [(tmp_path / name).stat().st_size for name in os.listdir(tmp_path)]
    assert max(sizes) <= 1000
    for name in os.listdir(tmp_path):
        assert all(line.endswith(b" stdout F " + LINE) for line in (tmp_path / name).read_bytes().splitlines())


def test_one_record_may_be_larger_than_the_limit(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "app.log"), limit=10)
    log.write("stderr", [LINE], full=False)
    log.close()
    assert (tmp_path / "app.log").read_bytes().endswith(b" stderr P " + LINE + b"\n")


def test_a_log_is_gone_on_with(tmp_path: Path) -> None:
    for _ in range(2):
        log = Log(str(tmp_path / "app.log"), limit=1000)
        log.write("stdout", [b"a", b"b"], full=True)
        log.close()
    assert len((tmp_path / "app.log").read_bytes().splitlines()) == 4
