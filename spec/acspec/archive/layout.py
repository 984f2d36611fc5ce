"""What an archive must be to be an image: two top-level names, nothing twice, links that lead to what is there.

It looks at entries only, one by one, in memory that grows by eight bytes an entry.

Source: aci.md, Image Archives; spec/image-archive.md.
"""

from __future__ import annotations

from acspec import limits
from acspec.archive.entry import Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.path_table import PathTable
from acspec.escape import escape

MANIFEST = b"manifest"
ROOTFS = b"rootfs"
_INSIDE = b"rootfs/"

_DIRECTORY = 1
_FILE = 2
_OTHER = 3
_IMPLIED = 4  # a directory that so far is only a parent of what has come
_VALUES = dict.fromkeys(Kind, _OTHER) | {Kind.DIRECTORY: _DIRECTORY, Kind.FILE: _FILE, Kind.HARD_LINK: _FILE}
_HARD_LINK = Kind.HARD_LINK


class Layout:
    """The rules of an image archive, fed with its entries in order."""

    __slots__ = ("_parent", "_paths")

    def __init__(self) -> None:
        self._paths = PathTable()
        self._parent = b""  # the last parent that was found to be a directory

    def check(self, entry: Entry) -> None:
        """Take in the next *entry*. Raises: Fault when an image may not hold it here.

        Source: aci.md, Image Archives.
        """
        name = entry.name
        if not name.startswith(_INSIDE):
            _check_top(entry)
        elif (parent := name[: name.rindex(b"/")]) != self._parent:
            self._check_parents(name, parent)
        kind = entry.kind
        if kind is _HARD_LINK:
            self._check_target(entry.link_name)
        if known := self._paths.put(name, _VALUES[kind]):
            _check_known(known, kind)
        elif self._paths.count > limits.ARCHIVE_ENTRIES:
            raise _too_many()

    def finish(self) -> None:
        """Check what can only be said at the end. Raises: Fault when the manifest or the rootfs is missing.

        Source: aci.md, Image Archives.
        """
        if not self._paths.get(MANIFEST):
            raise Fault("there is no manifest in it")
        if self._paths.get(ROOTFS) != _DIRECTORY:
            raise Fault("there is no directory rootfs in it")

    def _check_parents(self, name: bytes, parent: bytes) -> None:
        value = self._paths.get(parent)
        if not value:
            known = self._paths.put_parents(name, _IMPLIED)
            value = self._paths.get(known) if known else _IMPLIED
            if self._paths.count > limits.ARCHIVE_ENTRIES:
                raise _too_many()
            parent = parent if value in (_DIRECTORY, _IMPLIED) else known
        if value not in (_DIRECTORY, _IMPLIED):
            raise Fault(f'"{escape(parent, 80)}" on its way is not a directory')
        self._parent = parent

    def _check_target(self, target: bytes) -> None:
        if not target.startswith(_INSIDE):
            raise Fault(f'hard link to "{escape(target, 80)}", which is outside rootfs')
        value = self._paths.get(target)
        if not value:
            raise Fault(f'hard link to "{escape(target, 80)}", which is not in the archive before it')
        if value in (_DIRECTORY, _IMPLIED):
            raise Fault(f'hard link to "{escape(target, 80)}", which is a directory')


def _check_known(known: int, kind: Kind) -> None:
    if known != _IMPLIED:
        raise Fault("appears twice")
    if kind is not Kind.DIRECTORY:
        raise Fault("not a directory, but other entries are inside it")


def _too_many() -> Fault:
    return Fault(f"more than the limit of {limits.ARCHIVE_ENTRIES} entries")


def _check_top(entry: Entry) -> None:
    if entry.name == MANIFEST:
        if entry.kind is not Kind.FILE:
            raise Fault(f"must be a regular file, not a {entry.kind.value}")
        if entry.size > limits.MANIFEST_BYTES:
            raise Fault(f"larger than the limit of {limits.MANIFEST_BYTES} bytes")
    elif entry.name == ROOTFS or not entry.name:
        if entry.kind is not Kind.DIRECTORY:
            raise Fault(f"must be a directory, not a {entry.kind.value}")
    else:
        raise Fault("outside rootfs; an image holds only manifest and rootfs")
