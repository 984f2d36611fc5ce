"""Keys in their order, in memory and beyond it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.sorted_log import SortedLog
from acspec.archive.spool import Spool

DATA = st.binary(max_size=9)
KEYS = st.binary(max_size=5) | st.sampled_from([b"", b"a", b"a\0b", b"a-b", b"x" * 70_000, b"x" * 8_180])


@given(st.lists(st.tuples(KEYS, DATA)), st.sampled_from([1, 1_000, 1 << 22]), st.sampled_from([1, 8, 1_000]))
def test_it_is_a_sorted_list(items: list[tuple[bytes, bytes]], piece_bytes: int, most_pieces: int) -> None:
    with Spool() as spool:
        log = SortedLog(spool, piece_bytes, most_pieces)
        for key, data in items:
            log.add(key, data)
            spool.append(b"something of somebody else")
        assert list(log) == sorted(items)
        log.put_aside()
        assert list(log) == sorted(items), "it can be read again"


def test_what_is_put_aside_is_in_memory_no_more() -> None:
    with Spool() as spool:
        log = SortedLog(spool)
        log.add(b"key", b"data")
        before = spool.append(b"")
        log.put_aside()
        assert spool.append(b"") > before
        log.put_aside()
        assert list(log) == [(b"key", b"data")]


def test_many_pieces_are_one_order() -> None:
    items = {b"d%d\0f%d" % (number % 7, number * 7919 % 10_007): b"%d" % number for number in range(10_000)}
    items[b"d3"] = b""
    items[b"d3\0" + b"x" * 65_536] = b"the longest name"
    with Spool() as spool:
        log = SortedLog(spool, 50_000, 100)
        for key, data in items.items():
            log.add(key, data)
        assert list(log) == sorted(items.items())


def test_several_are_read_at_a_time() -> None:
    with Spool() as spool:
        one, two = SortedLog(spool, 500), SortedLog(spool, 500)
        for number in range(3_000):
            one.add(b"%d" % number, b"")
            two.add(b"%d" % -number, b"")
        pairs = zip(one, two, strict=True)
        assert [(first[0], second[0]) for first, second in pairs] == list(
            zip(sorted(b"%d" % n for n in range(3_000)), sorted(b"%d" % -n for n in range(3_000)), strict=True)
        )
