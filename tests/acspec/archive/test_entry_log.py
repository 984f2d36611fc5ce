"""Entries put aside and read again: every field, and which of them are names of one file."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.entry import Entry, Kind
from acspec.archive.entry_log import EntryLog
from acspec.archive.spool import Spool

NAMES = st.binary(min_size=1, max_size=700)
LARGE = st.integers(0, 2**63 - 1)
ENTRIES = st.builds(
    Entry,
    NAMES,
    st.sampled_from(Kind),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 2),
    gid=st.integers(0, 2**32 - 2),
    mtime_ns=st.integers(-(10**27), 10**27),
    size=LARGE,
    link_name=st.just(b"") | NAMES,
    major=st.integers(0, 2**12 - 1),
    minor=st.integers(0, 2**20 - 1),
    xattrs=st.dictionaries(NAMES, st.binary(max_size=700), max_size=3),
    data_offset=LARGE,
)
PIECES = st.lists(st.tuples(LARGE, LARGE), max_size=100).map(lambda pieces: array("Q", [n for piece in pieces for n in piece]))


@given(st.lists(st.tuples(ENTRIES, PIECES), max_size=5))
def test_every_entry_comes_back_as_it_was(entries: list[tuple[Entry, array[int]]]) -> None:
    with Spool() as spool:
        log = EntryLog(spool)
        places = [log.add(*pair) for pair in entries]
        assert 0 not in places
        assert [log.get(place) for place in reversed(places)] == [(entry, 0, pieces, 0) for entry, pieces in reversed(entries)]


@given(st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=20))
def test_all_names_of_a_file_lead_to_the_first(targets: list[int | None]) -> None:
    """Each entry is a file, or a link to one of those before it, links among them."""
    with Spool() as spool:
        log = EntryLog(spool)
        places = [log.add(Entry(b"f", Kind.FILE), array("Q")) for _ in targets]
        first = list(range(len(targets)))
        for number, target in enumerate(targets):
            if target is not None and number:
                first[number] = first[target % number]
                log.join(places[number], places[target % number])
        expected = [places[first[n]] if first.count(first[n]) > 1 else 0 for n in range(len(targets))]
        assert [log.get(place).origin for place in places] == expected


@given(st.lists(st.tuples(ENTRIES, st.integers(0, 2**64 - 1)), max_size=5), st.booleans())
def test_a_mark_stays_beside_its_entry_and_what_it_is_a_name_of(marked: list[tuple[Entry, int]], joined: bool) -> None:
    with Spool() as spool:
        log = EntryLog(spool)
        places = [log.add(entry, array("Q", (1, 2))) for entry, _ in marked]
        if joined and marked:
            log.join(places[-1], places[0])
        for place, (_, mark) in zip(places, marked, strict=True):
            log.mark(place, mark)
        found = [log.get(place) for place in places]
        assert [(logged.entry, logged.mark) for logged in found] == marked
        assert [logged.origin for logged in found if logged.origin] == (
            [places[0]] * len({places[0], places[-1]}) if joined and marked else []
        )
