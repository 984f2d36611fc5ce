"""The entry that a header makes: by the short way and by the long one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.entry import Entry, Kind
from acspec.archive.extensions import EXTENSIONS, PAX, PAX_GLOBAL, Extensions
from acspec.archive.faults import Fault
from acspec.archive.header import Header, parse_header
from tests.support import images

NAMES = st.lists(st.sampled_from(["a", "rootfs", ".", "..", "", "/", "x.y"]), max_size=4).map("/".join)
HEADERS = st.builds(
    images.header,
    NAMES,
    kind=st.sampled_from("0125\x00679Sz"),
    size=st.sampled_from([0, 0, 5]),
    mtime=st.integers(0, 9),
    link=NAMES,
)


def _long(extensions: Extensions, header: Header) -> Entry | str:
    try:
        extensions.sparse_of(header)
        return extensions.make_entry(header, 512)
    except Fault as fault:
        return str(fault)


@given(HEADERS)
def test_the_short_way_leads_where_the_long_way_does_or_nowhere(block: bytes) -> None:
    header = parse_header(block)
    try:
        short: Entry | str | None = Extensions().find_plain(header, 512)
    except Fault as fault:
        short = str(fault)
    assert short is None or short == _long(Extensions(), header)


def test_a_file_and_a_directory_that_nothing_else_speaks_of_take_the_short_way() -> None:
    file = Extensions().find_plain(parse_header(images.header("rootfs/bin/sh", size=7, mode=0o4755, uid=3, mtime=2)), 1024)
    assert file == Entry(b"rootfs/bin/sh", Kind.FILE, 0o4755, 3, 0, 2_000_000_000, 7, data_offset=1024)
    directory = Extensions().find_plain(parse_header(images.header("rootfs/bin/", kind="5")), 512)
    assert directory == Entry(b"rootfs/bin", Kind.DIRECTORY, data_offset=512)


SAID = {
    "a pax header": (PAX, images.pax_record("uid", "7")),
    "a pax header with nothing in it": (PAX, b""),
    "a long name": (b"L", b"rootfs/long\0"),
    "a long link": (b"K", b"rootfs/long\0"),
    "a global header": (PAX_GLOBAL, images.pax_record("uid", "7")),
}


@pytest.mark.parametrize(("kind", "data"), SAID.values(), ids=SAID)
def test_nothing_that_was_said_before_is_lost_on_the_short_way(kind: bytes, data: bytes) -> None:
    assert kind in EXTENSIONS
    header = parse_header(images.header("rootfs/short"))
    extensions = Extensions()
    extensions.add(kind, data)
    assert extensions.find_plain(header, 512) is None
    extensions.make_entry(header, 512)
    # What is said of one file ends with it; what is said of all does not.
    assert (extensions.find_plain(header, 512) is None) == (kind == PAX_GLOBAL)
