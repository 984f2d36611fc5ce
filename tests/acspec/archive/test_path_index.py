"""Paths with numbers of their own, in sixteen bytes each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.path_index import PathIndex

PATHS = some.lists(some.sampled_from([b"a", b"b", b"cc"]), min_size=1, max_size=6).map(b"/".join)


@given(some.lists(some.tuples(PATHS, some.integers(0, 2**64 - 1))))
def test_the_index_holds_what_a_dict_would(pairs: list[tuple[bytes, int]]) -> None:
    index, known = PathIndex(), dict[bytes, int]()
    for path, number in pairs:
        index.put(path, number)
        known[path] = number
    assert all(index.find(path) == number for path, number in known.items())
    assert index.find(b"never") is None


def test_the_index_grows_and_forgets_nothing() -> None:
    index = PathIndex()
    for number in range(20_000):
        index.put(b"%d" % number, number)
    assert all(index.find(b"%d" % number) == number for number in range(20_000))
    assert not any(index.find(b"x%d" % number) for number in range(20_000))
