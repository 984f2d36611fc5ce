"""Whether an app is started again, and after how long: counted in attempts, not waited for."""

from __future__ import annotations

import pytest

from acstage1.restarts import Restarts

# Policy, limit, the code of an end, and whether another attempt is made.
ENDS = {
    "never by default": ("no", None, 1, False),
    "on failure after a failure": ("on-failure", None, 1, True),
    "on failure not after a success": ("on-failure", None, 0, False),
    "always after a success": ("always", None, 0, True),
    "not even once when none is allowed": ("always", 0, 1, False),
}


@pytest.mark.parametrize("sentence", ENDS)
def test_an_app_is_started_again(sentence: str) -> None:
    policy, limit, code, again = ENDS[sentence]
    assert (Restarts(policy, limit).find_delay(code, 0.0) is not None) == again


def test_in_a_crash_loop_each_rest_is_twice_the_one_before_up_to_a_minute() -> None:
    restarts = Restarts("always", None)
    delays = [restarts.find_delay(1, 0.0) for _ in range(200)]
    assert delays[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert delays[9:12] == [51.2, 60.0, 60.0]
    assert delays[-1] == 60.0


def test_after_a_good_while_it_begins_anew_and_so_does_the_count() -> None:
    restarts = Restarts("on-failure", 2)
    assert [restarts.find_delay(1, 0.0) for _ in range(3)] == [0.1, 0.2, None]
    assert restarts.find_delay(1, 60.0) == 0.1
    assert restarts.find_delay(1, 59.0) == 0.2
    assert restarts.find_delay(1, 59.0) is None
