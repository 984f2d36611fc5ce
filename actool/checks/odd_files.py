"""Files that are odd in any image, whatever its manifest says: counted, and the first of each sort remembered by name.

Source: chmod(1), Setuid and setgid bits; mknod(2); overlayfs.rst, whiteouts and opaque directories.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec.archive.entry import Entry, Kind
from acspec.escape import escape
from actool.checks.reports import Diagnostic, warning

NAMED = 5
DEVICES = (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE)
ODD_BITS = 0o6002

_SETUID = 0o6000
_WRITABLE = 0o002
_STICKY = 0o1000
_RESTORED = (b"user.", b"security.capability")  # the attributes that rkt knows


class Samples:
    """How many files there are of one sort, and the names of the first."""

    __slots__ = ("count", "names")

    def __init__(self) -> None:
        self.count = 0
        self.names: list[bytes] = []

    def add(self, name: bytes) -> None:
        """Count a file."""
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(name)

    def describe_others(self) -> str:
        """Return the files behind the first in words: ` (as are 6 more: rootfs/bin/mount, …)`, nothing when there are none."""
        if self.count < 2:
            return ""
        names = ", ".join(escape(name) for name in self.names[1:])
        rest = self.count - len(self.names)
        return f", as {'is' if self.count == 2 else 'are'} {names}{f' and {rest:,} more' if rest else ''}"


class OddFiles:
    """The odd files of one image."""

    __slots__ = ("_devices", "_named", "_setuid", "_whiteouts", "_writable", "_xattrs")

    def __init__(self) -> None:
        self._setuid = Samples()
        self._writable = Samples()
        self._devices = Samples()
        self._whiteouts = Samples()
        self._named = Samples()
        self._xattrs = Samples()

    def add_rare(self, entry: Entry) -> None:
        """Look at *entry*, whose name is not ASCII, or which has extended attributes."""
        if not entry.name.isascii() and not _is_utf8(entry.name):
            self._named.add(entry.name)
        if any(not name.startswith(_RESTORED) for name in entry.xattrs):
            self._xattrs.add(entry.name)

    def add(self, entry: Entry) -> None:
        """Look at *entry*, which has one of the odd bits or is a device."""
        if entry.kind in DEVICES:
            sort = self._whiteouts if entry.kind is Kind.CHARACTER_DEVICE and entry.major == entry.minor == 0 else self._devices
            sort.add(entry.name)
        elif entry.kind is Kind.FILE:
            if entry.mode & _SETUID:
                self._setuid.add(entry.name)
            if entry.mode & _WRITABLE:
                self._writable.add(entry.name)
        elif entry.kind is Kind.DIRECTORY and entry.mode & (_WRITABLE | _STICKY) == _WRITABLE:
            self._writable.add(entry.name)

    def find_all(self) -> Iterator[Diagnostic]:
        """Return a warning for each sort that there is, at the first file of it."""
        for rule, samples, why in (
            ("setuid-file", self._setuid, "is setuid or setgid"),
            ("world-writable", self._writable, "can be written by everybody"),
            ("device-node", self._devices, "is a device, which executors bring themselves"),
            ("whiteout", self._whiteouts, "is character device 0:0, which an overlay takes for a file that is not there"),
            ("rkt-loses", self._named, "is left out by rkt (its name is not UTF-8)"),
            (
                "rkt-loses",
                self._xattrs,
                "is stripped by rkt of attributes other than user.* and security.capability",
            ),
        ):
            if samples.count:
                yield warning(rule, why + samples.describe_others(), entry=samples.names[0])


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
