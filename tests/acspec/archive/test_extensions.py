"""The entry that a header makes: by the short way and by the long one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.entry import Entry, Kind
from acspec.archive.extensions import EXTENSIONS, PAX, PAX_GLOBAL, Extensions
from acspec.archive.faults import Fault
from acspec.archive.header import parse_header
from acspec.archive.stream import TarStream
from tests.support import images

NAMES = st.lists(st.sampled_from(["a", "rootfs", ".", "..", "", "/", "x.y"]), max_size=4).map("/".join)
SIZES = [0, 0, 5, images.base256(5, 12), b"00000000005 ", b"000000000005", b"     5 \0"]
HEADERS = st.builds(
    images.header,
    NAMES,
    kind=st.sampled_from("00550125\x00679Sz"),
    size=st.sampled_from(SIZES),
    mtime=st.sampled_from([0, images.base256(-1, 12), bytes(12)]),
    link=NAMES,
    prefix=st.sampled_from([b"", b"rootfs/deep"]),
)


class _Bytes:
    """A feed of one chunk."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk

    def next_chunk(self) -> bytes:
        """Return the chunk, then nothing."""
        chunk, self.chunk = self.chunk, b""
        return chunk

    def skip(self, size: int) -> int:
        """Skip nothing."""
        return 0


def _short(extensions: Extensions, block: bytes) -> Entry | None:
    """Return what the short way has for a second header like the first."""
    stream = TarStream(_Bytes(block * 2), 1024)
    parse_header(stream.take_block())
    entry = extensions.take_plain(stream)
    assert stream.offset == (512 if entry is None else 1024)
    return entry


def _long(extensions: Extensions, block: bytes) -> Entry | str:
    header = parse_header(block)
    try:
        extensions.sparse_of(header)
        return extensions.make_entry(header, 1024)
    except Fault as fault:
        return str(fault)


@given(HEADERS)
def test_the_short_way_leads_where_the_long_way_does_or_nowhere(block: bytes) -> None:
    assert _short(Extensions(), block) in (None, _long(Extensions(), block))


def test_a_file_and_a_directory_that_nothing_else_speaks_of_take_the_short_way() -> None:
    file = _short(Extensions(), images.header("rootfs/bin/sh", size=7, mode=0o4755, uid=3, mtime=2))
    assert file == Entry(b"rootfs/bin/sh", Kind.FILE, 0o4755, 3, 0, 2_000_000_000, 7, data_offset=1024)
    directory = _short(Extensions(), images.header("rootfs/bin/", kind="5"))
    assert directory == Entry(b"rootfs/bin", Kind.DIRECTORY, data_offset=1024)


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
    block = images.header("rootfs/short")
    extensions = Extensions()
    extensions.add(kind, data)
    assert _short(extensions, block) is None
    extensions.make_entry(parse_header(block), 512)
    # What is said of one file ends with it; what is said of all does not.
    assert (_short(extensions, block) is None) == (kind == PAX_GLOBAL)
