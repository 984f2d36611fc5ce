"""What stands in for typing when it runs does what typing does."""

from __future__ import annotations

import subprocess
import sys
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import typed
from acspec.typed import NamedTuple, Protocol

T = typed.TypeVar("T")


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 0
    name: bytes = b""

    @property
    def sum(self) -> int:
        return self.x + self.y

    def moved(self) -> Point:
        return self._replace(x=self.x + 1)


class Known(typing.NamedTuple):
    """A place."""

    x: int
    y: int = 0
    name: bytes = b""


class Box(typed.Generic[T]):
    """Something in something."""

    def __init__(self, content: T) -> None:
        self.content = content


class Readable(Protocol):
    """What can be read."""

    def read(self) -> bytes:
        """Return bytes."""


class File(Readable):
    """A file."""

    def read(self) -> bytes:
        return b"x"


@given(st.lists(st.integers(), min_size=1, max_size=2), st.binary(max_size=2))
def test_a_named_tuple_is_what_typing_makes(numbers: list[int], name: bytes) -> None:
    ours, theirs = Point(*numbers, name=name), Known(*numbers, name=name)
    assert (tuple(ours), ours._fields, ours._asdict(), hash(ours)) == (
        tuple(theirs),
        theirs._fields,
        theirs._asdict(),
        hash(theirs),
    )
    assert repr(ours) == repr(theirs).replace("Known", "Point")
    assert (ours.x, ours[1], ours.name, ours == theirs) == (theirs.x, theirs[1], theirs.name, True)


def test_a_named_tuple_has_the_methods_of_its_body_and_nothing_can_be_added() -> None:
    point = Point(1, 2)
    assert (point.sum, point.moved(), type(point.moved())) == (3, Point(2, 2), Point)
    assert (Point.__doc__, Point.__module__, Point.__match_args__) == ("A place.", __name__, ("x", "y", "name"))
    assert not hasattr(point, "__dict__")
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        point.x = 3  # type: ignore[misc]


def test_what_is_for_checkers_of_types_does_nothing() -> None:
    assert Box[int](3).content == Box(3).content == typed.cast("int", 3)
    assert File().read() == b"x"


def test_it_does_without_typing() -> None:
    code = "import acspec.typed, sys; print('typing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
