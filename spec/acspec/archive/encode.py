"""Header blocks for entries: ustar, with a pax header before it only where ustar has no room for what an entry has.

The same entry always gives the same bytes: numeric owners, no names of users, nothing of the host or the hour.

Source: POSIX.1-2017, pax, ustar Interchange Format and pax Interchange Format.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from zlib import adler32

from acspec.archive.acl import ACL_XATTRS, format_acl
from acspec.archive.entry import Entry, Kind
from acspec.archive.header import BLOCK

_BEFORE = Struct("100s24s24s")
_BEHIND = Struct("c100s8s64s16s155s12x")
_MAGIC = b"ustar\x0000"
_FLAGS = {
    Kind.FILE: b"0",
    Kind.HARD_LINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.CHARACTER_DEVICE: b"3",
    Kind.BLOCK_DEVICE: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}
_MAX_7_DIGITS = 8**7 - 1
_MAX_11_DIGITS = 8**11 - 1
_NAME = 100
_PREFIX = 155


def encode_entry(entry: Entry) -> bytes:
    """Return all that stands before the data of *entry*: its header block, after a pax header where one is needed.

    Source: POSIX.1-2017, pax, pax Interchange Format.
    """
    name = entry.name + b"/" if entry.kind is Kind.DIRECTORY else entry.name
    prefix, base = _split(name)
    seconds, nanoseconds = divmod(entry.mtime_ns, 10**9)
    records = () if base and not nanoseconds and _fits(entry, seconds) else _records(entry, name, base, seconds, nanoseconds)
    block = _block(entry, prefix, base or name[:_NAME], seconds)
    return _extended(records, entry.name) + block if records else block


def _fits(entry: Entry, seconds: int) -> bool:
    """Tell whether a ustar header has room for all of *entry* but its name: for nearly every one, so it is looked at first."""
    return (
        not entry.xattrs
        and entry.size <= _MAX_11_DIGITS
        and entry.uid <= _MAX_7_DIGITS
        and entry.gid <= _MAX_7_DIGITS
        and 0 <= seconds <= _MAX_11_DIGITS
        and len(entry.link_name) <= _NAME
    )


def _records(entry: Entry, name: bytes, base: bytes, seconds: int, nanoseconds: int) -> Sequence[tuple[bytes, bytes]]:
    records: list[tuple[bytes, bytes]] = []
    if not base:
        records.append((b"path", name))
    if len(entry.link_name) > _NAME:
        records.append((b"linkpath", entry.link_name))
    for keyword, value, most in (
        (b"size", entry.size, _MAX_11_DIGITS),
        (b"uid", entry.uid, _MAX_7_DIGITS),
        (b"gid", entry.gid, _MAX_7_DIGITS),
    ):
        if value > most:
            records.append((keyword, b"%d" % value))
    if nanoseconds or not 0 <= seconds <= _MAX_11_DIGITS:
        records.append((b"mtime", _time(entry.mtime_ns)))
    for keyword, key in ACL_XATTRS.items():  # for GNU tar, which takes ACLs from text only; for others the xattrs have them as well
        acl = format_acl(entry.xattrs[key]) if key in entry.xattrs else None
        if acl is not None:
            records.append((keyword, acl))
    records += [(b"SCHILY.xattr." + _xattr_keyword(key), value) for key, value in sorted(entry.xattrs.items())]
    return records


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Return *name* as prefix and name of a ustar header; both empty when it does not fit."""
    if len(name) <= _NAME:
        return b"", name
    slash = name.find(b"/", len(name) - _NAME - 1, len(name) - 1)
    if not 0 < slash <= _PREFIX:
        return b"", b""
    return name[:slash], name[slash + 1 :]


def _time(nanoseconds: int) -> bytes:
    """Return nanoseconds as a decimal number of seconds with no more digits than it takes."""
    seconds, fraction = divmod(abs(nanoseconds), 10**9)
    digits = (b"%d.%09d" % (seconds, fraction)).rstrip(b"0").rstrip(b".")
    return b"-" + digits if nanoseconds < 0 else digits


def _xattr_keyword(name: bytes) -> bytes:
    # GNU tar's spelling of what would end a keyword too early.
    return name.replace(b"%", b"%25").replace(b"=", b"%3D")


def _extended(records: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    if any(keyword in (b"path", b"linkpath") and not _is_utf8(value) for keyword, value in records):
        records = [(b"hdrcharset", b"BINARY"), *records]
    data = b"".join(encode_record(keyword, value) for keyword, value in records)
    last = name.rpartition(b"/")[2]
    header = Entry(b"PaxHeaders/" + last[:80], Kind.FILE, size=len(data))
    return _block(header, b"", header.name, 0, b"x") + data + bytes(-len(data) % BLOCK)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def encode_record(keyword: bytes, value: bytes) -> bytes:
    """Return one record of an extended header.

    Source: POSIX.1-2017, pax, pax Extended Header.
    """
    rest = len(keyword) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):  # the length counts its own digits
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, keyword, value)


def _block(entry: Entry, prefix: bytes, name: bytes, seconds: int, flag: bytes | None = None) -> bytes:
    owners = b"%07o\0%07o\0%07o\0" % (entry.mode, _fit(entry.uid, _MAX_7_DIGITS), _fit(entry.gid, _MAX_7_DIGITS))
    numbers = b"%011o\0%011o\0" % (_fit(entry.size, _MAX_11_DIGITS), _fit(seconds, _MAX_11_DIGITS))
    before = _BEFORE.pack(name, owners, numbers)
    behind, total = _behind(flag or _FLAGS[entry.kind], entry.link_name[:_NAME], entry.major, entry.minor, prefix)
    # The low half of Adler-32 is 1 + the sum of the bytes modulo 65521, which so few of them cannot reach.
    return b"%b%06o\0 %b" % (before, (adler32(before) & 0xFFFF) - 1 + total, behind)


@lru_cache(maxsize=128)
def _behind(flag: bytes, link: bytes, major: int, minor: int, prefix: bytes) -> tuple[bytes, int]:
    """Return what stands behind the checksum, nearly always the same, and its sum with the spaces that stand for the checksum."""
    block = _BEHIND.pack(flag, link, _MAGIC, b"", b"%07o\0%07o\0" % (major, minor), prefix)
    return block, sum(block) + 8 * 0x20


def _fit(value: int, most: int) -> int:
    return value if 0 <= value <= most else 0  # the pax header says it then
