"""How long an answer is good, and what is asked when it is not any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.caching import LONGEST, condition, read_freshness, renew
from acspec.freshness import Freshness

NOW = 1_000_000_000
DATE, LATER, EARLIER = "Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 02:46:40 GMT", "Sun, 09 Sep 2001 00:46:40 GMT"

LIFETIMES: dict[str, tuple[dict[str, str], int]] = {
    "nothing": ({}, 0),
    "an age": ({"cache-control": "public, max-age=60"}, 60),
    "an age in capitals and quotation marks": ({"cache-control": 'Max-Age="60"'}, 60),
    "an age of which some is over": ({"cache-control": "max-age=60", "age": "20"}, 40),
    "an age that is over": ({"cache-control": "max-age=60", "age": "80"}, 0),
    "an age for other caches than ours": ({"cache-control": "s-maxage=60"}, 0),
    "an age that is no number": ({"cache-control": "max-age=soon"}, 0),
    "an age of years": ({"cache-control": "max-age=31536000"}, LONGEST),
    "not to keep it": ({"cache-control": "max-age=60, no-store"}, 0),
    "to ask each time": ({"cache-control": "no-cache, max-age=60"}, 0),
    "a time": ({"expires": LATER, "date": DATE}, 3600),
    "a time that is over": ({"expires": EARLIER, "date": DATE}, 0),
    "a time, and no clock": ({"expires": LATER}, 0),
    "a time that is none": ({"expires": "0", "date": DATE}, 0),
    "an age and a time, of which the age counts": ({"cache-control": "max-age=5", "expires": LATER, "date": DATE}, 5),
}


@pytest.mark.parametrize(("headers", "seconds"), LIFETIMES.values(), ids=LIFETIMES)
def test_an_answer_is_good_for_as_long_as_it_says(headers: dict[str, str], seconds: int) -> None:
    freshness = read_freshness("x", headers, NOW)
    assert freshness.checked == "2001-09-09T01:46:40Z"
    assert freshness.holds(NOW + seconds - 1) is (seconds > 0)
    assert not freshness.holds(NOW + seconds)
    assert not freshness.holds(NOW - 1), "a clock that was put back makes nothing fresh"


def test_whether_it_has_changed_is_asked_by_the_validator_that_the_server_gave() -> None:
    one = {"Range": "bytes=0-0"}
    assert condition(read_freshness("x", {"etag": 'W/"a"', "last-modified": DATE}, NOW)) == {"If-None-Match": 'W/"a"', **one}
    assert condition(read_freshness("x", {"etag": "a", "last-modified": DATE}, NOW)) == {"If-Modified-Since": DATE, **one}
    assert condition(read_freshness("x", {"last-modified": "whenever"}, NOW)) == {}


def test_an_answer_that_nothing_changed_says_how_long_that_is_good_and_leaves_the_rest() -> None:
    old = read_freshness("x", {"etag": '"a"', "last-modified": DATE, "cache-control": "max-age=60"}, NOW)
    assert renew(old, {"cache-control": "max-age=9"}, NOW + 100) == Freshness(
        "x", "2001-09-09T01:48:20Z", "2001-09-09T01:48:29Z", '"a"', DATE
    )


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age", "etag", "last-modified"]), st.text()))
def test_no_head_makes_it_fail(headers: dict[str, str]) -> None:
    freshness = read_freshness("x", headers, NOW)
    assert all(value.isprintable() for value in condition(freshness).values())
