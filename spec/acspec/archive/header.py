"""The header block of tar: 512 bytes into numbers and byte strings, strictly.

ustar, GNU and the blank flavour of Unix V7 are read; what a field means for an entry is `extensions`' to say.
No number is read as anything but what POSIX (octal) or GNU (base-256) define; only an owner, a mode or a time may be left blank.

Source: POSIX.1-2017, pax, ustar Interchange Format; GNU tar manual, Basic Tar Format.
"""

from __future__ import annotations

from struct import Struct
from zlib import adler32

from acspec.archive.faults import Fault
from acspec.execution import MAX_ID
from acspec.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)

_FIELDS = Struct("100s24s12s12s8s356s")
_REST = Struct("c100s8s64s8s8s155s12s")
_SUM_START = 148
_SUM_END = 156
_POSIX = b"ustar\x0000"
_GNU = b"ustar  \x00"
_V7 = bytes(8)
_SPLIT_BY_GO = (b"rootfs/", b"rootfs\0")
_new_tuple = tuple.__new__
# Headers repeat each other. What has been understood once is not parsed again, but forgotten when there is too much of it.
_OWNERS_CACHED = 512
_TIMES_CACHED = 512
_RESTS_CACHED = 128
# What other tars know and an image may not hold; refused before their numbers, which are not always there, are looked at.
_REFUSED = {
    b"D": "a directory dump of GNU tar",
    b"M": "a part of a multi-volume archive",
    b"N": "an old long name of GNU tar",
    b"V": "a volume label",
    b"X": "an extended header in Sun's format",
    b"A": "an access control list in Sun's format",
}


class Header(NamedTuple):
    """The fields of one header block, and the block; `name` includes the prefix, times are seconds, device numbers still bytes."""

    name: bytes
    type_flag: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link_name: bytes
    major: bytes
    minor: bytes
    block: bytes


class _Rest(NamedTuple):
    """What stands behind the checksum, most of it text: the same in nearly all headers of an archive."""

    type_flag: bytes
    prefix: bytes
    link_name: bytes
    major: bytes
    minor: bytes
    sum: int  # of its bytes, and of the eight spaces that stand for the checksum


_owners: dict[bytes, tuple[int, int, int]] = {}
_times: dict[bytes, int] = {}
_rests: dict[bytes, _Rest] = {}


def is_header(block: bytes) -> bool:
    """Tell whether *block* begins like a tar header: a whole block with a right checksum."""
    if len(block) < BLOCK or block[:BLOCK] == ZERO_BLOCK:
        return False
    try:
        _check_sum(block[:BLOCK], block[_SUM_START:_SUM_END])
    except Fault:
        return False
    return True


def parse_header(block: bytes) -> Header:
    """Return the fields of a header *block* of 512 bytes.

    Raises: Fault for a wrong checksum, an unknown flavour, what no image may hold, or a malformed number.
    Source: POSIX.1-2017, pax, ustar Interchange Format.
    """
    name, owners, size, mtime, checksum, behind = _FIELDS.unpack(block)
    rest = _rests.get(behind)
    if rest is None:
        _check_sum(block, checksum)  # before a word is said of what is in it
        rest = _parse_rest(behind)
    else:
        total = (adler32(block[:_SUM_START]) & 0xFFFF) - 1 + rest.sum
        if checksum != b"%06o\0 " % total:  # not as everybody writes it
            _check_sum(block, checksum)
    name = name.partition(b"\0")[0]
    if rest.prefix:
        name = rest.prefix + b"/" + name
    mode, uid, gid = _owners.get(owners) or _parse_owners(owners)
    # Not by its class, which makes a tuple in twice the time.
    return _new_tuple(
        Header,
        (
            name,
            rest.type_flag,
            mode,
            uid,
            gid,
            parse_number(size, "size", 0, 2**63 - 1),
            _times[mtime] if mtime in _times else _parse_time(mtime),
            rest.link_name,
            rest.major,
            rest.minor,
            block,
        ),
    )


def find_repeated(window: bytes, start: int) -> tuple[bytes, bytes, int, int, int, int, int] | None:
    """Return what the header at *start* of *window* says if all but its name and its numbers is known from an earlier one.

    That is its name, type flag, mode, uid, gid, size and time in seconds, as `parse_header` would have them, in half of the time.
    None for any other header, be it good or bad, and where no whole block is.

    Source: POSIX.1-2017, pax, ustar Interchange Format.
    """
    if start + BLOCK > len(window):
        return None
    name, owners, size, mtime, checksum, behind = _FIELDS.unpack_from(window, start)
    rest = _rests.get(behind)
    if rest is None or checksum != b"%06o\0 " % ((adler32(window[start : start + _SUM_START]) & 0xFFFF) - 1 + rest.sum):
        return None
    name = name.partition(b"\0")[0]
    if rest.prefix:
        name = rest.prefix + b"/" + name
    digits = size[:-1]
    try:
        mode, uid, gid = _owners.get(owners) or _parse_owners(owners)
        time = _times.get(mtime)
        if time is None:
            time = _parse_time(mtime)
        length = int(digits, 8) if digits.isdigit() and size[-1] in b"\0 " else parse_number(size, "size", 0, 2**63 - 1)
    except ValueError:  # faults are among them
        return None
    return name, rest.type_flag, mode, uid, gid, length, time


