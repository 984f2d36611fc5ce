"""An image copied with another manifest: all other bytes of its tar stay as they are, in their places, in one pass.

The old image is read by the rules of every image, to its very end. What a manifest may be is the caller's to say.

Source: aci.md, Image Archives; spec/image-archive.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from acspec.archive.blocks import BlockWriter, Output
from acspec.archive.compression import Compression
from acspec.archive.encoders import new_encoder
from acspec.archive.entry import Entry
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK
from acspec.archive.image import ImageReader
from acspec.archive.layout import MANIFEST
from acspec.archive.resize import resize_headers
from acspec.archive.source import Readable
from acspec.archive.write import WrittenImage
from acspec.errors import FormatError
from acspec.values import Value

Change = Callable[[bytes], bytes]


class Recompression(Value):
    """How the copy is compressed: *compression* None is the image's own, *level* None the encoder's."""

    compression: Compression | None = None
    encoder: str = "isal"
    level: int | None = None


AS_IT_IS = Recompression()


def splice_manifest(
    origin: int | Readable, what: str, output: Output, change: Change, compressed: Recompression = AS_IT_IS
) -> WrittenImage:
    """Copy the image *origin* (*what* names it in errors) to *output*, with *change* applied to the bytes of its manifest.

    A fault may be found when most of it has been written: it is a copy only when this returns.

    Raises: FormatError for a bad archive; StorageError; what *change* and *output* raise.
    Source: aci.md, Image Archives.
    """
    splice = _Splice(origin, what)
    with splice.reader as reader:
        encoder = new_encoder(compressed.compression or reader.compression, compressed.encoder, compressed.level)
        with BlockWriter(output, encoder) as blocks:
            splice.run(blocks.write, change)
            return WrittenImage(blocks.finish(), blocks.size, reader.entry_count)


class _Splice:
    """The bytes of a tar on their way from a reader to a writer; those that may be the manifest's wait until that is known."""

    def __init__(self, origin: int | Readable, what: str) -> None:
        self.reader = ImageReader(origin, what, hashed=False, on_tar=self._take)
        self._write: Callable[[bytes | memoryview], object] = len
        self._waiting: deque[memoryview] = deque()
        self._start = 0  # where in the tar the first of them stands
        self._settled = 0  # what stands before this place need not wait
        self._dropped = 0  # what stands before this one is not written any more

    def run(self, write: Callable[[bytes | memoryview], object], change: Change) -> None:
        """Copy all that the reader reads, each byte as soon as it may go."""
        self._write = write
        for entry in self.reader:
            if entry.name == MANIFEST and (manifest := change(self.reader.manifest_bytes)) != self.reader.manifest_bytes:
                self._replace(entry, manifest)
            self._settled = self.reader.end_offset
        self._pass(self.reader.tar_size)

    def _take(self, chunk: bytes) -> None:
        """Let *chunk*, which the reader is about to look at, wait behind those whose entries are known by now."""
        self._pass(self.reader.tar_size if self.reader.at_end else max(self._settled, self.reader.header_offset))
        self._waiting.append(memoryview(chunk))

    def _replace(self, entry: Entry, manifest: bytes) -> None:
        self._pass(self.reader.header_offset)
        headers = b"".join(self._waiting)[: entry.data_offset - self._start]
        try:
            headers = resize_headers(headers, len(manifest))
        except Fault as fault:
            raise FormatError(self.reader.what, f'entry "manifest": {fault}') from None
        self._write(headers + manifest + bytes(-len(manifest) % BLOCK))
        self._dropped = self.reader.end_offset

    def _pass(self, offset: int) -> None:
        """Write all that waits and stands before *offset*."""
        while self._waiting and self._start < offset:
            piece = self._waiting.popleft()
            if rest := piece[offset - self._start :]:
                self._waiting.appendleft(rest)
            piece = piece[: offset - self._start]
            self._write(piece[max(0, self._dropped - self._start) :])
            self._start += len(piece)
