"""The header block: numbers, checksums, flavours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive import header as header_room
from acspec.archive.faults import Fault
from acspec.archive.header import is_header, parse_header, parse_number
from tests.support import images

NUMBERS = {
    "octal with a zero byte": (b"0000644\0", 0o644),
    "octal with a space": (b"0000644 ", 0o644),
    "octal with a space and a zero byte": (b"000644 \0", 0o644),
    "octal with spaces before it": (b"   644 \0", 0o644),
    "octal in all places": (b"77777777", 0o77777777),
    "base-256": (b"\x80\0\0\0\0\0\x01\0", 256),
    "negative base-256": (b"\xff\xff\xff\xff\xff\xff\xff\xff", -1),
}


@pytest.mark.parametrize(("field", "value"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_read(field: bytes, value: int) -> None:
    assert parse_number(field, "size", -(2**60), 2**60) == value


BAD_NUMBERS = {
    "nothing": b"\0\0\0\0\0\0\0\0",
    "spaces": b"        ",
    "an underscore": b"0000_20\0",
    "a sign": b"     +2\0",
    "a minus sign": b"     -2\0",
    "a prefix": b"   0o17\0",
    "a digit eight": b"0000018\0",
    "a letter": b"000064a\0",
    "digits after the end": b"644\0 644",
    "a zero byte first": b"\x000000644",
    "a gap": b"644 644\0",
    "nan": b"    nan\0",
    "other scripts' digits": "٦٤٤".encode().ljust(8, b"\0"),
    "more than there may be": b"\xbf\xff\xff\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("field", BAD_NUMBERS.values(), ids=BAD_NUMBERS)
def test_a_number_is_refused_that_is(field: bytes) -> None:
    with pytest.raises(Fault, match=r"bad size field|out of range"):
        parse_number(field, "size", 0, 2**40)


@given(st.binary(min_size=1, max_size=12))
def test_any_field_is_a_number_in_range_or_a_fault(field: bytes) -> None:
    try:
        assert -5 <= parse_number(field, "size", -5, 1000) <= 1000
    except Fault as fault:
        assert "size" in str(fault)


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**32 - 2))
def test_numbers_of_all_sizes_are_read_back(size: int, mode: int, uid: int) -> None:
    fields = {"size": images.base256(size, 12), "mode": images.base256(mode, 8), "uid": images.base256(uid, 8)}
    header = parse_header(images.header("x", **fields))
    assert (header.size, header.mode, header.uid) == (size, mode & 0o7777, uid)


@given(st.integers(0, 511), st.integers(1, 255))
def test_any_changed_byte_breaks_the_checksum(place: int, change: int) -> None:
    block = bytearray(images.header("rootfs/bin/hello", size=5, uname=b"root"))
    block[place] ^= change
    assert not is_header(bytes(block))
    with pytest.raises(Fault):
        parse_header(bytes(block))


@given(st.integers(0, 511), st.integers(1, 255))
def test_a_header_like_the_one_before_it_is_held_to_the_same_rules(place: int, change: int) -> None:
    parse_header(images.header("rootfs/bin/hello", size=5, uname=b"root"))
    block = bytearray(images.header("rootfs/bin/other", size=7, uname=b"root"))
    block[place] ^= change
    with pytest.raises(Fault):
        parse_header(bytes(block))


@pytest.mark.parametrize("form", [b"%06o\0 ", b"%07o\0", b"%07o ", b" %06o\0", b"%6o\0 "])
def test_a_checksum_may_be_written_in_any_of_the_ways_of_a_number(form: bytes) -> None:
    plain = images.header("rootfs/bin/hello", uname=b"staff")
    total = int(plain[148:156].strip(b" \0"), 8)
    for _ in range(2):  # the second time, most of the header is known
        assert parse_header(plain[:148] + form % total + plain[156:]).name == b"rootfs/bin/hello"
        with pytest.raises(Fault, match="wrong checksum"):
            parse_header(plain[:148] + form % (total + 1) + plain[156:])


def test_what_is_known_of_headers_does_not_grow_with_them() -> None:
    for number in range(2_000):
        block = images.header("x", uid=number, mtime=number, link=b"%d" % number, kind="2")
        header = parse_header(block)
        assert (header.uid, header.mtime, header.link_name) == (number, number, b"%d" % number)
    assert max(len(known) for known in (header_room._owners, header_room._times, header_room._rests)) <= 512


def test_a_checksum_of_bytes_over_127_is_the_sum_of_unsigned_bytes() -> None:
    assert parse_header(images.header(b"\xff" * 100)).name == b"\xff" * 100


@pytest.mark.parametrize("blank", [bytes(12), b" " + bytes(11), b" " * 11 + b"\0"])
def test_blank_owners_modes_and_times_are_zero(blank: bytes) -> None:
    fields = {"mode": blank[-8:], "uid": blank[-8:], "gid": blank[-8:], "mtime": blank}
    header = parse_header(images.header("x", **fields))
    assert (header.mode, header.uid, header.gid, header.mtime) == (0, 0, 0, 0)


@pytest.mark.parametrize("field", ["mode", "uid", "gid", "mtime"])
@pytest.mark.parametrize("value", [b" " * 12, b"\0" + b" " * 11, b"\x001234567\0", b" \x001\0", b" \0 \0"])
def test_what_is_blank_to_some_only_is_refused(field: str, value: bytes) -> None:
    with pytest.raises(Fault, match=f"bad {field} field"):
        parse_header(images.header("x", **{field: value if field == "mtime" else value[:8]}))


REFUSED = {"D": "a directory dump", "M": "multi-volume", "N": "an old long name", "V": "a volume label", "X": "Sun's", "A": "Sun's"}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_an_image_may_not_hold_is_named_whatever_its_numbers_are(kind: str) -> None:
    with pytest.raises(Fault, match=f"{REFUSED[kind]}.*not what an image may hold"):
        parse_header(images.header("x", kind=kind, mode=b"", uid=b"x", size=b""))


FLAVOURS = {
    "POSIX": (images.header("name", prefix=b"some/dir"), b"some/dir/name"),
    "POSIX with a prefix that fills its field": (images.header("name", prefix=b"d" * 155), b"d" * 155 + b"/name"),
    "GNU, whose prefix is no prefix": (images.header("name", prefix=b"some/dir", magic=b"ustar  \0"), b"name"),
    "a name that fills its field": (images.header("n" * 100), b"n" * 100),
}


@pytest.mark.parametrize(("block", "name"), FLAVOURS.values(), ids=FLAVOURS)
def test_the_name_is_that_of_the_flavour(block: bytes, name: bytes) -> None:
    assert parse_header(block).name == name


def _v7(rest: bytes = b"") -> bytes:
    block = bytearray(images.header("name", magic=bytes(8), major=bytes(8), minor=bytes(8), prefix=rest))
    return bytes(block)


def test_the_flavour_of_unix_v7_is_read_when_the_rest_is_blank() -> None:
    assert parse_header(_v7()).name == b"name"
    with pytest.raises(Fault, match="neither a ustar nor a GNU"):
        parse_header(_v7(b"x"))


def test_an_unknown_flavour_is_refused() -> None:
    with pytest.raises(Fault, match="neither a ustar nor a GNU"):
        parse_header(images.header("name", magic=b"ustar\x0001"))


OUT_OF_RANGE = {
    "a negative size": {"size": images.base256(-1, 12)},
    "a size of 64 bits": {"size": images.base256(2**63, 12)},
    "a negative uid": {"uid": images.base256(-1, 8)},
    "the uid that chown takes for no change": {"uid": images.base256(2**32 - 1, 8)},
    "a gid beyond 32 bits": {"gid": images.base256(2**40, 8)},
    "a time of which no file system knows": {"mtime": images.base256(2**70, 12)},
}


@pytest.mark.parametrize("fields", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_header_is_refused_with(fields: dict[str, bytes]) -> None:
    with pytest.raises(Fault, match="out of range"):
        parse_header(images.header("x", **fields))


def test_a_time_before_1970_is_read() -> None:
    assert parse_header(images.header("x", mtime=images.base256(-5, 12))).mtime == -5
