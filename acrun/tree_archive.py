"""Files of a tree read like an archive, to be written into another tree, into an image, or as a plain tar.

The tree may be an app's own, and the app may run meanwhile: only regular files are ever opened, no more is read of one than it had
when it was looked at, and what goes meanwhile is left out.

Source: spec/image-archive.md, Writing.
"""

from __future__ import annotations

import errno
import os
import stat

from acspec import limits
from acspec.archive.entry import NO_XATTRS, Entry, Kind
from acspec.archive.first_names import FirstNames
from acspec.archive.xattrs import CAPABILITY, read_xattrs
from acspec.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from acrun.idmap import Owners
    from acrun.layered import Found, LayeredTree

_WINDOW = 1 << 20
_DEVICES = (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE)
# What opening a file comes to that has gone, or has become a link, a socket or a FIFO, since it was looked at.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
_POWERS = stat.S_ISUID | stat.S_ISGID


class LeftOut:
    """Counts of what was not taken along."""

    __slots__ = ("devices", "kernel", "powers", "sockets")

    def __init__(self) -> None:
        self.sockets = 0
        self.kernel = 0
        self.devices = 0
        self.powers = 0

    def __str__(self) -> str:
        """Return the counts in words, empty when there are none."""
        counts = (
            (self.sockets, "sockets"),
            (self.kernel, "file systems of the kernel"),
            (self.devices, "device nodes"),
            (self.powers, "set-user-ID bits, set-group-ID bits or file capabilities"),
        )
        return ", ".join(f"{what} ({count})" for count, what in counts if count)


class TreeArchive:
    """Iterates over what is at a path of a tree and below; used once."""

    def __init__(
        self,
        tree: LayeredTree,
        path: bytes,
        name: bytes,
        *,
        skipped: Container[int] = (),
        harmless: bool = False,
        owners: Owners | None = None,
    ) -> None:
        """Read what is at *path*, which is called *name* from then on; `b""` is for the contents of a directory alone.

        *skipped* are the numbers of file systems that stay out. When *harmless*, device nodes do, too, and no file brings powers
        along: what an app made must not become a way to them where anybody may use it. *owners* say who owners are inside the pod.
        """
        self.left_out = LeftOut()
        self._tree = tree
        self._path = path
        self._name = name
        self._skipped = skipped
        self._harmless = harmless
        self._owners = owners
        self._names = FirstNames()
        self._place = path
        self._descriptor = -1

    @property
    def what(self) -> str:
        """How errors name the file that the current entry is in."""
        return f"{self._tree.what}:/{os.fsdecode(self._place)}"

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries, each directory before what is in it, names in order.

        Raises: FormatError beyond the limits that images have; OSError with the path.
        Source: spec/limits.md.
        """
        try:
            yield from self._visit()
        finally:
            self._names.close()

    def _visit(self) -> Iterator[Entry]:
        stack, count, size = [self._path], 0, 0
        while stack:
            path = self._place = stack.pop()
            try:
                found = self._tree.find(path)
                if found is None or not self._is_wanted(found):
                    continue
                for entry in self._read(path, found):
                    count, size = count + 1, size + entry.size
                    if count > limits.ARCHIVE_ENTRIES or size > limits.IMAGE_UNPACKED_BYTES:  # an app may make more for ever
                        raise FormatError(self.what, "here are more files or bytes than the limits for images allow")
                    yield entry
                if found.is_directory:
                    below = path + b"/" if path else b""
                    stack.extend(below + name for name in reversed(self._tree.list(path)))
            except OSError as error:
                if error.errno not in _GONE:
                    raise OSError(error.errno, error.strerror, self.what) from error

    def read_pieces(self, entry: Entry) -> Iterator[tuple[int, memoryview]]:
        """Return the content of *entry*, the one that came last, in windows with the offset of each; holes are left out.

        Raises: OSError.
        """
        position = 0
        while position < entry.size:
            try:
                position = os.lseek(self._descriptor, position, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nothing but a hole, or the file has become shorter
                    raise
                return
            end = os.lseek(self._descriptor, position, os.SEEK_HOLE)
            while position < min(end, entry.size):
                data = os.pread(self._descriptor, min(_WINDOW, end - position, entry.size - position), position)
                if not data:
                    return
                yield position, memoryview(data)
                position += len(data)

    def _is_wanted(self, found: Found) -> bool:
        if found.status.st_dev in self._skipped:
            self.left_out.kernel += found.is_directory
        elif found.kind is None:
            self.left_out.sockets += 1
        elif found.kind in _DEVICES and self._harmless:
            self.left_out.devices += 1
        else:
            return True
        return False

    def _read(self, path: bytes, found: Found) -> Iterator[Entry]:
        """Give the entry for what was found at *path*, with its content at hand."""
        name = self._rename(path)
        if not name:
            return
        if found.kind not in (Kind.FILE, Kind.DIRECTORY):
            # By its name in its directory: a link is not followed, a device not opened.
            parent, own_name = self._tree.parent(path, found), os.fsdecode(path.rpartition(b"/")[2])
            yield self._make_entry(name, found, found.status, read_xattrs(f"/proc/self/fd/{parent}/{own_name}"))
            return
        descriptor = self._tree.open(path, found)
        try:
            status = os.fstat(descriptor)
            if stat.S_IFMT(status.st_mode) != stat.S_IFMT(found.status.st_mode):
                return  # something else by now
            self._descriptor = descriptor
            yield self._make_entry(name, found, status, read_xattrs(descriptor))
        finally:
            os.close(descriptor)

    def _rename(self, path: bytes) -> bytes:
        rest = path[len(self._path) :].lstrip(b"/")
        return b"/".join(part for part in (self._name, rest) if part)

    def _make_entry(self, name: bytes, found: Found, status: os.stat_result, xattrs: Mapping[bytes, bytes]) -> Entry:
        kind, mode = found.kind or Kind.FILE, stat.S_IMODE(status.st_mode)
        if self._harmless and kind is Kind.FILE and (mode & _POWERS or CAPABILITY in xattrs):
            mode, xattrs = mode & ~_POWERS, {key: value for key, value in xattrs.items() if key != CAPABILITY}
            self.left_out.powers += 1
        device = status.st_rdev if kind in _DEVICES else 0
        uid, gid = status.st_uid, status.st_gid
        if self._owners is not None:
            uid, gid = self._owners.uid(uid), self._owners.gid(gid)
        entry = Entry(
            name, kind, mode, uid, gid, status.st_mtime_ns, 0, found.link_name, os.major(device), os.minor(device), xattrs
        )
        if kind is not Kind.FILE:
            return entry
        first = self._names.add(status, name) if status.st_nlink > 1 else name
        if first != name:
            return entry._replace(kind=Kind.HARD_LINK, link_name=first, xattrs=NO_XATTRS)
        return entry._replace(size=status.st_size)
