r"""Extended headers of pax: records of text into values, strictly.

A record is `LENGTH KEYWORD=VALUE\n`. Keywords that nobody here knows are left out, as POSIX asks; those that would change what
an archive holds without being understood (star's sparse files, parts of files, other character sets) are refused by name.

Source: POSIX.1-2017, pax, pax Interchange Format; `SCHILY.xattr.` and `SCHILY.acl.` as star's manual describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from acspec.archive.acl import ACL_XATTRS, parse_acl
from acspec.archive.faults import Fault
from acspec.archive.sparse import KEYWORDS as _SPARSE
from acspec.archive.sparse import Announcement, parse_announcement
from acspec.escape import escape
from acspec.execution import MAX_ID
from acspec.typed import NamedTuple

_XATTR = b"SCHILY.xattr."
_OF_ONE_FILE = frozenset((b"path", b"linkpath", b"size", *ACL_XATTRS))
_VOLUMES = frozenset((b"GNU.volume.filename", b"GNU.volume.offset", b"GNU.volume.size"))
_CHARSETS = (b"BINARY", b"ISO-IR 10646 2000 UTF-8")
_XATTR_NAME_BYTES = 255
_XATTR_VALUE_BYTES = 65_536


class Extended(NamedTuple):
    """What an extended header says in place of the header block; None where it says nothing.

    `path` is that of a sparse file, too, whose header block has another; `size` is that of the data, `sparse` has the file's.
    """

    path: bytes | None = None
    link_path: bytes | None = None
    size: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime_ns: int | None = None
    xattrs: Mapping[bytes, bytes] | None = None
    sparse: Announcement | None = None


NOTHING = Extended()


def parse_extended(data: bytes, base: Extended = NOTHING) -> Extended:
    """Return what the extended header *data* (typeflag x) says of the next entry, on top of the global *base*.

    Raises: Fault.
    Source: POSIX.1-2017, pax, pax Extended Header.
    """
    values = base._asdict()
    xattrs: dict[bytes, bytes] = {}
    sparse: list[tuple[bytes, bytes]] = []
    for keyword, value in parse_records(data):
        if keyword.startswith(_XATTR):
            _add_xattr(xattrs, keyword[len(_XATTR) :], value)
        elif keyword in ACL_XATTRS:
            _add_acl(xattrs, keyword, value)
        elif keyword.startswith(_SPARSE):
            sparse.append((keyword, value))
        elif (reader := _READERS.get(keyword)) is not None:
            _check_empty(keyword, value)
            values[reader.field] = reader.read(value) if value else None
        else:
            _check_unknown(keyword, value)
    if xattrs:
        values["xattrs"] = xattrs
    if sparse:
        values["sparse"] = announcement = parse_announcement(sparse)
        if announcement.name is not None:  # before any path: that is one which no file should have
            _check_empty(b"path", announcement.name)
            values["path"] = _parse_path(announcement.name)
    return Extended(**values)


def parse_global(data: bytes, base: Extended) -> Extended:
    """Return what the global header *data* (typeflag g) says of all entries that follow, on top of what held before.

    Raises: Fault, also for what can only be said of a single file.
    Source: POSIX.1-2017, pax, pax Extended Header.
    """
    values = base._asdict()
    for keyword, value in parse_records(data):
        if keyword in _OF_ONE_FILE or keyword.startswith((_XATTR, _SPARSE)):
            raise Fault(f'a global header sets "{escape(keyword)}" for every file')
        if (reader := _READERS.get(keyword)) is not None:
            values[reader.field] = reader.read(value) if value else None
        else:
            _check_unknown(keyword, value)
    return Extended(**values)


def parse_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return the records of an extended header, keyword and value, one by one in order.

    Raises: Fault when one is malformed.
    Source: POSIX.1-2017, pax, pax Extended Header.
    """
    start = 0
    while start < len(data):
        space = data.find(b" ", start, start + 8)
        digits = data[start:space]
        if space < 0 or not digits.isdigit() or digits[0] == 0x30:
            raise Fault("bad length of a pax record")
        end = start + int(digits)
        if end > len(data) or end <= space + 1 or data[end - 1] != 0x0A:
            raise Fault("a pax record does not end where its length says")
        keyword, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or not keyword:
            raise Fault("a pax record without a keyword")
        yield keyword, value
        start = end


