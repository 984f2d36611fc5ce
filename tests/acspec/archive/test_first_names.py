"""The first names of files that have several: a dictionary would say the same, and take fifty times the memory."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.first_names import FirstNames

NUMBERS = st.integers(0, 3) | st.integers(0, 2**64 - 1)
NAMES = st.binary(max_size=20) | st.integers(1, 300_000).map(bytes)


def status(device: int, inode: int) -> os.stat_result:
    return cast("os.stat_result", SimpleNamespace(st_dev=device, st_ino=inode))


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NAMES)))
def test_it_returns_what_a_dictionary_would(files: list[tuple[int, int, bytes]]) -> None:
    names, known = FirstNames(), dict[tuple[int, int], bytes]()
    for device, inode, name in files:
        assert names.add(status(device, inode), name) == known.setdefault((device, inode), name)
    names.close()


def test_it_grows_and_forgets_nothing() -> None:
    names = FirstNames()
    for number in range(20_000):
        assert names.add(status(1, number), b"%d" % number) == b"%d" % number
    for number in range(20_000):
        assert names.add(status(1, number), b"again") == b"%d" % number
        assert names.add(status(2, number), b"other") == b"other"
    names.close()


def test_files_of_one_hash_are_still_told_from_each_other() -> None:
    names = FirstNames()
    names._key = _Same()
    assert [names.add(status(1, number), b"%d" % number) for number in range(500)] == [b"%d" % number for number in range(500)]
    assert [names.add(status(1, number), b"x") for number in range(500)] == [b"%d" % number for number in range(500)]
    names.close()


class _Same(bytes):
    """A key that makes one hash of everything."""

    def __add__(self, _: object) -> bytes:
        return b"the same"
