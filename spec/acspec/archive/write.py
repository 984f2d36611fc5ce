"""An image archive written from a layout directory, or from what is read like an archive: the same input gives the same bytes.

Which entries there are is `walk`'s to say, what a header looks like `encode`'s, how bytes are compressed `blocks`'s.

Source: aci.md, Image Layout and Image Archives; spec/image-archive.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from acspec import limits
from acspec.archive.blocks import BlockWriter, Output
from acspec.archive.compression import Compression
from acspec.archive.encode import encode_entry
from acspec.archive.encoders import new_encoder
from acspec.archive.entry import Archive, Entry, Kind
from acspec.archive.header import BLOCK
from acspec.archive.sparse import fill_holes
from acspec.archive.walk import LayoutWalk
from acspec.archive.xattrs import ACL_ACCESS, ACL_DEFAULT
from acspec.errors import FormatError, StorageError
from acspec.escape import escape
from acspec.names import ImageID
from acspec.values import Value

_END = bytes(2 * BLOCK)
_WITH_CONTENT = (Kind.FILE, Kind.DIRECTORY)
_WITH_MODES = (*_WITH_CONTENT, Kind.HARD_LINK)


class ImageSettings(Value):
    """How an image is written: times after `clamp_ns` (nanoseconds) become that, `owner_root` makes all files root's.

    With `fixed_times` all times become `clamp_ns`, earlier ones too; with `fixed_modes` files and directories have one of the modes
    that git knows, 0755 and 0644.
    `level` None is the encoder's own choice; `threads` None stands for as many as there are processors, and the bytes do not
    depend on it.
    """

    compression: Compression = Compression.GZIP
    encoder: str = "isal"
    level: int | None = None
    clamp_ns: int | None = None
    fixed_times: bool = False
    fixed_modes: bool = False
    owner_root: bool = False
    threads: int | None = None


class WrittenImage(Value):
    """What was written: the image ID, the bytes of the uncompressed tar, the number of entries."""

    image_id: ImageID
    tar_size: int
    entry_count: int


def write_walk(
    walk: LayoutWalk, output: Output, settings: ImageSettings | None = None, *, on_path: Callable[[str], object] | None = None
) -> WrittenImage:
    """Write what *walk* comes to as an image archive to *output*; *on_path* is told the path of each file and directory.

    Links, FIFOs and devices have no content of their own: what becomes another one changes the directory that it is in.

    Raises: FormatError for what an image cannot hold; StorageError when a file changes meanwhile; what *on_path* raises; OSError.
    Source: aci.md, Image Archives.
    """
    settings = settings or ImageSettings()
    encoder = new_encoder(settings.compression, settings.encoder, settings.level)
    adjust, count = _adjustment(settings), 0
    with BlockWriter(output, encoder, settings.threads) as blocks:
        for entry, descriptor in walk:
            blocks.write(encode_entry(adjust(entry)))
            if entry.size:
                _copy(blocks, descriptor, entry, walk)
            if on_path is not None and entry.kind in _WITH_CONTENT:
                on_path(walk.path)
            count += 1
        blocks.write(_END)
        return WrittenImage(blocks.finish(), blocks.size, count)


def write_archive(archive: Archive, output: Output, settings: ImageSettings) -> WrittenImage:
    """Write the entries of *archive*, which come in an order that an image may have, as an image archive to *output*.

    Raises: FormatError beyond the limits that readers hold an image to; what *archive* and *output* raise.
    Source: aci.md, Image Archives; spec/limits.md.
    """
    adjust, bounds = _adjustment(settings), _Bounds()
    with BlockWriter(output, new_encoder(settings.compression, settings.encoder, settings.level), settings.threads) as blocks:
        for entry in archive:
            head, padding = encode_entry(adjust(entry)), bytes(-entry.size % BLOCK)
            if fault := bounds.find_fault(head, blocks.size + len(head) + entry.size + len(padding) + len(_END)):
                raise FormatError(archive.what, f'entry "{escape(entry.name)}": {fault}')
            blocks.write(head)
            if entry.size:
                for window in fill_holes(archive.read_pieces(entry), entry.size):
                    blocks.write(window)
                blocks.write(padding)
        blocks.write(_END)
        return WrittenImage(blocks.finish(), blocks.size, bounds.count)


class _Bounds:
    """What is counted of an image while it is written: more than readers take must not come out."""

    def __init__(self) -> None:
        self.count = 0
        self._extended = 0

    def find_fault(self, head: bytes, size: int) -> str | None:
        """Count an entry with all that stands before its data, and return which limit it is beyond; *size* is that of the tar."""
        extended = int(head[124:135], 8) if len(head) > BLOCK else 0  # as the header of an extended header says
        self.count += 1
        self._extended += extended
        for value, limit, what in (
            (self.count, limits.ARCHIVE_ENTRIES, "entries"),
            (size, limits.IMAGE_UNPACKED_BYTES, "bytes uncompressed"),
            (extended, limits.PAX_HEADER_BYTES, "bytes in an extended header"),
            (self._extended, limits.PAX_HEADERS_BYTES, "bytes in all extended headers"),
        ):
            if value > limit:
                return f"more than the limit of {limit} {what}"
        return None


def _copy(blocks: BlockWriter, descriptor: int, entry: Entry, walk: LayoutWalk) -> None:
    try:
        missing = blocks.copy(descriptor, entry.size)
    except OSError as error:
        raise error if error.filename else OSError(error.errno, error.strerror, walk.path) from error
    status = os.fstat(descriptor)
    if missing or (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime_ns):
        raise StorageError(walk.path, "changed while it was read", "try again")
    blocks.write(bytes(-entry.size % BLOCK))


def _adjustment(settings: ImageSettings) -> Callable[[Entry], Entry]:
    clamp, fixed = settings.clamp_ns, settings.fixed_times

    def adjust(entry: Entry) -> Entry:
        if clamp is not None and (entry.mtime_ns > clamp or fixed):
            entry = entry._replace(mtime_ns=clamp)
        if settings.fixed_modes and entry.kind in _WITH_MODES:
            entry = _fix_mode(entry)
        return entry._replace(uid=0, gid=0) if settings.owner_root else entry

    return adjust


def _fix_mode(entry: Entry) -> Entry:
    """Return *entry* as a checkout under the umask 022 would have it: of a mode, git keeps whether its owner may execute a file."""
    mode = 0o755 if entry.kind is Kind.DIRECTORY or entry.mode & stat.S_IXUSR else 0o644
    # A default list of the directory above stands in for the umask, and what comes of it would count for more than the mode.
    xattrs = {name: value for name, value in entry.xattrs.items() if name not in (ACL_ACCESS, ACL_DEFAULT)}
    return entry._replace(mode=mode, xattrs=xattrs)
