"""Which logs are meant, and since when."""

from __future__ import annotations

import time

import pytest

from acrun.following import parse_since
from acspec.errors import UsageError

TIMES = {
    "a time in UTC": ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
    "a time elsewhere, with a fraction": ("2026-01-02T03:04:05.123456789-01:00", "2026-01-02T04:04:05.123456Z"),
    "none": (None, ""),
}


@pytest.mark.parametrize(("text", "moment"), TIMES.values(), ids=TIMES)
def test_a_time_is_written_as_logs_have_it(text: str | None, moment: str) -> None:
    assert parse_since(text) == moment


def test_a_length_of_time_is_so_long_ago() -> None:
    before, moment, after = (time.gmtime(time.time() - 600), parse_since("10m"), time.gmtime(time.time() - 600))
    assert time.strftime("%Y-%m-%dT%H:%M:%S", before) <= moment[:19] <= time.strftime("%Y-%m-%dT%H:%M:%S", after)


@pytest.mark.parametrize("text", ["yesterday", "2026-01-02", "2026-13-02T03:04:05Z", "Tuesday", "", "-5m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_since(text)
