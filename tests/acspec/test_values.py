"""Values behave as frozen, slotted dataclasses do, whatever their fields and whatever they are given."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.values import Value, field, replace

NAMES = ("name", "value", "labels", "unknown", "_private", "self_")
CONTENTS = st.none() | st.integers(0, 3) | st.text(max_size=2) | st.lists(st.integers(0, 1), max_size=2)


class Point(Value):
    """A value to be looked at."""

    x: int
    y: int = 0
    notes: list[str] = field(default_factory=list, hash=False)
    secret: str = field(default_factory=str, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is left of the origin."""
        if self.x < 0:
            raise ValueError("x")


class Named(Point):
    """A value with more to it."""

    name: str = "origin"


@st.composite
def pairs_of_classes(draw: st.DrawFn) -> tuple[type, type]:
    """A class of ours and one of dataclasses, of the same fields."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    required = draw(st.integers(0, len(names)))
    ours: dict[str, Any] = {"__annotations__": dict.fromkeys(names, "object"), "__module__": __name__, "__qualname__": "Thing"}
    theirs: list[Any] = []
    for number, name in enumerate(names):
        hashed, shown = draw(st.booleans()), draw(st.booleans())
        if number < required:
            ours[name] = field(hash=hashed, repr=shown)
            theirs.append((name, object, dataclasses.field(hash=hashed, repr=shown)))
        elif draw(st.booleans()):
            ours[name] = field(default_factory=list, hash=hashed, repr=shown)
            theirs.append((name, object, dataclasses.field(default_factory=list, hash=hashed, repr=shown)))
        else:
            ours[name] = number
            theirs.append((name, object, dataclasses.field(default=number)))
    made = dataclasses.make_dataclass("Thing", theirs, frozen=True, slots=True)
    return types.new_class("Thing", (Value,), exec_body=lambda body: body.update(ours)), made


CALLS = st.tuples(st.lists(CONTENTS, max_size=4), st.dictionaries(st.sampled_from(NAMES), CONTENTS, max_size=3))


def outcome(act: Any, *given: Any, **named: Any) -> Any:
    """Return what *act* returns, or the class of what it raises."""
    try:
        return act(*given, **named)
    except (TypeError, AttributeError) as error:
        return AttributeError if isinstance(error, AttributeError) else TypeError


@given(pairs_of_classes(), CALLS, CALLS)
def test_a_value_behaves_as_a_dataclass(classes: tuple[type, type], first: Any, second: Any) -> None:
    ours, theirs = ([outcome(kind, *given, **named) for given, named in (first, second)] for kind in classes)
    made = [value not in (TypeError, AttributeError) for value in theirs]
    assert [value not in (TypeError, AttributeError) for value in ours] == made
    if not all(made):
        return
    assert [repr(value) for value in ours] == [repr(value) for value in theirs]
    assert (ours[0] == ours[1], ours[0] != ours[1]) == (theirs[0] == theirs[1], theirs[0] != theirs[1])
    assert [outcome(hash, value) for value in ours] == [outcome(hash, value) for value in theirs]
    assert ours[0].__match_args__ == theirs[0].__match_args__
    changed = [outcome(change, value, **second[1]) for change, value in ((replace, ours[0]), (dataclasses.replace, theirs[0]))]
    assert repr(changed[0]) == repr(changed[1])


@given(pairs_of_classes(), st.sampled_from((*NAMES, "other")))
def test_a_value_cannot_be_changed(classes: tuple[type, type], name: str) -> None:
    for kind in classes:
        value = kind(**dict.fromkeys(kind.__match_args__, 1))  # type: ignore[attr-defined]
        assert outcome(setattr, value, name, 2) in (AttributeError, TypeError)
        assert outcome(delattr, value, name) in (AttributeError, TypeError)
        assert not hasattr(value, "__dict__")
        assert all(getattr(value, known) == 1 for known in kind.__match_args__)  # type: ignore[attr-defined]


def test_a_value_is_checked_however_it_is_made() -> None:
    with pytest.raises(ValueError, match="x"):
        Point(-1)
    with pytest.raises(ValueError, match="x"):
        replace(Point(1), x=-1)


def test_a_class_takes_over_the_fields_of_the_one_that_it_is_made_from() -> None:
    assert repr(Named(1, name="here")) == "Named(x=1, y=0, notes=[], name='here')"
    assert Named(1) != Point(1)
    with pytest.raises(ValueError, match="x"):
        Named(-1)


def test_no_two_values_share_what_is_made_for_one() -> None:
    Point(1).notes.append("x")
    assert Point(1).notes == []


def test_what_is_not_to_be_hashed_or_shown_is_not() -> None:
    assert len({Point(1, notes=["a"]), Point(1, notes=["b"])}) == 2
    assert hash(Point(1, notes=["a"])) == hash(Point(1, notes=["b"]))
    assert repr(Point(1, secret="s")) == "Point(x=1, y=0, notes=[])"


def test_a_value_can_be_copied_and_sent_to_another_process() -> None:
    for again in (copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        assert again(Named(1, notes=["a"], name="here")) == Named(1, notes=["a"], name="here")


def test_a_value_is_taken_apart_by_its_fields_in_order() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_making_values_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import acspec.values; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "__future__ acspec acspec.values\n"
