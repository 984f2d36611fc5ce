"""Directories laid over each other and seen as one, as the kernel's overlay shows them, with no mount and no kernel work.

Everything is reached by directory descriptors, component by component, following no link: what is in these directories may be
hostile, and change at any moment. A single directory is seen as it is.

Source: kernel documentation, filesystems/overlayfs.rst (whiteouts and opaque directories, Merged directories).
"""

from __future__ import annotations

import errno
import os
import stat

from acspec.archive.entry import Kind
from acspec.archive.faults import Fault
from acspec.archive.lookup import NowhereError, resolve
from acspec.archive.open_directories import OPEN_DIRECTORY, OpenDirectories
from acspec.archive.walk import kind_of
from acspec.archive.xattrs import apply_xattrs, read_xattrs
from acspec.errors import MissingInputError, StorageError
from acspec.ownership import is_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# An app as an ordinary user's has the attributes of the second prefix.
_PREFIXES = ("trusted.overlay.", "user.overlay.")
# What the kernel writes when it is told to keep moved directories and bare changes of attributes apart: beyond this reader.
_UNREADABLE = ("redirect", "metacopy")
_MOST_KNOWN = 4096


class Found:
    """What stands at a path: its status, where a link leads, its layer; of a directory all that make it up, the top one first."""

    __slots__ = ("kind", "layers", "link_name", "status")

    def __init__(self, status: os.stat_result, layers: tuple[int, ...], link_name: bytes) -> None:
        self.status = status
        self.layers = layers
        self.link_name = link_name
        try:
            self.kind: Kind | None = kind_of(status.st_mode)
        except Fault:  # a socket
            self.kind = None

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind is Kind.DIRECTORY


