"""Places of a JSON document in its text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.fields import key_name
from acspec.jsontext import parse_json
from actool.checks.positions import get_positions

TEXT = """{
  "a": {"b": [1, {"c": "x\\"y"},
        null]},
 "d.e": "{[,:]}", "\\u00e9": [[], {}, true]
}
"""
PLACES = {
    "": (1, 1),
    "a": (2, 3),
    "a.b": (2, 9),
    "a.b[0]": (2, 15),
    "a.b[1]": (2, 18),
    "a.b[1].c": (2, 19),
    "a.b[2]": (3, 9),
    "d.e": (4, 2),
    "é": (4, 19),
    "é[1]": (4, 34),
    "é[2]": (4, 38),
    "a.missing": (2, 3),
    "a.b[7].x": (2, 9),
    "missing": (1, 1),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_has_a_line_and_a_column(place: str) -> None:
    assert get_positions(TEXT, [place]) == {place: PLACES[place]}


def test_all_places_are_found_at_once() -> None:
    assert get_positions(TEXT, PLACES) == PLACES


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=8,
)


def _places(value: object, place: str = "") -> list[tuple[str, str]]:
    """Return every place of *value* with what stands there: a value's beginning, or the key before it."""
    found = []
    if isinstance(value, dict):
        for key, item in value.items():
            inner = f"{place}.{key_name(key)}" if place else key_name(key)
            found += [(inner, json.dumps(key)), *_places(item, inner)]
    if isinstance(value, list):
        for index, item in enumerate(value):
            inner = f"{place}[{index}]"
            found += [(inner, json.dumps(item, indent=1)[:1]), *_places(item, inner)]
    return found


@given(VALUES)
def test_at_the_position_of_a_place_stands_what_has_that_place(value: object) -> None:
    text = json.dumps(value, indent=1)
    try:
        parse_json(text.encode(), "x")
    except FormatError:
        return
    lines = text.split("\n")
    wanted = _places(value)
    names = [place for place, _ in wanted]
    for place, words in wanted:
        if place and names.count(place) == 1 and not any(sign in place for sign in ".["):
            line, column = get_positions(text, [place])[place]
            assert lines[line - 1][column - 1 :].startswith(words)
