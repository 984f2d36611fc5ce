"""Files that one tree has from another: compared with what an image says of them, byte by byte, then cloned or linked.

A clone (reflink) has an inode of its own; where the file system makes none, both trees have one inode, which does no harm, as no
file of a rendered tree is ever changed. Nothing is believed of the other tree: a file that is not what it should be is left there,
and the one that comes is written. Which tree may have such files is `donors`' to say.

Source: ioctl_ficlone(2); link(2); spec/store.md, Rendered trees.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator

from acspec.archive.entry import Entry
from acspec.archive.extract import Pieces, Put
from acspec.archive.open_directories import OPEN_DIRECTORY, OpenDirectories
from acspec.archive.path_table import PathTable
from acspec.archive.xattrs import apply_xattrs, is_applied, read_xattrs

FICLONE = 0x40049409  # _IOW(0x94, 9, int)
# An inode of ext4 may have 65,000 names. After so many trees a new one is begun, and the image's own links have room.
MOST_NAMES = 1_000
# Smaller files are written in less time than they are cloned in, and many of them lie in the inode.
LEAST_CLONE = 16 * 1024

Piece = tuple[int, memoryview]

_WINDOW = 64 * 1024  # what is compared at once: it stays in the processor's cache
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Why a file that is there and the same may not be shared all the same.
_REFUSALS = frozenset(
    (errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOENT, errno.ENOTSUP, errno.ENOTTY, errno.EINVAL)
)


class SharingTree:
    """A donor: a complete tree whose files may be those of a tree that is being made; `close` must be called."""

    __slots__ = ("_buffer", "_clones", "_directory", "_file", "_given", "_lock", "_parent", "_root", "_way")

    def __init__(self, lock: int, given: PathTable, *, clones: bool) -> None:
        """Share files, as clones or by links, of the tree whose directory *lock* is a descriptor of, which is closed with this.

        *given* are the inodes that the tree being made has by links, whichever donor they are from: no inode is given twice, since
        two files of an image that are not links to each other must not become one.

        Raises: OSError.
        """
        self._root = os.open("rootfs", OPEN_DIRECTORY, dir_fd=lock)
        self._lock = lock
        self._way = OpenDirectories(self._root)
        self._given = given
        self._clones = clones
        self._directory: bytes | None = None  # where the last file was sought
        self._parent: int | None = None
        self._file = -1  # the last one that was looked into
        self._buffer = bytearray(_WINDOW)

    def close(self) -> None:
        """Close what is open, and let go of the tree."""
        self._leave()
        self._way.close()
        os.close(self._root)
        os.close(self._lock)

    def _leave(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def share(self, path: bytes, entry: Entry, pieces: Pieces, put: Put, /) -> Pieces | None:
        """Put the file that the tree has at *path*, or a clone, in its place and return None; else return what is to be written.

        Raises: what *pieces* raise; OSError.
        Source: link(2); ioctl_ficlone(2).
        """
        self._leave()
        directory, _, name = path.rpartition(b"/")
        if (self._clones and entry.size < LEAST_CLONE) or (parent := self._enter(directory)) is None:
            return pieces
        if (status := self._open(parent, name, entry)) is None:
            return pieces
        rest = iter(pieces)
        agreed, other = self._compare(rest)
        if other is not None or agreed != entry.size or not self._put(put, parent, name, entry):
            return self._go_on(agreed, other, rest)
        if not self._clones:
            self._given.put(_number(status), 1)
        return None

    def _enter(self, directory: bytes) -> int | None:
        if directory != self._directory:
            self._directory, self._parent = directory, None
            try:
                self._parent = self._way.find(directory)
            except OSError:  # a mode that keeps its owner out
                pass
        return self._parent

    def _open(self, parent: int, name: bytes, entry: Entry) -> os.stat_result | None:
        """Open the file that may be shared if its content is that of *entry* and return its status; None where there is none."""
        try:
            # Looked at before it is opened: it may be a device.
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if not _is_like(status, entry) or not (self._clones or self._may_link(status)):
                return None
            self._file = os.open(name, _READ, dir_fd=parent)
            return status if _has_attributes(self._file, entry) else None
        except OSError:  # whatever it is, the file is not to be had
            return None

    def _may_link(self, status: os.stat_result) -> bool:
        return status.st_nlink == 1 or (status.st_nlink < MOST_NAMES and not self._given.get(_number(status)))

    def _compare(self, pieces: Iterator[Piece]) -> tuple[int, Piece | None]:
        """Return how many bytes are the same, and the piece that is not, None at the end. Nothing behind a hole is."""
        end = 0
        for start, data in pieces:
            if start != end or not self._is_there(start, data):
                return end, (start, data)
            end += len(data)
        return end, None

    def _is_there(self, start: int, data: memoryview) -> bool:
        for place in range(0, len(data), _WINDOW):
            part = data[place : place + _WINDOW]
            # A bytearray is compared as memory, a memoryview number by number.
            found = self._buffer if len(part) == _WINDOW else bytearray(len(part))
            try:
                size = os.preadv(self._file, [found], start + place)
            except OSError:  # a bad place on the disk
                return False
            if size != len(part) or found != part:
                return False
        return True

    def _go_on(self, agreed: int, other: Piece | None, rest: Iterator[Piece]) -> Iterator[Piece]:
        """Yield what has gone by and was the same, from the donor's file, then the piece that was not, then the rest."""
        for start in range(0, agreed, _WINDOW):
            size = min(_WINDOW, agreed - start)
            data = os.pread(self._file, size, start)
            if len(data) != size:
                raise OSError(errno.EIO, "became shorter")
            yield start, memoryview(data)
        if other is not None:
            yield other
        yield from rest

    def _put(self, put: Put, parent: int, name: bytes, entry: Entry) -> bool:
        def make(directory: int, new: bytes) -> None:
            if self._clones:
                _clone(self._file, directory, new, entry)
            else:
                os.link(name, new, src_dir_fd=parent, dst_dir_fd=directory, follow_symlinks=False)

        try:
            put(make)
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            return False
        return True


