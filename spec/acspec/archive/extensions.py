"""What stands before an entry's own header (pax headers, GNU's long names), and the entry that all of it makes.

One reading of each combination is defined; the others, on which readers disagree, are refused.

Source: POSIX.1-2017, pax; GNU tar manual, Basic Tar Format (typeflags K and L).
"""

from __future__ import annotations

from acspec import limits
from acspec.archive import pax
from acspec.archive.entry import NO_XATTRS, Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK, Header, find_repeated, parse_number
from acspec.archive.member_names import is_normal, normalise
from acspec.archive.sparse import Announcement, parse_old_header
from acspec.archive.stream import TarStream
from acspec.escape import escape

PAX = b"x"
PAX_GLOBAL = b"g"
GNU_NAME = b"L"
GNU_LINK = b"K"
GNU_SPARSE = b"S"
EXTENSIONS = frozenset((PAX, PAX_GLOBAL, GNU_NAME, GNU_LINK))

_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,  # contiguous: how it lies on a disk, nothing else
    GNU_SPARSE: Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.CHARACTER_DEVICE,
    b"4": Kind.BLOCK_DEVICE,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
}
# Nearly every entry is of one of these, and looking a member of an enumeration up in its class takes as long as all else with it.
_FILE, _DIRECTORY = Kind.FILE, Kind.DIRECTORY
_new_tuple = tuple.__new__
_MAJOR_MAX = 2**12 - 1
_MINOR_MAX = 2**20 - 1


class Extensions:
    """The headers that came since the last entry, and the global ones; emptied by `make_entry`."""

    __slots__ = ("_extended", "_global", "_link", "_name", "_silent")

    def __init__(self) -> None:
        self._global = pax.NOTHING
        self._clear()

    def _clear(self) -> None:
        self._extended: pax.Extended | None = None
        self._name: bytes | None = None
        self._link: bytes | None = None
        self._silent = self._global is pax.NOTHING

    @property
    def pending(self) -> bool:
        """True while something has been said of an entry that has not come yet."""
        return self._extended is not None or self._name is not None or self._link is not None

    def add(self, type_flag: bytes, data: bytes) -> None:
        """Take in one header of the types in EXTENSIONS with its *data*. Raises: Fault."""
        self._silent = False
        if type_flag == PAX_GLOBAL:
            if self.pending:
                raise Fault("a global header between an extended header and its entry")
            self._global = pax.parse_global(data, self._global)
        elif type_flag == PAX:
            if self.pending:
                raise Fault("two extended headers for one entry")
            self._extended = pax.parse_extended(data, self._global)
        elif self._extended is not None:
            raise Fault("GNU's and pax's long names for one entry")
        elif type_flag == GNU_NAME:
            self._name = _add_once(self._name, data)
        else:
            self._link = _add_once(self._link, data)

    def name_of(self, header: Header) -> bytes:
        """Return the name of the entry of *header*, spelt as the archive spells it."""
        if self._name is not None:
            return self._name
        if self._extended is not None and self._extended.path is not None:
            return self._extended.path
        return header.name

    def sparse_of(self, header: Header) -> Announcement | None:
        """Return what is said of the holes in the file of *header*, None where nothing is. Raises: Fault."""
        if header.type_flag == GNU_SPARSE:
            if self._extended is not None:
                raise Fault("a sparse file in GNU's old format, after a pax header")
            return parse_old_header(header.block)
        return None if self._extended is None else self._extended.sparse

    def take_plain(self, stream: TarStream) -> Entry | None:
        """Take the next header from *stream* and return its entry, or take nothing and return None: it has to go the long way.

        The short way is for files and directories of which nothing but a header like those before speaks: for most of an archive.
        What is wrong is left to the long way (`add`, `make_entry`), which has the words for it.

        Source: POSIX.1-2017, pax, ustar Interchange Format.
        """
        if not self._silent or (found := find_repeated(stream.chunk, stream.position)) is None:
            return None
        name, flag, mode, uid, gid, size, time = found
        if flag == b"0":
            kind = _FILE
        elif flag == b"5" and not size:
            kind, name = _DIRECTORY, name.removesuffix(b"/")
        else:
            return None
        if not is_normal(name):
            return None
        stream.position += BLOCK
        offset = stream.base + stream.position
        # Not by its class, which makes a tuple in twice the time.
        return _new_tuple(Entry, (name, kind, mode, uid, gid, time * 1_000_000_000, size, b"", 0, 0, NO_XATTRS, offset))

    def make_entry(self, header: Header, data_offset: int) -> Entry:
        """Return the entry that *header* and what came before it describe, as if it had no holes. Raises: Fault.

        Source: POSIX.1-2017, pax, pax Extended Header Keyword Precedence.
        """
        said = self._global if self._extended is None else self._extended
        name = self.name_of(header)
        link = self._link if self._link is not None else header.link_name if said.link_path is None else said.link_path
        self._clear()
        kind = _kind(header.type_flag, name)
        size = header.size if said.size is None else said.size
        if size and kind is not Kind.FILE:
            raise Fault(f"data after a {kind.value}")
        if said.sparse is not None and kind is not Kind.FILE:
            raise Fault(f"a {kind.value} that is said to be sparse")
        major, minor = _device(header) if kind in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE) else (0, 0)
        return Entry(
            normalise(name),
            kind,
            header.mode,
            header.uid if said.uid is None else said.uid,
            header.gid if said.gid is None else said.gid,
            header.mtime * 1_000_000_000 if said.mtime_ns is None else said.mtime_ns,
            size,
            _link_name(kind, link) if kind in (Kind.SYMLINK, Kind.HARD_LINK) else b"",
            major,
            minor,
            said.xattrs or NO_XATTRS,
            data_offset,
        )


def parse_long_name(data: bytes) -> bytes:
    """Return the name in the data of a GNU long name or link: all up to the zero byte that ends it.

    Raises: Fault.
    Source: GNU tar manual, Basic Tar Format.
    """
    name = data.removesuffix(b"\0")
    if b"\0" in name:
        raise Fault("a long name holds a zero byte")
    return name


def _add_once(known: bytes | None, data: bytes) -> bytes:
    if known is not None:
        raise Fault("two long names for one entry")
    return parse_long_name(data)


def _kind(type_flag: bytes, name: bytes) -> Kind:
    kind = _KINDS.get(type_flag)
    if kind is None:
        raise Fault(f'an entry of the unknown type "{escape(type_flag)}": not what an image may hold')
    if name.endswith(b"/") and kind is not Kind.DIRECTORY:
        if type_flag == b"\0":  # how archives older than POSIX tell a directory
            return Kind.DIRECTORY
        raise Fault(f"a {kind.value} whose name ends in a slash")
    return kind


def _link_name(kind: Kind, link: bytes) -> bytes:
    if kind is Kind.HARD_LINK:
        try:
            return normalise(link)
        except Fault as fault:
            raise Fault(f'hard link to "{escape(link, 80)}": {fault}') from None
    if not link:
        raise Fault("a symbolic link without a target")
    if len(link) > limits.NAME_BYTES:
        raise Fault(f"the target is longer than the limit of {limits.NAME_BYTES} bytes")
    return link


def _device(header: Header) -> tuple[int, int]:
    return parse_number(header.major, "major", 0, _MAJOR_MAX), parse_number(header.minor, "minor", 0, _MINOR_MAX)
