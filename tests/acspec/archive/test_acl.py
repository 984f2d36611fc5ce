"""Access control lists from text."""

from __future__ import annotations

from struct import unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.acl import parse_acl
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
