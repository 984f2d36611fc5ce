"""Image archives read whole: every byte decompressed, hashed, counted, parsed and checked in one pass.

One thread decompresses while another hashes and parses. All programs see an archive through this one door.

Source: aci.md, Image Archives and Image ID; spec/image-archive.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from types import TracebackType

from acspec import limits
from acspec.archive.buffers import keep_buffers
from acspec.archive.compression import CHUNK, Compression, decompress, recognise
from acspec.archive.entry import Entry
from acspec.archive.faults import Fault, StreamFault
from acspec.archive.feeds import DirectFeed, ThreadFeed
from acspec.archive.header import BLOCK
from acspec.archive.layout import MANIFEST, Layout
from acspec.archive.reader import TarReader
from acspec.archive.source import Readable, Source
from acspec.archive.stream import Tap, TarStream
from acspec.errors import EntryError, FormatError, MissingInputError
from acspec.names import ImageID
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash as Hash
    from typing import Self

    from acspec.image_manifest import ImageManifest

GLANCE = 64 * 1024  # window for those who want the headers only


class ScannedImage(Value):
    """What one pass over a whole image found; sizes in bytes, `unpacked_size` that of its regular files with their holes."""

    image_id: ImageID
    manifest: ImageManifest
    manifest_bytes: bytes
    tar_size: int
    entry_count: int
    unpacked_size: int
    compression: Compression
    warnings: tuple[str, ...]


class ImageReader:
    """A whole image: iterate over its entries once, inside `with`. The rules of aci.md are checked on the way.

    `manifest_bytes` is there when the entry `manifest` has come; the rest counts as known only after the last entry.
    """

    def __init__(
        self,
        source: int | Readable,
        what: str,
        *,
        head: bytes = b"",
        hashed: bool = True,
        on_tar: Tap | None = None,
        window: int = CHUNK,
        served_limit: int = limits.IMAGE_SERVED_BYTES,
        unpacked_limit: int = limits.IMAGE_UNPACKED_BYTES,
    ) -> None:
        """Read an image from a descriptor (of a file: from where it stands, without moving it) or from an object.

        *what* names it in errors; *head* is what has been read of it already. *on_tar* gets every chunk of the
        uncompressed tar, in this thread. Without *hashed* there is no image ID, and a plain tar is read without a second
        thread, *window* bytes at a time.

        Raises: FormatError when it is no image archive at all; StorageError; OSError.
        """
        self.what = what
        self.manifest_bytes = b""
        self.entry_count = 0
        self.unpacked_size = 0
        keep_buffers()
        self._source = Source(source, what, served_limit)
        self._hash = _new_hash() if hashed else None
        self._layout = Layout()
        self._complete = False
        try:
            start = self._read_start(head)
            self.compression = recognise(start)
            taps: list[Tap] = [on_tar] if on_tar else []
            self._feed = self._open_feed(start, window, taps)
        except Fault as fault:
            self._source.close()
            raise FormatError(what, str(fault)) from None
        except BaseException:
            self._source.close()
            raise
        self._stream = TarStream(self._feed, unpacked_limit, taps)
        self._tar = TarReader(self._stream)

    def _read_start(self, start: bytes) -> bytes:
        while len(start) < BLOCK and (more := self._source.read(GLANCE)):
            start += more
        return start

    def _open_feed(self, start: bytes, window: int, taps: list[Tap]) -> DirectFeed | ThreadFeed:
        """Return where the uncompressed bytes come from; the hash goes to *taps* or into the second thread."""
        plain = self.compression is Compression.NONE
        if plain and self._hash is None and not taps:
            return DirectFeed(self._source, start, window)
        chunks = decompress(self._source, start, self.compression)
        if self._hash is not None:
            if plain:  # nothing to decompress: the second thread hashes instead
                chunks = _hashing(chunks, self._hash.update)
            else:
                taps.insert(0, self._hash.update)
        return ThreadFeed(chunks, self._source.interrupt)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the reading, wherever it stands."""
        self.close()

    def close(self) -> None:
        """End the reading and its thread. May be called again."""
        self._feed.close()
        self._source.close()

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in the order of the archive, the manifest and rootfs among them.

        Raises: FormatError for the first fault; StorageError; what *on_tar* or the source raises.
        Source: aci.md, Image Archives.
        """
        try:
            for entry in self._tar:
                self._layout.check(entry)
                self.entry_count += 1
                if size := entry.size:  # which nothing but a regular file has
                    self.unpacked_size += size
                if entry.name == MANIFEST:
                    self.manifest_bytes = b"".join(self._tar.read_chunks())
                yield entry
            self._layout.finish()
        except Fault as fault:
            raise self._error(fault) from None
        self._complete = True

    def read_chunks(self, entry: Entry) -> Iterator[memoryview]:
        """Return the data of *entry*, the one that came last, in windows that are valid until the next; holes are zeros.

        Raises: FormatError; StorageError.
        """
        if entry.name == MANIFEST:
            yield memoryview(self.manifest_bytes)
            return
        try:
            yield from self._tar.read_chunks()
        except Fault as fault:
            raise self._error(fault) from None

    def read_pieces(self, entry: Entry) -> Iterable[tuple[int, memoryview]]:
        """Return the data of *entry*, the one that came last, in windows with the offset of each in the file; holes are left out.

        Raises: FormatError; StorageError.
        """
        whole = memoryview(self.manifest_bytes) if entry.name == MANIFEST else self._tar.find_whole()
        return self._read_pieces() if whole is None else ((0, whole),)

    def _read_pieces(self) -> Iterator[tuple[int, memoryview]]:
        try:
            yield from self._tar.read_pieces()
        except Fault as fault:
            raise self._error(fault) from None

    def _error(self, fault: Fault) -> FormatError:
        if isinstance(fault, StreamFault) or self._tar.at_end:
            return FormatError(self.what, str(fault))
        if (entry := self._tar.entry_place) is not None:
            return EntryError(self.what, entry, str(fault))
        return FormatError(self.what, f"{self._tar.place}: {fault}")

    @property
    def image_id(self) -> ImageID:
        """The image ID: `sha512-` and 128 hex digits, over every byte of the uncompressed tar.

        Source: aci.md, Image ID.
        """
        if self._hash is None or not self._complete:
            raise RuntimeError("the image ID is known after the last entry of a hashed reading")
        return ImageID(f"sha512-{self._hash.hexdigest()}")

    @property
    def tar_size(self) -> int:
        """The bytes of the uncompressed tar so far."""
        return self._stream.offset

    @property
    def header_offset(self) -> int:
        """Where in the tar the headers begin that are the current entry's own, or those of the next one that is under way."""
        return self._tar.header_offset

    @property
    def end_offset(self) -> int:
        """Where in the tar the current entry ends, the padding of its data included."""
        return self._tar.end_offset

    @property
    def at_end(self) -> bool:
        """True when there are no more entries and only the end of the archive is still read."""
        return self._tar.at_end

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd in the archive without being wrong."""
        return tuple(self._tar.warnings)


def _new_hash() -> Hash:
    from hashlib import sha512  # which brings OpenSSL: not for those who want no hash

    return sha512()


def _hashing(chunks: Iterator[bytes], update: Tap) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def open_image(path: str, *, wait: bool = True) -> int:
    """Open the image at *path* for reading and return its descriptor. Of a FIFO, *wait* for who writes.

    Raises: MissingInputError when there is none; OSError.
    """
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if wait else os.O_NONBLOCK))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(path or '""', "no such file") from None


def read_image(
    source: int | Readable,
    what: str,
    *,
    head: bytes = b"",
    on_tar: Tap | None = None,
    served_limit: int = limits.IMAGE_SERVED_BYTES,
    unpacked_limit: int = limits.IMAGE_UNPACKED_BYTES,
) -> ScannedImage:
    """Read a whole image in one pass and return what is in it; *head* and *on_tar* as for an ImageReader.

    Raises: FormatError for a bad archive or manifest; StorageError; what *on_tar* or the source raises.
    Source: aci.md, Image Archives, Image ID and Image Manifest.
    """
    from acspec.image_manifest import parse_image_manifest

    with ImageReader(source, what, head=head, on_tar=on_tar, served_limit=served_limit, unpacked_limit=unpacked_limit) as reader:
        for _ in reader:
            pass
        return ScannedImage(
            image_id=reader.image_id,
            manifest=parse_image_manifest(reader.manifest_bytes, f"{what}: manifest"),
            manifest_bytes=reader.manifest_bytes,
            tar_size=reader.tar_size,
            entry_count=reader.entry_count,
            unpacked_size=reader.unpacked_size,
            compression=reader.compression,
            warnings=reader.warnings,
        )


def read_manifest(source: int | Readable, what: str, *, head: bytes = b"") -> bytes:
    """Return the bytes of an image's manifest, reading no more than is needed to find it: nothing is said of the rest.

    Raises: FormatError when what comes before it is bad or there is none; StorageError; OSError.
    Source: aci.md, Image Manifest.
    """
    with ImageReader(source, what, head=head, hashed=False, window=GLANCE) as reader:
        for entry in reader:
            if entry.name == MANIFEST:
                return reader.manifest_bytes
    raise AssertionError("a complete image has a manifest")
