"""Differences as lines: for people, `changed  rootfs/bin/sh  mode 0755 -> 0644`, and as JSON, an object a line.

Every line is printable, whatever names and values hold.

Source: spec/exit-codes.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from acspec import limits
from acspec.archive.entry import Kind
from acspec.archive.layout import MANIFEST
from acspec.escape import escape
from acspec.jsontext import dump_json
from actool.comparing.comparison import AnyDifference
from actool.comparing.differences import Difference
from actool.comparing.manifest_differences import MISSING, Missing, PlaceDifference
from actool.comparing.snapshot import File
from actool.json_lines import decode_name, dump_line
from actool.listing import describe

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

_MOST_ATTRIBUTES = 3
_SECOND = 10**9
# The keys in JSON of what each word stands for.
_KEYS = {
    "type": ("type",),
    "content": ("size",),
    "mode": ("mode",),
    "owner": ("uid", "gid"),
    "time": ("mtimeNs",),
    "xattr": ("xattrs",),
    "target": ("target",),
    "device": ("major", "minor"),
    "links": ("hardLinkTo",),
}


def change_of(difference: AnyDifference) -> str:
    """Return what a difference is in one word: added, removed or changed."""
    nothing = MISSING if isinstance(difference, PlaceDifference) else None  # in a manifest, null is something
    if difference.old is nothing:
        return ADDED
    return REMOVED if difference.new is nothing else CHANGED


def format_name(path: bytes) -> str:
    """Return the name of an entry as one printable word."""
    return escape(path, limits.NAME_BYTES)


def format_time(nanoseconds: int) -> str:
    """Return a time in UTC with as many digits as it takes; beyond the years that C's calendar has, in seconds since 1970."""
    seconds, rest = divmod(nanoseconds, _SECOND)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + fraction
    except (OverflowError, ValueError, OSError):
        return f"{seconds}{fraction}"


def format_text(difference: AnyDifference) -> str:
    """Return a difference as a line for people: what it is, where, and what differs, the old value first."""
    change = change_of(difference)
    if isinstance(difference, PlaceDifference):
        sides = (side for side in (difference.old, difference.new) if not isinstance(side, Missing))
        values = " -> ".join(escape(dump_json(side).rstrip(b"\n")) for side in sides)
        return f"{change:<8} {MANIFEST.decode()}  {escape(difference.place)} {values}"
    return f"{change:<8} {format_name(difference.path)}  {_details(difference)}"


def format_json(difference: AnyDifference) -> str:
    """Return a difference as a JSON object on one line, all of it printable ASCII.

    `change` is added, removed or changed, `path` the name in the archive. A file has the keys that `ls --json` gives it, and
    `hardLinkTo`, the first name of the same file. Of an added one they are in `new`, of a removed one in `old`; of a changed one
    `differs` has the words for what differs, and both have the keys for these, null where there is nothing. Of the manifest `place`
    is the path inside, `old` and `new` are the values; one that is not there is left out.
    """
    value: dict[str, object] = {"change": change_of(difference)}
    if isinstance(difference, PlaceDifference):
        value |= {"path": MANIFEST.decode(), "place": difference.place}
        sides = {"old": difference.old, "new": difference.new}
        return dump_line(value | {key: side for key, side in sides.items() if not isinstance(side, Missing)})
    value["path"] = decode_name(difference.path)
    if difference.words:
        value["differs"] = difference.words
    for key, file in (("old", difference.old), ("new", difference.new)):
        if file is not None:
            value[key] = _describe(file, difference.words)
    return dump_line(value)


def _describe(file: File, words: tuple[str, ...]) -> dict[str, object]:
    """Return what *file* is as a JSON object, or, given *words*, as much of it as these stand for."""
    value = describe(file.entry)
    if file.links_to:
        value["hardLinkTo"] = decode_name(file.links_to)
    return {key: value.get(key) for word in words for key in _KEYS[word]} if words else value


def _details(difference: Difference) -> str:
    old, new = difference.old, difference.new
    if old is not None and new is not None:
        return ", ".join(_TEXTS[word](old, new) for word in difference.words)
    file = old if old is not None else new
    return "" if file is None else _summary(file)


def _summary(file: File) -> str:
    entry = file.entry
    if file.links_to:
        return f"hard link to {format_name(file.links_to)}"
    kind: str = entry.kind.value
    if entry.kind is Kind.FILE:
        return f"{kind} of {entry.size} bytes"
    return f"{kind} to {format_name(entry.link_name)}" if entry.kind is Kind.SYMLINK else kind


def _changed(word: str, show: Callable[[File], str]) -> Callable[[File, File], str]:
    return lambda old, new: f"{word} {show(old)} -> {show(new)}"


def _content(old: File, new: File) -> str:
    sizes = (old.entry.size, new.entry.size)
    return "content" if sizes[0] == sizes[1] else "content of {} -> {} bytes".format(*sizes)


def _attributes(old: File, new: File) -> str:
    before, after = old.entry.xattrs, new.entry.xattrs
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    rest = len(names) - _MOST_ATTRIBUTES
    return "xattr " + " ".join(map(escape, names[:_MOST_ATTRIBUTES])) + (f" and {rest} more" if rest > 0 else "")


_TEXTS: Mapping[str, Callable[[File, File], str]] = {
    "type": _changed("type", lambda file: file.entry.kind.value),
    "content": _content,
    "mode": _changed("mode", lambda file: f"{file.entry.mode:04o}"),
    "owner": _changed("owner", lambda file: f"{file.entry.uid}/{file.entry.gid}"),
    "time": _changed("time", lambda file: format_time(file.entry.mtime_ns)),
    "xattr": _attributes,
    "target": _changed("target", lambda file: format_name(file.entry.link_name)),
    "device": _changed("device", lambda file: f"{file.entry.major},{file.entry.minor}"),
    "links": _changed("hard link to", lambda file: format_name(file.links_to) or "none"),
}
