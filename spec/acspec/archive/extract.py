"""Files of an image written into a tree: one layer over another, by descriptors, following no link.

The tree is the caller's own, but an app may see it meanwhile (`acrun cp`): whatever that puts there, nothing outside is touched.
What cannot be kept (an ordinary user owns no files of others and makes no devices) is counted, not an error. Nothing is made
durable here.

Source: ace.md, Filesystem Setup; aci.md, Image Archives ("all of their original properties").
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from acspec.archive.directory_log import DirectoryLog, DirectoryNote
from acspec.archive.entry import Archive, Entry, Kind
from acspec.archive.layout import MANIFEST
from acspec.archive.losses import Losses
from acspec.archive.open_directories import OpenDirectories
from acspec.archive.xattrs import ACL_ACCESS, ACL_DEFAULT, ACLS, apply_xattrs, clear_xattrs, remove_xattr
from acspec.durable import change_mode, remove_tree, umasked
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.ownership import is_root
from acspec.typed import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE, _DIRECTORY, _HARD_LINK = Kind.FILE, Kind.DIRECTORY, Kind.HARD_LINK
_NODES = {Kind.FIFO: stat.S_IFIFO, Kind.CHARACTER_DEVICE: stat.S_IFCHR, Kind.BLOCK_DEVICE: stat.S_IFBLK}
_ROOTFS = b"rootfs/"

Pieces = Iterable[tuple[int, memoryview]]
# Calls what makes a file of a name in a directory, as often as it takes to have nothing in its way.
Put = Callable[[Callable[[int, bytes], None]], None]


class Donor(Protocol):
    """Another tree, whose files may stand for those that are just the same here."""

    def share(self, path: bytes, entry: Entry, pieces: Pieces, put: Put, /) -> Pieces | None:
        """Put a file of the donor's, or a clone of it, in the place of *path*, and return None; else return what is to be written.

        The file has the owner, mode, time and attributes of *entry*, and its content is *pieces*: all of them are compared. No two
        paths get the same file.

        Raises: what *pieces* raise; OSError.
        """


class TreeWriter:
    """Writes the rootfs of one image after another into one directory; used as a context manager, ended by `finish`."""

    def __init__(self, dir_fd: int, *, whole: bool = False) -> None:
        """Write below *dir_fd*, a directory that stays the caller's.

        With *whole* the directory becomes a layout, of one image: `manifest` and `rootfs`. Raises: OSError.
        """
        self.lost = Losses()
        self._above = b"" if whole else _ROOTFS
        self._root = dir_fd
        self._open_directories = OpenDirectories(dir_fd, self._note_implied)
        self._log = DirectoryLog()
        self._is_root = is_root()
        self._acls = False
        self._permitted = umasked(0o777)
        self._place: bytes | None = None  # a directory, and whom new files in it belong to
        self._owner = (-1, -1)
        self._donor: Donor | None = None
        remove_xattr(dir_fd, ACL_DEFAULT)  # or every file would inherit what no image asked for

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close what is open; the tree stays as it is."""
        self.close()

    def close(self) -> None:
        """Close what is open. May be called again."""
        self._open_directories.close()
        self._log.close()

    def add(
        self,
        reader: Archive,
        keep: Callable[[bytes], bool] | None = None,
        moved: Mapping[bytes, bytes] | None = None,
        donor: Donor | None = None,
    ) -> None:
        """Write the rootfs of an image over what is there, but for files that *donor* has.

        *keep* says of an absolute path inside the rootfs (`/bin/sh`) whether it is wanted. *moved* gives paths (without the slash
        at their start) of files that are not wanted, but for whose sake a hard link is: the content goes there (see `links`).

        Raises: FormatError from the archive, or for names that the file system cannot hold; OSError with the entry's name.
        Source: ace.md, Filesystem Setup.
        """
        self._donor = donor
        for entry in reader:
            if not entry.name or (self._above and entry.name == MANIFEST):
                continue
            path = entry.name[len(self._above) :]
            if keep is not None and path and not keep(b"/" + path):
                if not moved or path not in moved:
                    continue
                path = moved[path]
            try:
                self._write(path, entry, reader, moved or {})
            except OSError as error:
                raise _about(error, entry, reader.what) from error

    def _write(self, path: bytes, entry: Entry, reader: Archive, moved: Mapping[bytes, bytes]) -> None:
        if entry.kind is _DIRECTORY:
            self._write_directory(path, entry)
            return
        directory, _, name = path.rpartition(b"/")
        parent = self._open_directories.get(directory)
        if entry.kind is _HARD_LINK:
            target = entry.link_name[len(self._above) :]
            self._write_link(path, parent, name, moved.get(target, target))
        elif entry.kind is _FILE:
            self._write_file(path, directory, parent, name, entry, reader)
        elif entry.kind is Kind.SYMLINK:
            self._make(path, parent, name, lambda: os.symlink(entry.link_name, name, dir_fd=parent))
            self._set_by_name(parent, name, entry)
        else:
            self._write_node(path, parent, name, entry)

    def _make(self, path: bytes, parent: int, name: bytes, make: Callable[[], object]) -> None:
        """Call *make*, which refuses a name that is taken; then take away what earlier layers left there, and call it again."""
        try:
            make()
        except FileExistsError:
            self._remove(path, parent, name)
            make()

    def _remove(self, path: bytes, parent: int, name: bytes) -> None:
        try:
            os.unlink(name, dir_fd=parent)
        except IsADirectoryError:
            self._open_directories.forget(path)
            remove_tree(os.fsdecode(name), dir_fd=parent)

    def _write_directory(self, path: bytes, entry: Entry) -> None:
        if self._make_directory(path):
            descriptor = self._open_directories.get(path)
        else:  # one from an earlier layer, or something that gives way to a directory
            descriptor = self._open_directories.get(path)
            clear_xattrs(descriptor)
        status = os.fstat(descriptor)
        self._own(descriptor, entry, (status.st_uid, status.st_gid))
        self._place = None  # new files may be its group's
        if entry.xattrs:
            self.lost.add_xattrs(apply_xattrs(descriptor, {k: v for k, v in entry.xattrs.items() if k not in ACLS}))
        acl, default = entry.xattrs.get(ACL_ACCESS), entry.xattrs.get(ACL_DEFAULT)
        self._acls = self._acls or acl is not None or default is not None
        self._log.add(DirectoryNote(path, entry.mode, entry.mtime_ns, acl, default))

    def _make_directory(self, path: bytes) -> bool:
        """Make the directory *path* and return True, or False when the name is taken."""
        directory, _, name = path.rpartition(b"/")
        try:
            os.mkdir(name or b".", 0o700, dir_fd=self._open_directories.get(directory))
        except FileExistsError:
            return False
        return True

    def _note_implied(self, path: bytes) -> None:
        self._log.add(DirectoryNote(path, 0o755, 0, None, None))
        self._place = None

    def _write_file(self, path: bytes, directory: bytes, parent: int, name: bytes, entry: Entry, reader: Archive) -> None:
        pieces: Pieces = reader.read_pieces(entry)
        if self._donor is not None and entry.size:
            rest = self._share(self._donor, path, parent, name, entry, pieces)
            if rest is None:
                return
            pieces = rest
        # With the mode that it shall have, which saves a call; but attributes can be set only while its owner may write to it.
        made = 0o600 if entry.xattrs else entry.mode & self._permitted
        try:
            descriptor = os.open(name, _NEW_FILE, made, dir_fd=parent)
        except FileExistsError:
            self._remove(path, parent, name)
            descriptor = os.open(name, _NEW_FILE, made, dir_fd=parent)
        try:
            owner = self._find_owner(directory, descriptor)
            if entry.size:
                _write_content(descriptor, pieces, entry.size)
            mode = self._own(descriptor, entry, owner)
            if entry.xattrs:  # before the mode, which must come out exact
                self.lost.add_xattrs(apply_xattrs(descriptor, entry.xattrs))
            if mode != made or entry.xattrs:
                os.fchmod(descriptor, mode)
            os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(descriptor)

    def _share(self, donor: Donor, path: bytes, parent: int, name: bytes, entry: Entry, pieces: Pieces) -> Pieces | None:
        """Have *donor* make the file of *entry* and return None, or return what is to be written."""
        kept = entry
        if not self._is_root:  # where nothing is ever given away, all belongs to whom the top belongs to
            top = os.fstat(self._root)
            mode = Losses().keep_owner(entry, top.st_uid, top.st_gid)
            kept = entry._replace(uid=top.st_uid, gid=top.st_gid, mode=mode)
        rest = donor.share(path, kept, pieces, lambda make: self._make(path, parent, name, lambda: make(parent, name)))
        if rest is None:
            self.lost.keep_owner(entry, kept.uid, kept.gid)
        return rest

    def _find_owner(self, directory: bytes, descriptor: int) -> tuple[int, int]:
        """Return whom a file just made in *directory* belongs to: one like the other, so the kernel is asked once a directory."""
        if directory != self._place:
            status = os.fstat(descriptor)
            self._place, self._owner = directory, (status.st_uid, status.st_gid)
        return self._owner

    def _own(self, descriptor: int, entry: Entry, owner: tuple[int, int]) -> int:
        """Give a file of *owner* its own one and return the mode it may have: without the powers of one that it did not get."""
        if owner == (entry.uid, entry.gid):
            return entry.mode
        if self._is_root:
            try:
                os.fchown(descriptor, entry.uid, entry.gid)
                return entry.mode
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EINVAL):  # EINVAL: an id outside the user namespace
                    raise
        return self.lost.keep_owner(entry, *owner)

    def _write_link(self, path: bytes, parent: int, name: bytes, target: bytes) -> None:
        if target == path:  # the content came here in place of the link
            return
        directory, _, target_name = target.rpartition(b"/")
        held = os.dup(parent)  # the way to the target may close the descriptor of the parent
        try:
            source = self._open_directories.get(directory)
            self._make(
                path,
                held,
                name,
                lambda: os.link(target_name, name, src_dir_fd=source, dst_dir_fd=held, follow_symlinks=False),
            )
        except FileNotFoundError:
            if not self.lost.devices:
                raise
            self.lost.devices += 1  # its target is one of those that could not be made
        finally:
            os.close(held)

    def _write_node(self, path: bytes, parent: int, name: bytes, entry: Entry) -> None:
        device = os.makedev(entry.major, entry.minor)
        try:
            self._make(path, parent, name, lambda: os.mknod(name, 0o600 | _NODES[entry.kind], device, dir_fd=parent))
        except PermissionError:
            if entry.kind is Kind.FIFO:
                raise
            self.lost.devices += 1
            return
        self._set_by_name(parent, name, entry)

    def _set_by_name(self, parent: int, name: bytes, entry: Entry) -> None:
        """Set what belongs to a symbolic link, a device or a FIFO just made, none of which is ever opened."""
        mode = entry.mode
        try:
            if self._is_root:
                os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
            else:
                mode = self.lost.keep_owner(entry, os.geteuid(), os.getegid())
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EINVAL):
                raise
            mode = self.lost.keep_owner(entry, -1, -1)
        if entry.xattrs:
            self.lost.add_xattrs(apply_xattrs(f"/proc/self/fd/{parent}/{os.fsdecode(name)}", entry.xattrs))
        if entry.kind is not Kind.SYMLINK:
            change_mode(name, mode, dir_fd=parent)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)

    def finish(self) -> None:
        """Give all directories their modes, times and ACLs, and close. Raises: OSError."""
        locked: dict[bytes, DirectoryNote] = {}
        for note in self._log:
            if self._is_root or note.mode & 0o700 == 0o700:
                locked.pop(note.path, None)
                self._settle(note, note.mode)
            else:  # whoever is not root is kept out by such a mode: it comes last
                locked[note.path] = note
                self._settle(note, note.mode | 0o700)
        for path in sorted(locked, key=lambda path: path.count(b"/") if path else -1, reverse=True):
            self._settle(locked[path], locked[path].mode)
        self.close()

    def _settle(self, note: DirectoryNote, mode: int) -> None:
        descriptor = self._open_directories.find(note.path)
        if descriptor is None:  # a later layer has put something else there
            return
        if self._acls:
            for name, value in ((ACL_ACCESS, note.acl), (ACL_DEFAULT, note.default_acl)):
                remove_xattr(descriptor, name)
                if value is not None:
                    self.lost.add_xattrs(apply_xattrs(descriptor, {name: value}))
        os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(note.mtime_ns, note.mtime_ns))


def _write_content(descriptor: int, pieces: Pieces, size: int) -> None:
    """Write *pieces* into an empty file and make it *size* bytes long; what is not written is a hole."""
    end = 0
    for start, data in pieces:
        end = start + len(data)
        done = start + os.pwrite(descriptor, data, start)
        while done < end:
            done += os.pwrite(descriptor, data[done - start :], done)
    if end < size:
        os.ftruncate(descriptor, size)


def _about(error: OSError, entry: Entry, what: str) -> Exception:
    """Return *error* as one that names the entry instead of the last component of its path."""
    if error.errno == errno.ENAMETOOLONG:
        return FormatError(what, f'entry "{escape(entry.name)}": a name or target longer than the file system allows')
    return OSError(error.errno, error.strerror, entry.name)
