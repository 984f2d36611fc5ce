"""Shares of processors, out of control files that change between two looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acrun.views import list_samples
from acrun.watching import Sample, watch
from acspec.errors import MissingInputError
from acspec.locks import open_locked
from acspec.pods import Pods
from tests.acrun.test_usage import UUID, V1, running


def test_a_share_is_what_was_used_since_the_last_look(tmp_path: Path) -> None:
    running(tmp_path, V1)
    lock = open_locked(str(tmp_path / "pods" / "run" / UUID))
    file = tmp_path / "cpuacct" / f"appc-{UUID}" / "app-one" / "cpuacct.usage"
    looks = 0

    def pause(_: float) -> bool:
        nonlocal looks
        looks += 1
        file.write_text(f"{looks * 10**15}\n")
        return looks < 4

    samples = [sample for (sample,) in watch(Pods(str(tmp_path)), [UUID[:8]], pause)]
    assert len(samples) == 3
    assert all((sample.cpu_percent or 0) > 100 for sample in samples)
    table = list_samples(samples[:1]).splitlines()
    assert table[0].split() == ["POD", "APP", "CPU", "CPU", "TIME", "MEMORY", "LIMIT", "PIDS", "READ", "WRITTEN"]
    assert "1000000.00 s  9.5 MiB  -      3     101 bytes" in table[1]

    os.close(lock)


def test_watching_ends_with_the_pods_and_goes_on_without_any(tmp_path: Path) -> None:
    running(tmp_path, V1)
    lock = open_locked(str(tmp_path / "pods" / "run" / UUID))
    pods = Pods(str(tmp_path))
    named, every = watch(pods, [UUID], lambda _: True), watch(pods, [], lambda _: True)
    assert [len(next(samples)) for samples in (named, every)] == [1, 1]

    os.close(lock)
    assert list(named) == []
    none: list[Sample] = []
    assert list(next(every)) == none
    with pytest.raises(MissingInputError, match="is exited, not running"):
        next(watch(pods, [UUID], lambda _: True))
