"""An image archive written from a layout directory: the same layout gives the same bytes.

Which entries there are is `walk`'s to say, what a header looks like `encode`'s, how bytes are compressed `blocks`'s.

Source: aci.md, Image Layout and Image Archives; spec/image-archive.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from acspec.archive.blocks import BlockWriter, Output
from acspec.archive.compression import Compression
from acspec.archive.encode import encode_entry
from acspec.archive.encoders import new_encoder
from acspec.archive.entry import Entry
from acspec.archive.header import BLOCK
from acspec.archive.walk import LayoutWalk
from acspec.errors import StorageError
from acspec.names import ImageID

_END = bytes(2 * BLOCK)


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """How an image is written: times after `clamp_ns` (nanoseconds) become that, `owner_root` makes all files root's.

    `level` None is the encoder's own choice; `threads` None stands for as many as there are processors, and the bytes do not
    depend on it.
    """

    compression: Compression = Compression.GZIP
    encoder: str = "isal"
    level: int | None = None
    clamp_ns: int | None = None
    owner_root: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """What was written: the image ID, the bytes of the uncompressed tar, the number of entries."""

    image_id: ImageID
    tar_size: int
    entry_count: int


def write_image(
    layout: int,
    what: str,
    output: Output,
    settings: ImageSettings | None = None,
    *,
    refused: tuple[int, int] | None = None,
) -> WrittenImage:
    """Write the layout directory *layout* (a descriptor; *what* names it in errors) as an image archive to *output*.

    The file of the device and inode *refused*, the output itself, must not be in the layout.

    Raises: FormatError for what an image cannot hold; StorageError when a file changes meanwhile; OSError.
    Source: aci.md, Image Archives.
    """
    return write_walk(LayoutWalk(layout, what, refused=refused), output, settings)


def write_walk(
    walk: LayoutWalk, output: Output, settings: ImageSettings | None = None, *, on_path: Callable[[str], object] | None = None
) -> WrittenImage:
    """Write what *walk* comes to as an image archive to *output*; *on_path* is told the path of each file on the disk.

    Raises: as write_image; what *on_path* raises.
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
            if on_path is not None:
                on_path(walk.path)
            count += 1
        blocks.write(_END)
        return WrittenImage(blocks.finish(), blocks.size, count)


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
    clamp = settings.clamp_ns

    def adjust(entry: Entry) -> Entry:
        if clamp is not None and entry.mtime_ns > clamp:
            entry = entry._replace(mtime_ns=clamp)
        return entry._replace(uid=0, gid=0) if settings.owner_root else entry

    return adjust
