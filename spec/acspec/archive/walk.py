"""A layout directory read as the entries of an image: `manifest`, `rootfs`, and all below it in the order of their names.

By directory descriptors, no link is followed, and any depth is fine. Of several names of one file the first gets the content, the
others are hard links to it.

Source: aci.md, Image Layout and Image Archives.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping

from acspec import limits
from acspec.archive.descents import Descents
from acspec.archive.entry import NO_XATTRS, Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.layout import MANIFEST, ROOTFS, Layout
from acspec.archive.member_names import normalise
from acspec.archive.xattrs import read_xattrs
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.jsontext import read_limited

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


class LayoutWalk:
    """Iterates over the entries of a layout, each held to the rules that readers hold archives to."""

    def __init__(self, layout: int, what: str, *, refused: tuple[int, int] | None = None) -> None:
        """Walk the directory *layout*, a descriptor; *what* names it in errors.

        The file of the device and inode *refused*, the output itself, must not be in it.
        """
        self._what = what
        self._place = b""
        self._refused = refused
        self._links: dict[tuple[int, int], bytes] = {}
        self._descents = Descents(layout, _no_directory)
        self._layout = layout

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
            raise FormatError(self._what, f'"{escape(self._place)}": {fault}' if self._place else str(fault)) from None
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from error
        finally:
            self._descents.close()

    @property
    def path(self) -> str:
        """The path of the entry that the walk has come to."""
        return os.path.join(self._what, os.fsdecode(self._place))

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
                names = os.listdir(self._descents.get(path))
                stack.extend(sorted((path + b"/" + os.fsencode(name) for name in names), reverse=True))

    def _check_top(self) -> None:
        names = {os.fsencode(name) for name in os.listdir(self._layout)}
        for name in (MANIFEST, ROOTFS):
            if name not in names:
                raise Fault(f"not an image layout: there is no {name.decode()} in it")
        for name in sorted(names - {MANIFEST, ROOTFS}):
            self._place = name
            raise Fault("outside rootfs; a layout holds only manifest and rootfs")

    def _read(self, path: bytes) -> tuple[Entry, int]:
        directory, _, name = path.rpartition(b"/")
        parent = self._descents.get(directory)
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return self._read_other(path, name, parent, status), -1
        descriptor = os.open(name, _READ, dir_fd=parent)
        try:
            return self._read_file(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    def _read_file(self, path: bytes, descriptor: int) -> tuple[Entry, int]:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Fault("was replaced while the layout was read")
        if (status.st_dev, status.st_ino) == self._refused:
            raise Fault("the output is inside the layout")
        if status.st_nlink > 1 and path != MANIFEST:
            first = self._links.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                return _entry(path, Kind.HARD_LINK, status, link_name=first), descriptor
        return _entry(path, Kind.FILE, status, size=status.st_size, xattrs=read_xattrs(descriptor)), descriptor

    def _read_other(self, path: bytes, name: bytes, parent: int, status: os.stat_result) -> Entry:
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            raise Fault("a socket, which an archive cannot hold")
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
    try:
        descriptor = os.open(MANIFEST, _READ, dir_fd=layout)
    except FileNotFoundError:
        raise FormatError(what, "not an image layout: there is no manifest in it") from None
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):  # a link; a socket
            raise OSError(error.errno, error.strerror, os.path.join(what, "manifest")) from error
        raise _irregular(what) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _irregular(what)
        return read_limited(descriptor, limits.MANIFEST_BYTES)
    finally:
        os.close(descriptor)


def _irregular(what: str) -> FormatError:
    return FormatError(os.path.join(what, "manifest"), "must be a regular file")


def check_layout(layout: int, what: str) -> int:
    """Check that the directory *layout*, a descriptor, can be written as an image, and return the number of its entries.

    Raises: FormatError for what an image cannot hold; OSError with the path.
    Source: aci.md, Image Layout.
    """
    return sum(1 for _ in LayoutWalk(layout, what))


def _no_directory(_: bytes) -> None:
    raise AssertionError("a walk makes no directory")