def _check_empty(keyword: bytes, value: bytes) -> None:
    # An empty value means "as if there were no record"; readers differ on what that leaves of a name or a size.
    if not value and keyword in (b"path", b"linkpath", b"size"):
        raise Fault(f'the pax record "{escape(keyword)}" is empty')


def _check_unknown(keyword: bytes, value: bytes) -> None:
    if keyword == b"SCHILY.realsize":
        raise Fault("a sparse file in star's format: not what an image may hold")
    if keyword in _VOLUMES:
        raise Fault("a part of a file, of a multi-volume archive: not what an image may hold")
    if keyword == b"hdrcharset" and value not in _CHARSETS:
        raise Fault(f'unknown character set "{escape(value)}" in a pax header')


def _add_xattr(xattrs: dict[bytes, bytes], name: bytes, value: bytes) -> None:
    # GNU tar's spelling of the two characters that a keyword cannot hold as they are.
    name = name.replace(b"%3D", b"=").replace(b"%25", b"%")
    if not name or len(name) > _XATTR_NAME_BYTES or b"\0" in name:
        raise Fault(f'bad name of an extended attribute: "{escape(name, 80)}"')
    if len(value) > _XATTR_VALUE_BYTES:
        raise Fault(f'the extended attribute "{escape(name, 80)}" is larger than the kernel allows')
    xattrs[name] = value


def _add_acl(xattrs: dict[bytes, bytes], keyword: bytes, text: bytes) -> None:
    """Add an ACL written as text; one that cannot be understood here stays under its keyword, which nobody applies."""
    if not text:
        return
    acl = parse_acl(text)
    if acl is None:
        xattrs[keyword] = text
    else:
        xattrs.setdefault(ACL_XATTRS[keyword], acl)  # the kernel's own form, where both are there, is the exact one


def _parse_path(value: bytes) -> bytes:
    if b"\0" in value:
        raise Fault("a name in a pax header holds a zero byte")
    return value


def _parse_size(value: bytes) -> int:
    return _parse_decimal(value, "size", 2**63 - 1)


def _parse_id(value: bytes) -> int:
    return _parse_decimal(value, "uid or gid", MAX_ID)


def _parse_decimal(value: bytes, what: str, most: int) -> int:
    if not value.isdigit() or len(value) > 20 or int(value) > most:
        raise Fault(f'bad {what} in a pax header: "{escape(value, 40)}"')
    return int(value)


def _parse_time(value: bytes) -> int:
    """Return nanoseconds for a decimal number of seconds, finer digits cut off towards the past."""
    whole, point, fraction = value.removeprefix(b"-").partition(b".")
    if not whole.isdigit() or len(whole) > 18 or len(value) > 64 or (point and not fraction.isdigit()):
        raise Fault(f'bad time in a pax header: "{escape(value, 40)}"')
    nanoseconds = int(whole) * 10**9 + int(fraction[:9].ljust(9, b"0"))
    if not value.startswith(b"-"):
        return nanoseconds
    return -nanoseconds - (1 if fraction[9:].strip(b"0") else 0)


class _Reader(NamedTuple):
    field: str
    read: Callable[[bytes], int | bytes]


_READERS = {
    b"path": _Reader("path", _parse_path),
    b"linkpath": _Reader("link_path", _parse_path),
    b"size": _Reader("size", _parse_size),
    b"uid": _Reader("uid", _parse_id),
    b"gid": _Reader("gid", _parse_id),
    b"mtime": _Reader("mtime_ns", _parse_time),
}