def is_gnu(block: bytes) -> bool:
    """Tell whether a header *block* is of GNU's flavour."""
    return block[257:265] == _GNU


def _check_sum(block: bytes, field: bytes) -> None:
    if _sum(block) - sum(field) + 8 * 0x20 != parse_number(field, "checksum", 0, 0o777777):
        raise Fault("wrong checksum: not a tar header, or damaged")


def _sum(data: bytes) -> int:
    """Return the sum of at most 512 bytes."""
    # The low half of Adler-32 is 1 + the sum of the bytes modulo 65521, which 256 bytes cannot reach: an exact sum.
    return (adler32(data[:256]) & 0xFFFF) + (adler32(data[256:]) & 0xFFFF) - 2


def _parse_rest(behind: bytes) -> _Rest:
    flag, link, magic, _, major, minor, prefix, last = _REST.unpack(behind)
    found = b""
    if magic == _POSIX:
        if prefix[0]:
            found = _prefix(prefix, last)
    elif magic == _GNU:
        # The prefix holds other things there; but Go before 1.8 split names all the same, once a number had made it use GNU's
        # flavour. No time in octal begins like this.
        if prefix.startswith(_SPLIT_BY_GO):
            found = prefix.partition(b"\0")[0]
    elif magic != _V7 or any(behind[101:173]) or any(behind[189:]):
        # Of V7's rest, GNU tar fills in the device numbers and nothing else.
        raise Fault("neither a ustar nor a GNU tar header")
    if flag in _REFUSED:
        raise Fault(f"{_REFUSED[flag]}: not what an image may hold")
    rest = _Rest(flag, found, link.partition(b"\0")[0], major, minor, _sum(behind) + 8 * 0x20)
    _remember(_rests, behind, rest, _RESTS_CACHED)
    return rest


def _prefix(prefix: bytes, rest: bytes) -> bytes:
    if rest[-4:] == b"tar\0":  # Schily's flavour keeps times in the last bytes of the prefix
        prefix = prefix[:131]
    return prefix.partition(b"\0")[0]


def _parse_owners(field: bytes) -> tuple[int, int, int]:
    # mode, uid and gid stand side by side and nearly always repeat: one look-up instead of three numbers.
    owners = (
        _parse_optional(field[:8], "mode", 0, 2**31) & 0o7777,
        _parse_optional(field[8:16], "uid", 0, MAX_ID),
        _parse_optional(field[16:], "gid", 0, MAX_ID),
    )
    _remember(_owners, field, owners, _OWNERS_CACHED)
    return owners


def _parse_time(field: bytes) -> int:
    time = _parse_optional(field, "mtime", -(2**62), 2**62)
    _remember(_times, field, time, _TIMES_CACHED)
    return time


def _remember(cache: dict[bytes, T], field: bytes, value: T, most: int) -> None:
    if len(cache) >= most:
        cache.clear()
    cache[field] = value


def _parse_optional(field: bytes, what: str, least: int, most: int) -> int:
    # Spaces, then zero bytes only, is 0 to GNU tar, libarchive and Python alike, and what node-tar writes for what it leaves out.
    if field[0] in b" \0" and field[-1] == 0 and not field.lstrip(b" ").strip(b"\0"):
        return 0
    return parse_number(field, what, least, most)


def parse_number(field: bytes, what: str, least: int, most: int) -> int:
    """Return the number in a header *field*: octal digits, or base-256 when its top bit is set.

    Raises: Fault when it is anything else or not between *least* and *most*.
    Source: POSIX.1-2017, pax, ustar Interchange Format; GNU tar manual, Extensions (base-256).
    """
    if field[0] & 0x80:
        bits = 8 * len(field) - 1
        value = int.from_bytes(field, "big") - (1 << bits)
        if value >> (bits - 1):  # two's complement, its sign right below the mark
            value -= 1 << bits
    else:
        digits = field.lstrip(b" ").rstrip(b" \0")
        try:
            value = int(digits if digits.isdigit() else b"", 8)  # int() alone would take "0_20", "+2" and " 2" as well
        except ValueError:
            raise Fault(f"bad {what} field") from None
    if not least <= value <= most:
        raise Fault(f"{what} {value} is out of range")
    return value
