"""Header blocks for entries: what is written is read back, by us and by GNU tar."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.encode import encode_entry
from acspec.archive.entry import Entry, Kind
from acspec.archive.reader import TarReader
from acspec.archive.stream import TarStream


class Chunks:
    """A feed of one chunk."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def next_chunk(self) -> bytes:
        data, self.data = self.data, b""
        return data

    def skip(self, size: int) -> int:
        return 0


def read_back(data: bytes) -> list[Entry]:
    return [entry._replace(data_offset=0) for entry in TarReader(TarStream(Chunks(data + bytes(1024)), 1 << 40))]


COMPONENTS = st.binary(min_size=1, max_size=40).filter(lambda part: not {0, 0x2F} & set(part) and part not in (b".", b".."))
NAMES = st.lists(
    COMPONENTS | st.binary(min_size=90, max_size=260).map(lambda part: part.hex().encode()), min_size=1, max_size=4
).map(b"/".join)
IDS = st.integers(0, 2**32 - 2)
TIMES = st.integers(-(2**40), 2**40) | st.integers(-(10**18), 10**19) | st.integers(0, 2**33).map(lambda seconds: seconds * 10**9)
ACCESS, DEFAULT = b"system.posix_acl_access", b"system.posix_acl_default"
XATTR_NAMES = [b"user.a", b"user.=%3D%", b"security.capability", ACCESS, DEFAULT]
XATTRS = st.dictionaries(st.sampled_from(XATTR_NAMES), st.binary(max_size=40), max_size=3)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(Kind))
    linked = kind in (Kind.SYMLINK, Kind.HARD_LINK)
    device = kind in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE)
    return Entry(
        draw(NAMES),
        kind,
        draw(st.integers(0, 0o7777)),
        draw(IDS),
        draw(IDS),
        draw(TIMES),
        0,
        draw(NAMES) if linked else b"",
        draw(st.integers(0, 4095)) if device else 0,
        draw(st.integers(0, 2**20 - 1)) if device else 0,
        draw(XATTRS),
    )


@given(entries())
def test_an_entry_is_read_back_as_it_was(entry: Entry) -> None:
    assert read_back(encode_entry(entry)) == [entry]


@given(entries())
def test_headers_are_whole_blocks_and_always_the_same(entry: Entry) -> None:
    assert len(encode_entry(entry)) % 512 == 0
    assert encode_entry(entry) == encode_entry(entry._replace(data_offset=5))


ACL = bytes.fromhex("0200000001000700ffffffff02000500e803000004000500ffffffff10000700ffffffff20000000ffffffff")
PLAIN = {
    "a short name": Entry(b"rootfs/f", Kind.FILE),
    "a name that fits prefix and name": Entry(b"rootfs/" + b"d" * 100 + b"/" + b"f" * 99, Kind.FILE),
    "a directory whose slash just fits": Entry(b"rootfs/" + b"d" * 92, Kind.DIRECTORY),
    "the largest uid of seven digits": Entry(b"rootfs/f", Kind.FILE, uid=0o7777777),
    "the last second of eleven digits": Entry(b"rootfs/f", Kind.FILE, mtime_ns=0o77777777777 * 10**9),
    "a size of 8 GiB less one": Entry(b"rootfs/f", Kind.FILE, size=8**11 - 1),
}
EXTENDED = {
    "a name too long": (Entry(b"rootfs/" + b"f" * 101, Kind.FILE), b"path"),
    "a link too long": (Entry(b"rootfs/l", Kind.SYMLINK, link_name=b"x" * 101), b"linkpath"),
    "a uid of eight digits": (Entry(b"rootfs/f", Kind.FILE, uid=0o10000000), b"uid"),
    "a gid of eight digits": (Entry(b"rootfs/f", Kind.FILE, gid=0o10000000), b"gid"),
    "a part of a second": (Entry(b"rootfs/f", Kind.FILE, mtime_ns=1), b"mtime"),
    "a time before 1970": (Entry(b"rootfs/f", Kind.FILE, mtime_ns=-(10**9)), b"mtime"),
    "a size of 8 GiB": (Entry(b"rootfs/f", Kind.FILE, size=8**11), b"size"),
    "an attribute": (Entry(b"rootfs/f", Kind.FILE, xattrs={b"user.a": b"1"}), b"SCHILY.xattr.user.a"),
    "an access control list": (
        Entry(b"rootfs/f", Kind.FILE, xattrs={ACCESS: ACL}),
        b"SCHILY.acl.access=user::rwx,",
    ),
    "a default list": (
        Entry(b"rootfs/d", Kind.DIRECTORY, xattrs={DEFAULT: ACL}),
        b"SCHILY.acl.default=user::rwx,",
    ),
    "a list that has no text": (
        Entry(b"rootfs/f", Kind.FILE, xattrs={ACCESS: b"x"}),
        b"system.posix_acl_access=x",
    ),
    "a long name that is not UTF-8": (Entry(b"rootfs/" + b"\xff" * 101, Kind.FILE), b"hdrcharset=BINARY"),
}


@pytest.mark.parametrize("entry", PLAIN.values(), ids=PLAIN)
def test_one_block_is_enough_for(entry: Entry) -> None:
    assert len(encode_entry(entry)) == 512


@pytest.mark.parametrize(("entry", "keyword"), EXTENDED.values(), ids=EXTENDED)
def test_a_pax_header_is_written_for(entry: Entry, keyword: bytes) -> None:
    data = encode_entry(entry)
    assert len(data) == 3 * 512
    assert data[156:157] == b"x"
    assert keyword in data[512:1024]


@pytest.mark.parametrize("length", range(70, 130))
def test_a_record_counts_its_own_length(length: int) -> None:
    entry = Entry(b"rootfs/f", Kind.FILE, xattrs={b"user.a": b"x" * length})
    assert read_back(encode_entry(entry)) == [entry]


def test_gnu_tar_sees_the_same(tmp_path: Path) -> None:
    shown = [entry for entry, _ in EXTENDED.values() if not entry.size] + [entry for entry in PLAIN.values() if not entry.size]
    names = []
    for number, entry in enumerate(shown):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(encode_entry(entry) + bytes(1024))
        words = ["tar", "--quoting-style=literal", "--numeric-owner", "-tf", str(path)]
        result = subprocess.run(words, capture_output=True, check=True)
        names.append(result.stdout.rstrip(b"\n").rstrip(b"/"))
    assert names == [entry.name for entry in shown]
