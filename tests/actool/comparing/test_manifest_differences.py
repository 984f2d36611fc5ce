"""Two manifests, compared for what they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actool.comparing.manifest_differences import MISSING, PlaceDifference, find_manifest_differences

LABELS = [{"name": "version", "value": "1"}, {"name": "os", "value": "linux"}]


def find(old: object, new: object) -> list[tuple[str, object, object]]:
    found = find_manifest_differences(json.dumps(old).encode(), json.dumps(new, indent=3).encode())
    return [(difference.place, difference.old, difference.new) for difference in found]


# Old manifest, new manifest, what differs.
CASES: dict[str, tuple[object, object, list[tuple[str, object, object]]]] = {
    "the order of keys": ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}, []),
    "a null, which is read as nothing": ({"app": None}, {}, []),
    "a value": ({"name": "x"}, {"name": "y"}, [("name", "x", "y")]),
    "a key more": ({}, {"name": "x"}, [("name", MISSING, "x")]),
    "a key less": ({"app": {"user": "0"}}, {"app": {}}, [("app.user", "0", MISSING)]),
    "a true that was a one": ({"x": 1}, {"x": True}, [("x", 1, True)]),
    "a number with a point": ({"x": 1}, {"x": 1.0}, []),
    "a list that was an object": ({"x": {}}, {"x": []}, [("x", {}, [])]),
    "the order of labels": ({"labels": LABELS}, {"labels": LABELS[::-1]}, []),
    "the value of a label": (
        {"labels": LABELS},
        {"labels": [LABELS[1], {"name": "version", "value": "2"}]},
        [("labels[version].value", "1", "2")],
    ),
    "a label more": ({"labels": LABELS[:1]}, {"labels": LABELS}, [("labels[os]", MISSING, LABELS[1])]),
    "a variable of the environment": (
        {"app": {"environment": [{"name": "A", "value": "1"}]}},
        {"app": {"environment": [{"name": "A", "value": ""}]}},
        [("app.environment[A].value", "1", "")],
    ),
    "two of one name, which are told by their places": (
        {"labels": [LABELS[0], LABELS[0]]},
        {"labels": [LABELS[0], LABELS[1]]},
        [("labels[1].name", "version", "os"), ("labels[1].value", "1", "linux")],
    ),
    "the order of words": (
        {"app": {"exec": ["a", "b"]}},
        {"app": {"exec": ["b", "a"]}},
        [("app.exec[0]", "a", "b"), ("app.exec[1]", "b", "a")],
    ),
    "a word more": ({"app": {"exec": ["a"]}}, {"app": {"exec": ["a", "b"]}}, [("app.exec[1]", MISSING, "b")]),
    "the order of dependencies, which counts": (
        {"dependencies": [{"imageName": "a"}, {"imageName": "b"}]},
        {"dependencies": [{"imageName": "b"}, {"imageName": "a"}]},
        [("dependencies[0].imageName", "a", "b"), ("dependencies[1].imageName", "b", "a")],
    ),
    "the order of a whitelist": ({"pathWhitelist": ["/a", "/b"]}, {"pathWhitelist": ["/b", "/a"]}, []),
    "a path of a whitelist": (
        {"pathWhitelist": ["/a", "/b"]},
        {"pathWhitelist": ["/c", "/a"]},
        [("pathWhitelist", "/b", MISSING), ("pathWhitelist", MISSING, "/c")],
    ),
    "keys in the order of their names": ({"b": 1, "a": 1}, {}, [("a", 1, MISSING), ("b", 1, MISSING)]),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_manifest_is_compared_for_what_it_means(sentence: str) -> None:
    old, new, expected = CASES[sentence]
    assert find(old, new) == expected
    assert sorted(find(new, old), key=repr) == sorted(((place, after, before) for place, before, after in expected), key=repr)


def test_long_whitelists_are_compared_in_time() -> None:
    old = [f"/{number}" for number in range(50_000)]
    assert find({"pathWhitelist": old}, {"pathWhitelist": old[::-1]}) == []


KEYS = some.sampled_from(["a", "labels", "app", "environment", "pathWhitelist", "name"])
VALUES: Any = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(-2, 2), some.sampled_from(["x", "y"])),
    lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES)
def test_nothing_differs_from_itself(value: object) -> None:
    assert find(value, value) == []


@given(VALUES, VALUES)
def test_a_difference_is_one_seen_from_either_side(old: object, new: object) -> None:
    forth, back = find(old, new), find(new, old)
    assert sorted(map(repr, forth)) == sorted(repr((place, after, before)) for place, before, after in back)


def test_a_difference_is_a_value() -> None:
    assert PlaceDifference("a", MISSING, 1) == PlaceDifference("a", MISSING, 1)
