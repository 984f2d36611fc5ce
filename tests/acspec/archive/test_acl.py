"""Access control lists from text."""

from __future__ import annotations

from struct import pack, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.acl import format_acl, parse_acl
from acspec.archive.faults import Fault

FULL = [(1, 7, 2**32 - 1), (2, 5, 1000), (2, 6, 1001), (4, 5, 2**32 - 1), (8, 4, 50), (16, 7, 2**32 - 1), (32, 0, 2**32 - 1)]
TEXTS = {
    "with commas": b"user::rwx,user:1000:r-x,user:1001:rw-,group::r-x,group:50:r--,mask::rwx,other::---",
    "with names and numbers": b"user::rwx,user:lisa:r-x:1000,user:bob:rw-:1001,group::r-x,group:staff:r--:50,mask::rwx,other::---",
    "on lines, with comments": b"# file: x\nuser::rwx\nuser:1000:r-x\t#effective:r-x\nuser:1001:rw-\n"
    b"group::r-x\ngroup:50:r--\nmask::rwx\nother::---\n",
    "in short, in another order": b"o::---,m::rwx,g:50:r--,g::r-x,u:1001:rw-,u:1000:r-x,u::rwx",
    "without empty qualifiers": b"user::rwx,user:1000:r-x,user:1001:rw-,group::r-x,group:50:r--,mask:rwx,other:---",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_an_acl_is_read(text: bytes) -> None:
    data = parse_acl(text)
    assert data is not None
    assert unpack_from("<I", data) == (2,)
    assert [unpack_from("<HHI", data, at) for at in range(4, len(data), 8)] == FULL


def test_a_name_without_a_number_says_nothing_here() -> None:
    assert parse_acl(b"user::rwx,user:lisa:r-x,group::r-x,mask::r-x,other::---") is None


BAD = {
    "nothing": b"",
    "a comment": b"# nothing",
    "no colon": b"user",
    "an unknown kind": b"everyone::rwx",
    "a permission too much": b"user::rwxs",
    "permissions out of order": b"user::xwr",
    "a mask for somebody": b"mask:1000:rwx",
    "a number beyond 32 bits": b"user:4294967295:rwx",
    "a field too much": b"user:1:rwx:1:1",
    "more entries than anybody has": b"user:1:rwx\n" * 1025,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_an_acl_is_refused_that_is(text: bytes) -> None:
    with pytest.raises(Fault):
        parse_acl(text)


@given(st.binary(max_size=80) | st.text("usergoupmak:,rwx-0123\n#", max_size=80).map(str.encode))
def test_any_text_is_an_acl_or_a_fault(text: bytes) -> None:
    try:
        data = parse_acl(text)
    except Fault:
        return
    assert data is None or len(data) % 8 == 4


ENTRIES = st.tuples(st.sampled_from([2, 8]), st.integers(0, 7), st.integers(0, 2**32 - 2))
NAMED = st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry[::2])


def _pack(entries: list[tuple[int, int, int]]) -> bytes:
    return pack("<I", 2) + b"".join(pack("<HHI", *entry) for entry in sorted(entries, key=lambda entry: entry[::2]))


@given(NAMED, st.tuples(*[st.integers(0, 7)] * 4))
def test_what_an_xattr_holds_is_text_and_back(named: list[tuple[int, int, int]], others: tuple[int, ...]) -> None:
    data = _pack([*named, *((tag, permissions, 2**32 - 1) for tag, permissions in zip((1, 4, 16, 32), others, strict=True))])
    text = format_acl(data)
    assert text is not None
    assert parse_acl(text) == data


def test_text_has_numbers_in_the_order_of_the_kernel() -> None:
    assert format_acl(_pack(FULL)) == b"user::rwx,user:1000:r-x,user:1001:rw-,group::r-x,group:50:r--,mask::rwx,other::---"


NO_TEXT = {
    "nothing": b"",
    "no entries": pack("<I", 2),
    "another version": pack("<IHHI", 3, 1, 7, 2**32 - 1),
    "half an entry": _pack(FULL)[:-4],
    "an unknown tag": pack("<IHHI", 2, 64, 7, 2**32 - 1),
    "a permission that is none": pack("<IHHI", 2, 1, 8, 2**32 - 1),
    "an owner with a number": pack("<IHHI", 2, 1, 7, 0),
    "somebody without a number": pack("<IHHI", 2, 2, 7, 2**32 - 1),
}


@pytest.mark.parametrize("data", NO_TEXT.values(), ids=NO_TEXT)
def test_there_is_no_text_for(data: bytes) -> None:
    assert format_acl(data) is None


@given(st.binary(max_size=60).map(lambda data: pack("<I", 2) + data))
def test_any_bytes_have_a_text_that_is_read_or_none(data: bytes) -> None:
    text = format_acl(data)
    if text is not None:
        found = parse_acl(text)
        assert found is not None
        assert sorted(_entries(found)) == sorted(_entries(data))


def _entries(data: bytes) -> list[bytes]:
    return [data[at : at + 8] for at in range(4, len(data), 8)]
