"""Paths in eight bytes each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.path_table import PathTable

# Short paths and long ones, whose hashes are made in different ways.
PATHS = st.lists(st.sampled_from([b"a", b"b", b"cc", b"d" * 400]), min_size=1, max_size=6).map(b"/".join)


@given(st.lists(st.tuples(PATHS, st.integers(1, 7))))
def test_the_table_holds_what_a_dict_would(pairs: list[tuple[bytes, int]]) -> None:
    table, known = PathTable(), dict[bytes, int]()
    for path, value in pairs:
        assert table.put(path, value) == known.get(path, 0)
        known[path] = value
    assert all(table.get(path) == value for path, value in known.items())
    assert table.get(b"never") == 0


def test_the_table_grows_and_forgets_nothing() -> None:
    table = PathTable()
    for number in range(60_000):
        assert table.put(b"%d" % number, number % 7 + 1) == 0
    assert all(table.get(b"%d" % number) == number % 7 + 1 for number in range(60_000))
    assert not any(table.get(b"x%d" % number) for number in range(60_000))


@given(st.lists(PATHS, max_size=20))
def test_parents_are_put_from_the_first_unknown_one_down(paths: list[bytes]) -> None:
    table, known = PathTable(), set[bytes]()
    for path in paths:
        parts = path.split(b"/")
        parents = [b"/".join(parts[:count]) for count in range(1, len(parts))]
        deepest = max((parent for parent in parents if parent in known), key=len, default=b"")
        assert table.put_parents(path, 4) == deepest
        known.update(parents)
    assert all(table.get(path) == (4 if path in known else 0) for path in {*paths, *known})
