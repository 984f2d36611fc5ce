"""Paths brought into the order of a tree: in memory, or in many runs on disk."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actool.comparing import tree_order
from actool.comparing.tree_order import TreeOrder

PATHS = some.lists(some.binary(min_size=1, max_size=3).filter(lambda part: not {0, 0x2F} & set(part)), min_size=1, max_size=4)


def ordered(items: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    with closing(TreeOrder()) as order:
        for path, data in items.items():
            order.put(path, data)
        return list(order)


@given(some.dictionaries(PATHS.map(b"/".join), some.binary(max_size=9)))
def test_what_is_in_a_directory_comes_right_behind_it(items: dict[bytes, bytes]) -> None:
    assert ordered(items) == sorted(items.items(), key=lambda item: item[0].split(b"/"))


def test_many_runs_are_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_order, "_RUN_BYTES", 50_000)
    items = {b"d%d/f%d" % (number % 7, number * 7919 % 10_007): b"%d" % number for number in range(10_000)}
    items[b"d3"] = b""
    items[b"d3/" + b"x" * 65_536] = b"the longest name"
    assert ordered(items) == sorted(items.items(), key=lambda item: item[0].split(b"/"))


def test_an_order_can_be_taken_again() -> None:
    with closing(TreeOrder()) as order:
        order.put(b"b", b"2")
        order.put(b"a", b"1")
        assert list(order) == list(order) == [(b"a", b"1"), (b"b", b"2")]
