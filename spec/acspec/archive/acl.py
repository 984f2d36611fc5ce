"""POSIX access control lists: the text that star and GNU tar put into pax headers, and what the kernel's xattrs hold.

Owners are numbers here; a name without one says nothing outside the machine that wrote it.

Source: acl(5), Text forms; star(5), SCHILY.acl.access; the kernel's posix_acl_xattr.h.
"""

from __future__ import annotations

from struct import iter_unpack, pack

from acspec.archive.faults import Fault
from acspec.escape import escape

# The records of pax headers that hold ACLs as text, and the xattrs that hold them on a disk.
ACL_XATTRS = {b"SCHILY.acl.access": b"system.posix_acl_access", b"SCHILY.acl.default": b"system.posix_acl_default"}

_VERSION = 2
_NO_ID = 0xFFFFFFFF
# Tags of entries without and with a qualifier.
_TAGS = {
    b"user": (0x01, 0x02),
    b"group": (0x04, 0x08),
    b"mask": (0x10, None),
    b"other": (0x20, None),
}
_WORDS = {tag: (word, named) for word, tags in _TAGS.items() for named, tag in enumerate(tags) if tag is not None}
_SHORT = {b"u": b"user", b"g": b"group", b"m": b"mask", b"o": b"other"}
_MOST_ENTRIES = 1024


def parse_acl(text: bytes) -> bytes | None:
    """Return an ACL as the xattr `system.posix_acl_access` holds it, or None when it names a user without a number.

    Raises: Fault when it is no ACL.
    Source: acl(5), Text forms.
    """
    entries = []
    for line in text.replace(b",", b"\n").split(b"\n"):
        words = line.partition(b"#")[0].strip()
        if not words:
            continue
        entry = _parse_entry(words)
        if entry is None:
            return None
        entries.append(entry)
    if not entries or len(entries) > _MOST_ENTRIES:
        raise Fault("bad access control list: no entries, or too many")
    return pack("<I", _VERSION) + b"".join(
        pack("<HHI", *entry) for entry in sorted(entries, key=lambda entry: (entry[0], entry[2]))
    )


def format_acl(data: bytes) -> bytes | None:
    """Return the text of an ACL that an xattr holds as *data*, by numbers; None for what no kernel would put there.

    Source: acl(5), Text forms; star(5), SCHILY.acl.access.
    """
    if len(data) < 12 or len(data) % 8 != 4 or data[:4] != pack("<I", _VERSION):
        return None
    entries = []
    for tag, permissions, number in iter_unpack("<HHI", data[4:]):
        word, named = _WORDS.get(tag, (b"", False))
        if not word or permissions > 7 or bool(named) is (number == _NO_ID):
            return None
        letters = bytes(letter if permissions & bit else 0x2D for letter, bit in zip(b"rwx", (4, 2, 1), strict=True))
        entries.append(b"%s:%s:%s" % (word, b"%d" % number if named else b"", letters))
    return b",".join(entries)


def _parse_entry(line: bytes) -> tuple[int, int, int] | None:
    kind, *rest = line.split(b":")
    tags = _TAGS.get(_SHORT.get(kind, kind))
    if tags is None or not 1 <= len(rest) <= 3:
        raise _bad(line)
    if len(rest) == 1:  # `mask:rwx`, without the empty qualifier
        rest = [b"", *rest]
    permissions = _parse_permissions(rest[1], line)
    if not rest[0]:
        return tags[0], permissions, _NO_ID
    number = rest[2] if len(rest) == 3 else rest[0]
    if tags[1] is None:
        raise _bad(line)
    if not number.isdigit():
        return None
    if len(number) > 10 or int(number) >= _NO_ID:
        raise _bad(line)
    return tags[1], permissions, int(number)


def _parse_permissions(text: bytes, line: bytes) -> int:
    text = text.strip()
    if len(text) != 3 or any(given not in (letter, 0x2D) for given, letter in zip(text, b"rwx", strict=True)):
        raise _bad(line)
    return sum(bit for given, bit in zip(text, (4, 2, 1), strict=True) if given != 0x2D)


def _bad(line: bytes) -> Fault:
    return Fault(f'bad access control list: "{escape(line, 80)}"')