def can_clone(source: int, directory: int) -> bool:
    """Tell whether the file system of *directory* makes clones of what is in the file *source*. Raises: OSError.

    Source: ioctl_ficlone(2); open(2), O_TMPFILE.
    """
    try:
        trial = os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=directory)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            raise
        return False
    try:
        fcntl.ioctl(trial, FICLONE, source)
    except OSError:
        return False
    finally:
        os.close(trial)
    return True


def _number(status: os.stat_result) -> bytes:
    return b"%d" % status.st_ino


def _is_like(status: os.stat_result, entry: Entry) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        and (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)
        and (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (entry.mode, entry.uid, entry.gid)
    )


def _has_attributes(descriptor: int, entry: Entry) -> bool:
    """Tell whether a file has the attributes of *entry*, and none besides but labels of the host."""
    names = os.listxattr(descriptor)
    if not names:
        return not entry.xattrs
    known = all(is_applied(name) or name.startswith(b"security.") for name in map(os.fsencode, names))
    return known and read_xattrs(descriptor) == entry.xattrs


def _clone(source: int, directory: int, name: bytes, entry: Entry) -> None:
    """Make *name* in *directory*: a file with the content of *source* and all that *entry* says. Raises: OSError."""
    descriptor = os.open(name, _NEW, 0o600, dir_fd=directory)
    try:
        fcntl.ioctl(descriptor, FICLONE, source)
        os.fchown(descriptor, entry.uid, entry.gid)
        if apply_xattrs(descriptor, entry.xattrs):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        os.fchmod(descriptor, entry.mode)
        os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
    except BaseException:
        os.unlink(name, dir_fd=directory)
        raise
    finally:
        os.close(descriptor)