class LayeredTree:
    """One directory, or an overlay's upper on its lower one: by descriptors, which are the tree's from now on."""

    def __init__(self, layers: Sequence[int], what: str) -> None:
        """See *layers* as one, the first on top; *what* names the tree in errors."""
        self.what = what
        self._layers = layers
        self._ways = [OpenDirectories(layer) for layer in layers]
        self._known: dict[bytes, tuple[int, ...]] = {}

    def close(self) -> None:
        """Close what is open. May be called again."""
        for way in self._ways:
            way.close()
        for layer in self._layers:
            os.close(layer)
        self._ways, self._layers = [], ()

    def find(self, path: bytes) -> Found | None:
        """Return what stands at *path*, which leads through no link; None where nothing does.

        Raises: StorageError when the kernel has written what cannot be read here; OSError.
        """
        if not path:
            return Found(os.fstat(self._layers[0]), tuple(range(len(self._layers))), b"")
        return self._look(path, self._find_layers(path.rpartition(b"/")[0]))

    def _look(self, path: bytes, around: Sequence[int]) -> Found | None:
        """Return what stands at *path*, in a directory that is made of the layers *around*."""
        directory, _, name = path.rpartition(b"/")
        found: Found | None = None
        for layer in around:
            status = self._stat(layer, directory, name)
            if status is None:
                continue
            if self._is_whiteout(status) or (found is not None and not stat.S_ISDIR(status.st_mode)):
                break
            if found is None:
                found = Found(status, (layer,), self._read_link(layer, directory, name, status))
            else:
                found.layers += (layer,)
            if not found.is_directory or self._is_opaque(layer, path):
                break
        return found

    def resolve(self, path: bytes, *, follow: bool = True) -> bytes:
        """Return where *path* leads through the links of the tree, as in a chroot; a link at its end stays one unless *follow*.

        Raises: MissingInputError when it leads nowhere; OSError.
        Source: path_resolution(7).
        """
        directory, _, name = path.rpartition(b"/")
        try:
            if follow or name in (b"", b".", b".."):
                return resolve(path or b"/", self.find)
            parent = resolve(directory or b"/", self.find)
        except NowhereError as error:
            raise MissingInputError(f"{self.what}:{os.fsdecode(path)}", str(error)) from None
        place = parent + b"/" + name if parent else name
        if self.find(place) is None:
            raise MissingInputError(f"{self.what}:{os.fsdecode(path)}", "no such file")
        return place

    def list(self, path: bytes) -> list[bytes]:
        """Return the names in the directory *path*, sorted. Raises: OSError."""
        names: set[bytes] = set()
        for layer in self._find_layers(path):
            descriptor = self._ways[layer].find(path)
            if descriptor is not None:
                names.update(map(os.fsencode, os.listdir(descriptor)))
        if len(self._layers) == 1:
            return sorted(names)
        below = path + b"/" if path else b""
        return sorted(name for name in names if self.find(below + name) is not None)

    def open(self, path: bytes, found: Found) -> int:
        """Return a descriptor of the regular file or directory that was found at *path*. Raises: OSError."""
        if not path:
            return os.dup(self._layers[0])
        directory, _, name = path.rpartition(b"/")
        parent = self._ways[found.layers[0]].find(directory)
        if parent is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return os.open(name, _READ, dir_fd=parent)

    def parent(self, path: bytes, found: Found) -> int:
        """Return a descriptor of the directory that holds what was found at *path*, valid until the next call. Raises: OSError."""
        descriptor = self._ways[found.layers[0]].find(path.rpartition(b"/")[0])
        if descriptor is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return descriptor

    def make_writable(self, path: bytes) -> int:
        """Return a descriptor of the directory *path* in the top layer, made there like those below it, as the kernel would.

        It is valid until the next call. Raises: OSError.
        Source: overlayfs.rst, "copy_up".
        """
        for end in [index for index, byte in enumerate(path) if byte == 0x2F] + [len(path)]:
            place = path[:end]
            if place and self._ways[0].find(place) is None:
                self._copy_up(place)
        descriptor = self._ways[0].find(path)
        if descriptor is None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return descriptor

    def put(self, source: int, name: bytes, path: bytes) -> None:
        """Move *name* from the directory *source*, on the file system of the top layer, to *path*, in place of any file.

        Raises: OSError.
        """
        directory, _, new_name = path.rpartition(b"/")
        held = os.dup(source)
        try:
            target = self.make_writable(directory)
            status = self._stat(0, directory, new_name)
            if status is not None and self._is_whiteout(status):
                _make_opaque(name, held)
                os.unlink(new_name, dir_fd=target)
            os.rename(name, new_name, src_dir_fd=held, dst_dir_fd=target)
            self._known.clear()
        finally:
            os.close(held)

    def _find_layers(self, path: bytes) -> tuple[int, ...]:
        """Return the layers that the directory *path* is made of; none when it is no directory."""
        if not path or len(self._layers) == 1:
            return tuple(range(len(self._layers)))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        unknown, place = [], path
        while place and place not in self._known:
            unknown.append(place)
            place = place.rpartition(b"/")[0]
        for place in reversed(unknown):
            parent = place.rpartition(b"/")[0]
            found = self._look(place, self._known[parent] if parent else range(len(self._layers)))
            self._known[place] = found.layers if found is not None and found.is_directory else ()
        return self._known[path]

    def _stat(self, layer: int, directory: bytes, name: bytes) -> os.stat_result | None:
        descriptor = self._ways[layer].find(directory)
        if descriptor is None:
            return None
        try:
            return os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _read_link(self, layer: int, directory: bytes, name: bytes, status: os.stat_result) -> bytes:
        descriptor = self._ways[layer].find(directory)
        if descriptor is None or not stat.S_ISLNK(status.st_mode):
            return b""
        try:
            return os.readlink(name, dir_fd=descriptor)
        except OSError:  # something else by now
            return b""

    def _is_whiteout(self, status: os.stat_result) -> bool:
        """Tell whether a file of a layer says that there is none. Source: overlayfs.rst, whiteouts and opaque directories."""
        return len(self._layers) > 1 and stat.S_ISCHR(status.st_mode) and status.st_rdev == 0

    def _is_opaque(self, layer: int, path: bytes) -> bool:
        if layer == len(self._layers) - 1:
            return True  # there is nothing below
        descriptor = self._ways[layer].find(path)
        names = os.listxattr(descriptor) if descriptor is not None else []
        for prefix in _PREFIXES:
            if any(prefix + word in names for word in _UNREADABLE):
                raise StorageError(f"{self.what}:/{os.fsdecode(path)}", "was moved or changed as only the kernel can show it")
        return descriptor is not None and any(
            prefix + "opaque" in names and os.getxattr(descriptor, prefix + "opaque") == b"y" for prefix in _PREFIXES
        )

    def _copy_up(self, path: bytes) -> None:
        found = self.find(path)
        if found is None or not found.is_directory:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        source = self.open(path, found)
        directory, _, name = path.rpartition(b"/")
        try:
            parent = self._ways[0].get(directory)
            os.mkdir(name, 0o700, dir_fd=parent)
            descriptor = self._ways[0].get(path)
            os.chown(descriptor, found.status.st_uid, found.status.st_gid)
            apply_xattrs(descriptor, read_xattrs(source))
            os.chmod(descriptor, stat.S_IMODE(found.status.st_mode))
            os.utime(descriptor, ns=(found.status.st_mtime_ns, found.status.st_mtime_ns))
        finally:
            os.close(source)
        self._known.clear()


def _make_opaque(name: bytes, directory: int) -> None:
    """Have the directory *name*, if it is one, hide what lower layers have there."""
    try:
        descriptor = os.open(name, OPEN_DIRECTORY, dir_fd=directory)
    except NotADirectoryError:
        return
    try:
        os.setxattr(descriptor, _PREFIXES[0 if is_root() else 1] + "opaque", b"y")
    finally:
        os.close(descriptor)
