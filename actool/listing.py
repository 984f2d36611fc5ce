"""What is in an image, an entry at a time, as lines for people and as values for programs.

Source: aci.md, Image Archives.
"""

from __future__ import annotations

import stat
import time
from array import array
from collections.abc import Iterator, Mapping

from acspec import limits
from acspec.archive.entry import Entry, Kind
from acspec.archive.entry_log import EntryLog
from acspec.archive.image import GLANCE, ImageReader
from acspec.archive.spool import Spool
from acspec.archive.walk import LayoutWalk
from acspec.escape import escape
from actool.inputs import Input, opened
from actool.json_lines import decode_name, dump_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

# Each kind by the letter that `ls` and `tar -tv` begin a line with, and by its name in JSON.
_LETTERS: Mapping[Kind, str] = {
    Kind.FILE: "-",
    Kind.DIRECTORY: "d",
    Kind.SYMLINK: "l",
    Kind.HARD_LINK: "h",
    Kind.CHARACTER_DEVICE: "c",
    Kind.BLOCK_DEVICE: "b",
    Kind.FIFO: "p",
}
_TYPES: Mapping[Kind, str] = {
    Kind.FILE: "file",
    Kind.DIRECTORY: "directory",
    Kind.SYMLINK: "symlink",
    Kind.HARD_LINK: "hardlink",
    Kind.CHARACTER_DEVICE: "character-device",
    Kind.BLOCK_DEVICE: "block-device",
    Kind.FIFO: "fifo",
}
_DEVICES = (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE)
_SECOND = 1_000_000_000
_WHOLE = array("Q")  # no pieces


def list_entries(path: str, passphrase: Passphrase | None = None) -> Iterator[Entry]:
    """Return the entries of the image or layout directory at *path*, or of the image on standard input for `-`, in their order.

    They come while the image is read: what was listed before a fault is found has been listed. Those of an encrypted image come
    when it is certain that nobody has changed it.

    Raises: FormatError for a bad archive; TrustError for a wrong passphrase; MissingInputError; StorageError; OSError.
    Source: aci.md, Image Archives.
    """
    with Spool() as aside:
        with opened(path, passphrase) as source:
            if source.is_directory:
                for entry, _ in LayoutWalk(source.descriptor, source.name):
                    yield entry
                return
            if not source.is_encrypted:
                yield from _read(source)
                return
            log = EntryLog(aside)
            places = array("Q", (log.add(entry, _WHOLE) for entry in _read(source)))
        for place in places:
            yield log.get(place).entry


def _read(source: Input) -> Iterator[Entry]:
    with ImageReader(source.origin, source.name, hashed=False, window=GLANCE) as reader:
        yield from reader


def format_name(entry: Entry) -> str:
    """Return the name of *entry* in the archive as one printable word: `rootfs/bin/sh`."""
    return escape(entry.name, limits.NAME_BYTES)


def format_long(entry: Entry) -> str:
    """Return *entry* as a line: type, mode, owners, size in bytes or device, time in UTC, name and target.

    A `+` behind the mode stands for extended attributes.
    """
    mode = _LETTERS[entry.kind] + stat.filemode(entry.mode)[1:] + ("+" if entry.xattrs else " ")
    size = f"{entry.major},{entry.minor}" if entry.kind in _DEVICES else str(entry.size)
    arrow = {Kind.SYMLINK: " -> ", Kind.HARD_LINK: " link to "}.get(entry.kind)
    target = arrow + escape(entry.link_name, limits.NAME_BYTES) if arrow else ""
    return f"{mode} {entry.uid}/{entry.gid} {size:>12} {_format_time(entry.mtime_ns)} {format_name(entry)}{target}"


def format_json(entry: Entry) -> str:
    r"""Return *entry* as a JSON object on one line, all of it printable ASCII.

    A byte of a name that is not UTF-8 is `\udc00` plus its value.
    """
    return dump_line({"path": decode_name(entry.name), **describe(entry)})


def describe(entry: Entry) -> dict[str, object]:
    r"""Return what *entry* is, but for its name, as a JSON object.

    A key is there when the type of the file gives it a meaning. `mtimeNs` is in nanoseconds since 1970, `size` in bytes, `mode`
    four octal digits, values of extended attributes are hexadecimal. Names are decoded as `decode_name` does it.
    """
    value: dict[str, object] = {
        "type": _TYPES[entry.kind],
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "mtimeNs": entry.mtime_ns,
    }
    if entry.kind is Kind.FILE:
        value["size"] = entry.size
    if entry.kind in (Kind.SYMLINK, Kind.HARD_LINK):
        value["target"] = decode_name(entry.link_name)
    if entry.kind in _DEVICES:
        value |= {"major": entry.major, "minor": entry.minor}
    if entry.xattrs:
        value["xattrs"] = {decode_name(name): data.hex() for name, data in sorted(entry.xattrs.items())}
    return value


def _format_time(nanoseconds: int) -> str:
    """Return a time in UTC to the minute; beyond the years that C's calendar has, the seconds since 1970."""
    seconds = nanoseconds // _SECOND
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return f"{seconds:>16}"
