"""All that an image says of its files, put into the order of a tree, so that it can be compared with another one.

In memory there are a few bytes of each path; the rest waits in temporary files once it is much. Several names of one file are
told by the place where the file is noted, which is one for all of them.

Source: spec/image-archive.md, Names.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from struct import Struct

from acspec.archive.compression import Compression
from acspec.archive.entry import Entry, Kind
from acspec.archive.entry_log import pack_xattrs, unpack_xattrs
from acspec.archive.image import ImageReader
from acspec.archive.layout import MANIFEST
from acspec.archive.path_index import PathIndex
from acspec.archive.sorted_log import SortedLog
from acspec.archive.spool import Spool
from acspec.archive.walk import LayoutWalk
from acspec.archive.write import ImageSettings
from acspec.image_manifest import parse_image_manifest
from acspec.names import ImageID
from acspec.typed import NamedTuple
from actool.comparing.content_digest import digest_content
from actool.comparing.rebuilt import Rebuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.inputs import Input

AS_IT_IS = ImageSettings(Compression.NONE)
NO_DIGEST = bytes(32)  # of what has no content

_KINDS = tuple(Kind)
_ITEM = Struct("<Q16s")  # place, fingerprint
_MOST_PIECES = 64  # of the paths, as no more than two snapshots are read at a time
_NO_FINGERPRINT = bytes(16)
_RECORD = Struct("<BHIIqIQII32sII")  # the lengths of target and attributes last
_SECOND = 10**9
_LINK_MODE = 0o777  # of a symbolic link the mode means nothing, and tars differ on it


class File(NamedTuple):
    """A file by what its entry says, but for its name, and by a digest of its content, 32 bytes.

    `links_to` is the name that comes first in a tree of those that the file has, `b""` when that is this one.
    """

    entry: Entry
    digest: bytes
    links_to: bytes = b""


class Item(NamedTuple):
    """A path, where the file there is noted, and a keyed hash of the note; that is left out for a hard link."""

    path: bytes
    place: int
    fingerprint: bytes


class Snapshot:
    """The files of one image: filled by `read_snapshot`, iterated over in the order of a tree; `close` must be called.

    `shared` has the place of a file once for each hard link to it.
    """

    def __init__(self, key: bytes) -> None:
        """Two snapshots that are to be compared have the same *key*, a secret of 16 bytes."""
        self.image_id = ImageID("")
        self.manifest_bytes = b""
        self.compression = Compression.NONE
        self.shared = array("Q")
        self._key = key
        self._sequence = blake2b(key=key)
        self._notes = Spool()
        self._paths = SortedLog(self._notes, most_pieces=_MOST_PIECES)
        self._places = PathIndex()

    def add(self, entry: Entry, digest: bytes) -> None:
        """Take in the next *entry* of a good archive, and the digest of its content. Raises: StorageError."""
        self._sequence.update(entry.name + b"\0")
        fingerprint = _NO_FINGERPRINT
        if entry.kind is Kind.HARD_LINK:
            place = self._get_place(entry.link_name)
            self.shared.append(place)
        else:
            note = _pack(entry, digest)
            place = self._notes.append(note)
            fingerprint = blake2b(note, digest_size=16, key=self._key).digest()
        if entry.kind is not Kind.DIRECTORY:
            self._places.put(entry.name, place)
        if entry.name:
            key = entry.name.replace(b"/", b"\0")  # so that no byte of a name sorts before a slash
            self._paths.add(key, _ITEM.pack(place, fingerprint))

    def _get_place(self, name: bytes) -> int:
        place = self._places.find(name)
        if place is None:
            raise AssertionError("a good archive has no link to what is not there")
        return place

    def finish(self, image_id: ImageID, reader: ImageReader) -> None:
        """Take in what *reader* knows of the image now that it has read all of it; what only `add` needed is thrown away."""
        self.image_id = image_id
        self.manifest_bytes = reader.manifest_bytes
        self.compression = reader.compression
        self._places = PathIndex()
        self._paths.put_aside()

    def __iter__(self) -> Iterator[Item]:
        """Return all paths of the archive with what is noted of them. Raises: StorageError."""
        for key, data in self._paths:
            yield Item(key.replace(b"\0", b"/"), *_ITEM.unpack(data))

    def get(self, place: int) -> File:
        """Return the file that is noted at *place*. Raises: StorageError."""
        head = self._notes.read(place, _RECORD.size)
        kind, mode, uid, gid, seconds, rest, size, major, minor, digest, link_size, xattr_size = _RECORD.unpack(head)
        tail = self._notes.read(place + _RECORD.size, link_size + xattr_size)
        link, xattrs = tail[:link_size], unpack_xattrs(tail[link_size:])
        time = seconds * _SECOND + rest
        return File(Entry(b"", _KINDS[kind], mode, uid, gid, time, size, link, major, minor, xattrs), digest)

    @property
    def sequence(self) -> bytes:
        """A hash of the names in the order of the archive."""
        return self._sequence.digest()

    def close(self) -> None:
        """Throw all of it away. May be called again."""
        self._notes.close()


def read_snapshot(snapshot: Snapshot, source: Input) -> None:
    """Fill *snapshot* from an image, or from the one that a layout directory makes as it is.

    Raises: FormatError for a bad archive or manifest; StorageError; OSError.
    Source: aci.md, Image Archives.
    """
    if source.is_directory:
        read_built(snapshot, LayoutWalk(source.descriptor, source.name), source.name, AS_IT_IS)
        return
    with ImageReader(source.origin, source.name) as reader:
        _add_all(snapshot, reader)
        snapshot.finish(reader.image_id, reader)


def read_built(snapshot: Snapshot, walk: LayoutWalk, what: str, settings: ImageSettings) -> None:
    """Fill *snapshot* from the image that *walk* makes with *settings*, which compress nothing; *what* names it in errors.

    Raises: FormatError for what an image cannot hold; StorageError; OSError.
    Source: aci.md, Image Layout.
    """
    with Rebuilt(walk, settings) as rebuilt, ImageReader(rebuilt.descriptor, what, hashed=False) as reader:
        _add_all(snapshot, reader)
    snapshot.finish(rebuilt.image_id, reader)


def _add_all(snapshot: Snapshot, reader: ImageReader) -> None:
    for entry in reader:
        if entry.name == MANIFEST:
            snapshot.add(entry._replace(size=0), NO_DIGEST)  # its content is compared for what it means, elsewhere
        elif entry.kind is Kind.FILE:
            snapshot.add(entry, digest_content(reader.read_pieces(entry), entry.size))
        else:
            snapshot.add(entry, NO_DIGEST)
    parse_image_manifest(reader.manifest_bytes, f"{reader.what}: manifest")


def _pack(entry: Entry, digest: bytes) -> bytes:
    mode = _LINK_MODE if entry.kind is Kind.SYMLINK else entry.mode
    xattrs = pack_xattrs(dict(sorted(entry.xattrs.items())))
    return b"".join(
        (
            _RECORD.pack(
                _KINDS.index(entry.kind),
                mode,
                entry.uid,
                entry.gid,
                *divmod(entry.mtime_ns, _SECOND),
                entry.size,
                entry.major,
                entry.minor,
                digest,
                len(entry.link_name),
                len(xattrs),
            ),
            entry.link_name,
            xattrs,
        )
    )
