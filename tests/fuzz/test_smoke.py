"""A few hundred changed inputs for each target of the fuzzer, the same in every run; `tox -e fuzz` does it for minutes."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz.mutate import inputs
from tests.fuzz.targets import TARGETS, attempt

COUNT = 200


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_an_error_of_ours_comes_out(name: str) -> None:
    target = TARGETS[name]
    accepted = [attempt(target, data) for data in islice(inputs(target, 1), COUNT)]
    assert any(accepted), "no input is good: nothing is tested"
    assert not all(accepted) or name == "page"


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read(name: str) -> None:
    """Seeds that are refused at once lead nowhere."""
    target = TARGETS[name]
    assert sum(attempt(target, seed) for seed in target.seeds) * 2 >= len(target.seeds)
