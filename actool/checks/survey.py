"""What lints have to know of a rootfs, gathered while its entries pass by: once, in any order, and in little memory.

What is concluded from it, is the business of `lints`.

Source: aci.md, Image Archives and Image Manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec import limits
from acspec.archive.entry import Entry, Kind
from acspec.archive.image import ImageReader
from acspec.archive.layout import MANIFEST
from acspec.archive.xattrs import ACL_ACCESS
from acspec.image_manifest import ImageManifest
from acspec.layer_plan import normalise_path
from acspec.typed import Protocol
from actool.checks.elf import Machine
from actool.checks.manifests import check_image_manifest
from actool.checks.odd_files import DEVICES, ODD_BITS, OddFiles
from actool.checks.programs import HEAD, Form, Program, parse_program
from actool.checks.reports import Diagnostic
from actool.checks.rootfs_index import PLAIN, ROOT, UNKNOWN, Node, RootfsIndex

PASSWD = b"rootfs/etc/passwd"
GROUP = b"rootfs/etc/group"

_INSIDE = ROOT + b"/"
_FILE = Kind.FILE  # a member of an enumeration is found slowly
_NOT_PLAIN = 0o6113  # of a regular file: somebody may execute it, or it is odd
_TARGETS = 32  # mount points that are watched for files below them
_MACHINES = 64


class Contents(Protocol):
    """The data of the entry that has come."""

    def read(self, entry: Entry, limit: int, /) -> bytes:
        """Return the first *limit* bytes of *entry*."""


class ImageContents:
    """Contents out of an archive."""

    def __init__(self, reader: ImageReader) -> None:
        self._reader = reader

    def read(self, entry: Entry, limit: int, /) -> bytes:
        """Return the first *limit* bytes of *entry*. Raises: FormatError; StorageError."""
        data = bytearray()
        for window in self._reader.read_chunks(entry):
            data += window[: limit - len(data)]
            if len(data) == limit:
                break
        return bytes(data)


class Survey:
    """What is known of the image or layout *name* so far."""

    def __init__(self, name: str) -> None:
        self.entries = 0
        self.manifest_bytes = b""
        self.manifest: ImageManifest | None = None
        self.manifest_findings: list[Diagnostic] = []
        self.index = RootfsIndex()
        self.databases: dict[bytes, bytes] = {}
        self.machines: dict[Machine, tuple[int, bytes]] = {}  # how many programs there are for each, and the first
        self.masked: dict[bytes, bytes] = {}  # mount points with the first file below each
        self._name = name
        self._odd = OddFiles()
        self._targets: tuple[bytes, ...] = ()

    def add(self, entry: Entry, contents: Contents) -> None:
        """Take in the next *entry*. Raises: what *contents* does."""
        self.entries += 1
        name = entry.name
        if not name.startswith(_INSIDE):
            self._add_top(entry, contents)
            return
        if entry.xattrs or not name.isascii():
            self._odd.add_rare(entry)
        if entry.kind is _FILE and not entry.mode & _NOT_PLAIN:
            code = PLAIN
            if name in (PASSWD, GROUP):
                self._read_database(entry, contents)
        else:
            code = self._look_at(entry, contents)
        self.index.put(name, code)
        if self._targets and name.startswith(self._targets):
            self._mask(entry)

    def find_odd_files(self) -> Iterator[Diagnostic]:
        """Return a warning for each sort of odd files that there is."""
        yield from self._odd.find_all()

    def _add_top(self, entry: Entry, contents: Contents) -> None:
        if entry.name == ROOT:
            self.index.put(ROOT, self.index.code_of(_describe(entry)))
        elif entry.name == MANIFEST:
            self.manifest_bytes = contents.read(entry, limits.MANIFEST_BYTES + 1)
            checked = check_image_manifest(self.manifest_bytes, self._name, MANIFEST.decode())
            self.manifest, self.manifest_findings = checked
            if self.manifest is not None and self.manifest.app is not None:
                # What is below them and came before the manifest, was not looked at.
                paths = [normalise_path(point.path) for point in self.manifest.app.mount_points]
                self._targets = tuple(ROOT + path.encode() + b"/" for path in paths[:_TARGETS] if path != "/")

    def _look_at(self, entry: Entry, contents: Contents) -> int:
        """Return the code of an entry that is more than a plain file."""
        if entry.mode & ODD_BITS or entry.kind in DEVICES:
            self._odd.add(entry)
        if entry.kind is Kind.HARD_LINK:
            return self.index.find_code(entry.link_name) or UNKNOWN
        if entry.kind is not Kind.FILE:
            return self.index.code_of(_describe(entry))
        if not entry.mode & 0o111:
            if entry.name in (PASSWD, GROUP):
                self._read_database(entry, contents)
            return PLAIN
        program = parse_program(contents.read(entry, HEAD))
        if program.form is Form.ELF and program.machine is not None:
            self._count_machine(program.machine, entry.name)
        return self.index.code_of(_describe(entry, program))

    def _read_database(self, entry: Entry, contents: Contents) -> None:
        data = contents.read(entry, limits.PASSWD_BYTES + 1)
        if len(data) <= limits.PASSWD_BYTES:
            self.databases[entry.name] = data

    def _count_machine(self, machine: Machine, name: bytes) -> None:
        count, first = self.machines.get(machine, (0, name))
        if count or len(self.machines) < _MACHINES:
            self.machines[machine] = count + 1, first

    def _mask(self, entry: Entry) -> None:
        if entry.kind is not Kind.DIRECTORY:
            target = next(target for target in self._targets if entry.name.startswith(target))
            self.masked[target[len(ROOT) : -1]] = entry.name
            self._targets = tuple(other for other in self._targets if other != target)


def _describe(entry: Entry, program: Program | None = None) -> Node:
    mode = entry.mode | 0o111 if ACL_ACCESS in entry.xattrs else entry.mode  # a list may let anybody in
    if entry.kind is Kind.SYMLINK:
        return Node(Kind.SYMLINK, link_name=entry.link_name)
    if entry.kind in (Kind.DIRECTORY, Kind.FILE):
        return Node(entry.kind, mode, entry.uid, entry.gid, program=program)
    return Node(entry.kind)
