"""A layout directory read as the entries of an image: `manifest`, `rootfs`, and all below it in the order of their names.

By directory descriptors, no link is followed, and any depth is fine. Of several names of one file the first gets the content, the
others are hard links to it. What the layout's file `.aciignore` names is left out, by every program alike.

Source: aci.md, Image Layout and Image Archives.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from acspec import limits
from acspec.archive.entry import NO_XATTRS, Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.first_names import FirstNames
from acspec.archive.ignore import IGNORE_FILE, Pattern, make_ignored, parse_patterns
from acspec.archive.layout import MANIFEST, ROOTFS, Layout
from acspec.archive.member_names import normalise
from acspec.archive.open_directories import OPEN_DIRECTORY, OpenDirectories
from acspec.archive.xattrs import read_xattrs
from acspec.errors import EntryError, FormatError
from acspec.escape import escape
from acspec.jsontext import read_limited
from acspec.typed import NamedTuple

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER_DEVICE,
    stat.S_IFBLK: Kind.BLOCK_DEVICE,
    stat.S_IFIFO: Kind.FIFO,
}
_DEVICES = (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE)
_PARTS = (MANIFEST, ROOTFS)
_SHOWN = 5  # strays that are named beside the first
_BELOW = len(ROOTFS) + 1  # where the path inside the root file system begins


class Given(NamedTuple):
    """A part of an image that lies outside its layout directory: a descriptor and the path that errors name."""

    descriptor: int
    path: str


class LayoutWalk:
    """Iterates over the entries of a layout, each held to the rules that readers hold archives to."""

    def __init__(
        self,
        layout: int,
        what: str,
        *,
        refused: tuple[int, int] | None = None,
        given: Mapping[bytes, Given] | None = None,
        patterns: Sequence[Pattern] = (),
    ) -> None:
        """Walk the directory *layout*, a descriptor; *what* names it in errors.

        The file of the device and inode *refused*, the output itself, must not be in it. Of `manifest` and `rootfs` those that are
        *given* are taken from there; with both, *layout* is not looked at. *patterns* come after those of the layout's own file.

        Raises: FormatError for a bad pattern; OSError.
        """
        self._what = what
        self._place = b""
        self._refused = refused
        self._names = FirstNames()
        self._layout = layout
        self._given = given or {}
        self._rootfs = -1
        self._open_directories: OpenDirectories | None = None
        own = [] if len(self._given) == len(_PARTS) else _read_patterns(layout, what)
        self._ignored = make_ignored([*own, *patterns])

    def __iter__(self) -> Iterator[tuple[Entry, int]]:
        """Return each entry with a descriptor of its content, -1 where there is none; it is valid until the next.

        Raises: FormatError for what an image cannot hold; OSError with the path.
        Source: aci.md, Image Layout and Image Archives.
        """
        rules = Layout()
        try:
            self._check_top()
            for entry, descriptor in self._visit():
                normalise(entry.name)
                rules.check(entry)
                yield entry, descriptor
        except Fault as fault:
            if self._place:
                raise EntryError(self._what, escape(self._place), str(fault), "") from None
            raise FormatError(self._what, str(fault)) from None
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from error
        finally:
            self._close()

    @property
    def path(self) -> str:
        """The path of the entry that the walk has come to."""
        top, slash, rest = self._place.partition(b"/")
        start = self._given[top].path if top in self._given else os.path.join(self._what, os.fsdecode(top))
        return os.path.join(start, os.fsdecode(rest)) if slash else start

    @property
    def unmatched(self) -> list[Pattern]:
        """The patterns that have fitted nothing that the walk has come to."""
        return [] if self._ignored is None else self._ignored.unmatched

    def _visit(self) -> Iterator[tuple[Entry, int]]:
        stack = [ROOTFS, MANIFEST]
        while stack:
            path = self._place = stack.pop()
            entry, descriptor = self._read(path)
            try:
                yield entry, descriptor
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            if entry.kind is Kind.DIRECTORY:
                stack.extend(sorted(self._list(path), reverse=True))

    def _list(self, directory: bytes) -> Iterator[bytes]:
        """Return the paths of what is in a directory and not ignored."""
        descriptor = self._open(directory)
        for text in os.listdir(descriptor):
            name = os.fsencode(text)
            path = directory + b"/" + name
            if self._ignored is None or not self._ignored.covers(path[_BELOW:], is_directory=_is_directory(name, descriptor)):
                yield path

    def _open(self, directory: bytes) -> int:
        """Return a descriptor of a directory of the layout, valid until the next call."""
        if not directory:
            return self._layout
        if self._open_directories is None:
            root = self._given.get(ROOTFS)
            descriptor = os.dup(root.descriptor) if root else os.open(ROOTFS, OPEN_DIRECTORY, dir_fd=self._layout)
            self._rootfs = descriptor
            self._open_directories = OpenDirectories(descriptor)
        return self._open_directories.get(directory[_BELOW:])

    def _close(self) -> None:
        self._names.close()
        if self._open_directories is not None:
            self._open_directories.close()
            self._open_directories = None
            os.close(self._rootfs)

    def _check_top(self) -> None:
        if len(self._given) == len(_PARTS):
            return
        names = {os.fsencode(name) for name in os.listdir(self._layout)}
        for name in _PARTS:
            if name not in names and name not in self._given:
                raise Fault(f"not an image layout: there is no {name.decode()} in it")
        strays = sorted(names - {*_PARTS, IGNORE_FILE})
        if strays:
            self._place = strays[0]
            raise Fault(f"outside rootfs{_name_others(strays[1:])}; a layout holds only manifest and rootfs")

    def _read(self, path: bytes) -> tuple[Entry, int]:
        if path in self._given:
            return self._read_given(path, self._given[path].descriptor)
        directory, _, name = path.rpartition(b"/")
        parent = self._open(directory)
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return self._read_other(path, name, parent, status), -1
        descriptor = os.open(name, _READ, dir_fd=parent)
        try:
            return self._read_file(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def _read_given(self, path: bytes, given: int) -> tuple[Entry, int]:
        status = os.fstat(given)
        if path == ROOTFS:
            return _entry(path, Kind.DIRECTORY, status, xattrs=read_xattrs(given)), -1
        os.lseek(given, 0, os.SEEK_SET)
        return self._read_file(path, os.dup(given))

    def _read_file(self, path: bytes, descriptor: int) -> tuple[Entry, int]:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Fault("was replaced while the layout was read")
        if (status.st_dev, status.st_ino) == self._refused:
            raise Fault("the output is inside the layout")
        if status.st_nlink > 1 and path != MANIFEST:
            first = self._names.add(status, path)
            if first != path:
                return _entry(path, Kind.HARD_LINK, status, link_name=first), descriptor
        return _entry(path, Kind.FILE, status, size=status.st_size, xattrs=read_xattrs(descriptor)), descriptor

    def _read_other(self, path: bytes, name: bytes, parent: int, status: os.stat_result) -> Entry:
        kind = kind_of(status.st_mode)
        # By its name in its directory: a link is not followed, a device not opened.
        xattrs = read_xattrs(f"/proc/self/fd/{parent}/{os.fsdecode(name)}")
        link = os.readlink(name, dir_fd=parent) if kind is Kind.SYMLINK else b""
        return _entry(path, kind, status, link_name=link, xattrs=xattrs)


def _entry(
    path: bytes,
    kind: Kind,
    status: os.stat_result,
    *,
    size: int = 0,
    link_name: bytes = b"",
    xattrs: Mapping[bytes, bytes] = NO_XATTRS,
) -> Entry:
    device = status.st_rdev if kind in _DEVICES else 0
    return Entry(
        path,
        kind,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_mtime_ns,
        size,
        link_name,
        os.major(device),
        os.minor(device),
        xattrs,
    )


def read_layout_manifest(layout: int, what: str) -> bytes:
    """Return the bytes of the manifest of the layout directory *layout*, a descriptor; *what* names it in errors.

    Raises: FormatError when there is none, or it is no regular file; OSError.
    Source: aci.md, Image Layout.
    """
    data = _read_file_of(layout, MANIFEST, what, limits.MANIFEST_BYTES)
    if data is None:
        raise FormatError(what, "not an image layout: there is no manifest in it")
    return data


def _read_patterns(layout: int, what: str) -> list[Pattern]:
    data = _read_file_of(layout, IGNORE_FILE, what, limits.IGNORE_FILE_BYTES)
    return parse_patterns(data, os.path.join(what, os.fsdecode(IGNORE_FILE))) if data is not None else []


def _read_file_of(layout: int, name: bytes, what: str, limit: int) -> bytes | None:
    """Return what is in the file *name* of a layout, None when there is none. Raises: FormatError; OSError."""
    path = os.path.join(what, os.fsdecode(name))
    irregular = FormatError(path, "must be a regular file")
    try:
        descriptor = os.open(name, _READ, dir_fd=layout)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            raise OSError(error.errno, error.strerror, path) from error
        raise irregular from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise irregular
        return read_limited(descriptor, limit)
    finally:
        os.close(descriptor)


def _is_directory(name: bytes, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _name_others(names: Sequence[bytes]) -> str:
    """Return the part of a sentence that the same is true of *names*, of which the first are named."""
    if not names:
        return ""
    shown = [f'"{escape(name)}"' for name in names[:_SHOWN]]
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    *first, last = [*shown, *more]
    return f", as {'is' if len(names) == 1 else 'are'} {', '.join(first)}{' and ' if first else ''}{last}"


def kind_of(mode: int) -> Kind:
    """Return the type of a file on a disk, of which *mode* is the mode. Raises: Fault for a socket.

    Source: inode(7).
    """
    kind = _KINDS.get(stat.S_IFMT(mode))
    if kind is None:
        raise Fault("a socket, which an archive cannot hold")
    return kind
