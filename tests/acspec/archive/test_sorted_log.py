"""Keys in their order, in memory and beyond it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.sorted_log import SortedLog
from acspec.archive.spool import Spool

NUMBERS = st.integers(0, 2**64 - 1)
KEYS = st.binary(max_size=5) | st.sampled_from([b"", b"a", b"a\0b", b"a-b", b"x" * 70_000, b"x" * 8_180])


@given(st.lists(st.tuples(KEYS, NUMBERS)), st.sampled_from([1, 1_000, 1 << 22]))
def test_it_is_a_sorted_list(pairs: list[tuple[bytes, int]], piece_bytes: int) -> None:
    with Spool() as spool:
        log = SortedLog(spool, piece_bytes)
        for key, number in pairs:
            log.add(key, number)
            spool.append(b"something of somebody else")
        assert list(log) == sorted(pairs)
        assert list(log) == sorted(pairs), "it can be read again"


def test_several_are_read_at_a_time() -> None:
    with Spool() as spool:
        one, two = SortedLog(spool, 500), SortedLog(spool, 500)
        for number in range(3_000):
            one.add(b"%d" % number, number)
            two.add(b"%d" % -number, number)
        pairs = zip(one, two, strict=True)
        assert [(first[0], second[0]) for first, second in pairs] == list(
            zip(sorted(b"%d" % n for n in range(3_000)), sorted(b"%d" % -n for n in range(3_000)), strict=True)
        )
