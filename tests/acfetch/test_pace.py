"""The pace of a body, by what was waited for it."""

from __future__ import annotations

from acfetch.pace import SLOWEST, Pace
from acfetch.settings import Settings

SILENCE_SECONDS = Settings().silence_seconds


def test_a_slow_body_is_given_up_by_what_was_waited_for_it() -> None:
    pace = Pace(SILENCE_SECONDS)
    assert all(pace.keeps(1, SLOWEST) for _ in range(300))
    assert all(pace.keeps(1, 1) for _ in range(SILENCE_SECONDS // 2))
    assert not all(pace.keeps(1, 1) for _ in range(SILENCE_SECONDS * 2))
    drip = Pace(SILENCE_SECONDS)
    assert drip.keeps(SILENCE_SECONDS - 1, 1)
    assert not drip.keeps(SILENCE_SECONDS - 1, 1)
