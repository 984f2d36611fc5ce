"""How fresh an image is: written and read back, and what is no freshness."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.fields import Fields
from acspec.freshness import Freshness

THEN, LATER = "2001-09-09T01:46:40Z", "2001-09-09T01:46:50Z"
GOOD: dict[str, Any] = {"asked": "x", "checked": THEN, "until": LATER, "etag": None, "lastModified": None}


TEXTS = st.text(st.characters(exclude_characters="\0"))


@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_what_is_written_is_read_back(asked: str, etag: str | None, modified: str | None) -> None:
    freshness = Freshness(asked, THEN, LATER, etag, modified)
    assert Freshness.read(Fields(freshness.to_json(), "x")) == freshness


def test_it_counts_from_the_one_time_to_the_other() -> None:
    freshness = Freshness.read(Fields(GOOD, "x"))
    assert [freshness.holds(1_000_000_000 + second) for second in (-1, 0, 9, 10)] == [False, True, True, False]


BAD: dict[str, tuple[str, Any]] = {
    "no time": ("until", None),
    "a time that is none": ("checked", "yesterday"),
    "a number for a time": ("until", 7),
    "nothing that was asked for": ("asked", None),
    "a number for an ETag": ("etag", 7),
}


@pytest.mark.parametrize(("key", "value"), BAD.values(), ids=BAD)
def test_a_freshness_is_refused_with(key: str, value: Any) -> None:
    with pytest.raises(FormatError, match=f"x: {key}"):
        Freshness.read(Fields({**GOOD, key: value}, "x"))
