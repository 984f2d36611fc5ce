"""Extended headers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.faults import Fault
from acspec.archive.pax import NOTHING, Extended, parse_extended, parse_global, parse_records
from tests.support.images import pax_record

VALUES = {
    "a path": ("path", b"a/\xff\n=b", {"path": b"a/\xff\n=b"}),
    "a link target": ("linkpath", b"../x", {"link_path": b"../x"}),
    "a size": ("size", b"8589934592", {"size": 8589934592}),
    "a uid": ("uid", b"4294967294", {"uid": 4294967294}),
    "a gid": ("gid", b"0", {"gid": 0}),
    "a whole second": ("mtime", b"12", {"mtime_ns": 12 * 10**9}),
    "a part of a second": ("mtime", b"1.5", {"mtime_ns": 1_500_000_000}),
    "nanoseconds": ("mtime", b"1234567890.123456789", {"mtime_ns": 1_234_567_890_123_456_789}),
    "more than nanoseconds": ("mtime", b"1.9999999999", {"mtime_ns": 1_999_999_999}),
    "a time before 1970": ("mtime", b"-1.25", {"mtime_ns": -1_250_000_000}),
    "more than nanoseconds before 1970": ("mtime", b"-0.0000000001", {"mtime_ns": -1}),
    "an attribute": ("SCHILY.xattr.user.a", b"\0\n=", {"xattrs": {b"user.a": b"\0\n="}}),
    "an empty attribute": ("SCHILY.xattr.user.a", b"", {"xattrs": {b"user.a": b""}}),
    "an attribute named with signs": ("SCHILY.xattr.user.a%3Db%25", b"", {"xattrs": {b"user.a=b%": b""}}),
    "an unknown keyword": ("VENDOR.thing", b"x", {}),
    "a comment": ("comment", b"x", {}),
    "a known character set": ("hdrcharset", b"BINARY", {}),
}


@pytest.mark.parametrize(("keyword", "value", "fields"), VALUES.values(), ids=VALUES)
def test_a_record_is_read(keyword: str, value: bytes, fields: dict[str, object]) -> None:
    assert parse_extended(pax_record(keyword, value)) == Extended(**fields)  # type: ignore[arg-type]


BAD = {
    "a length of nothing": b" path=x\n",
    "a length with a zero before it": b"09 path=x\n",
    "a length with a sign": b"+9 path=x\n",
    "a length that is no number": b"9a path=x\n",
    "a length of 600 digits": b"9" * 600 + b" path=x\n",
    "a length beyond the end": b"99 path=x\n",
    "a length too short": b"8 path=x\n",
    "a length of itself": b"2 path=x\n",
    "no newline": b"9 path=x ",
    "no equals sign": b"9 path-x\n",
    "no keyword": b"5 =x\n",
    "bytes after the last record": pax_record("path", "x") + b"\0",
    "a path with a zero byte": pax_record("path", b"a\0b"),
    "an empty path": pax_record("path", b""),
    "an empty link target": pax_record("linkpath", b""),
    "an empty size": pax_record("size", b""),
    "a negative size": pax_record("size", "-1"),
    "a size of 64 bits": pax_record("size", str(2**63)),
    "a size in hexadecimal": pax_record("size", "0x10"),
    "a size with an underscore": pax_record("size", "1_0"),
    "a size with a space": pax_record("size", " 10"),
    "a size of 30 digits": pax_record("size", "1" * 30),
    "a size in other digits": pax_record("size", "١"),
    "the uid that chown takes for no change": pax_record("uid", str(2**32 - 1)),
    "a time that is no number": pax_record("mtime", "nan"),
    "a time without seconds": pax_record("mtime", ".5"),
    "a time with an exponent": pax_record("mtime", "1e9"),
    "a time with two signs": pax_record("mtime", "--1"),
    "a time that ends in a point": pax_record("mtime", "1."),
    "a time of a hundred digits": pax_record("mtime", "1" * 100),
    "an attribute without a name": pax_record("SCHILY.xattr.", "x"),
    "an attribute with a zero byte in its name": pax_record("SCHILY.xattr.user.a\0b", "x"),
    "an attribute with a long name": pax_record("SCHILY.xattr.user." + "n" * 300, "x"),
    "an attribute larger than 64 KiB": pax_record("SCHILY.xattr.user.a", bytes(65537)),
    "a character set that nobody knows": pax_record("hdrcharset", "ISO-IR 8859 1 1998"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_header_is_refused_with(data: bytes) -> None:
    with pytest.raises(Fault):
        parse_extended(data)


def test_the_last_of_two_records_counts() -> None:
    assert parse_extended(pax_record("path", "a") + pax_record("path", "b")).path == b"b"


def test_a_global_header_holds_until_an_extended_header_says_otherwise() -> None:
    base = parse_global(pax_record("uid", "7") + pax_record("mtime", "3"), NOTHING)
    assert base == Extended(uid=7, mtime_ns=3 * 10**9)
    assert parse_extended(pax_record("uid", "8"), base) == Extended(uid=8, mtime_ns=3 * 10**9)
    assert parse_extended(pax_record("uid", ""), base) == Extended(mtime_ns=3 * 10**9)
    assert parse_global(pax_record("mtime", ""), base) == Extended(uid=7)


@pytest.mark.parametrize("keyword", ["path", "linkpath", "size", "SCHILY.xattr.user.a", "GNU.sparse.size"])
def test_a_global_header_may_not_say_what_belongs_to_one_file(keyword: str) -> None:
    with pytest.raises(Fault):
        parse_global(pax_record(keyword, "1"), NOTHING)


@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_a_fault(data: bytes) -> None:
    try:
        records = list(parse_records(data))
    except Fault:
        return
    assert list(parse_records(b"".join(pax_record(key, value) for key, value in records))) == records


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_characters="=", min_codepoint=33, max_codepoint=126), min_size=1), st.binary())
    )
)
def test_records_are_read_back(records: list[tuple[str, bytes]]) -> None:
    data = b"".join(pax_record(key, value) for key, value in records)
    assert list(parse_records(data)) == [(key.encode(), value) for key, value in records]


@given(st.from_regex(r"-?[0-9]{1,15}(\.[0-9]{1,20})?", fullmatch=True))
def test_times_are_exact_and_rounded_towards_the_past(text: str) -> None:
    nanoseconds = parse_extended(pax_record("mtime", text)).mtime_ns
    assert nanoseconds is not None
    assert 0 <= Fraction(text) * 10**9 - nanoseconds < 1
