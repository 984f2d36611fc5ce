"""One image read once, to its end, and kept so that its entries can be had in the order of their paths and its contents at random.

The headers go to a spool. So do the contents, unless the image is an uncompressed file that nobody else can write to: that is read
again in place. Which entries are wanted, and what becomes of them, is `layers`' to say.

Source: spec/image-archive.md, Writing.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable, Iterator
from struct import Struct

from acspec.archive.compression import CHUNK, Compression
from acspec.archive.entry import Entry, Kind
from acspec.archive.entry_log import EntryLog, LoggedEntry
from acspec.archive.image import ImageReader
from acspec.archive.layout import MANIFEST, ROOTFS
from acspec.archive.sorted_log import SortedLog
from acspec.archive.source import Readable
from acspec.archive.spool import Spool
from acspec.errors import StorageError
from acspec.ownership import only_we_can_write

_DIRECTORY = 1  # in the lowest bit of a path's number; above it is the place of its entry
_LINK = 1 << 63  # the path is but the target of a hard link, whose place is below
_NUMBER = Struct(">Q")

Keep = Callable[[bytes], bool]


class ImageIndex:
    """The entries of one image, by path; `close` must be called. `manifest` is the entry whose content `manifest_bytes` are."""

    def __init__(self, source: int | Readable, what: str, spool: Spool) -> None:
        """Read an image as an ImageReader does; *what* names it in errors.

        Raises: FormatError for a bad archive; StorageError; OSError.
        """
        self.what = what
        self._spool = spool
        self._log = EntryLog(spool)
        self._paths = SortedLog(spool)
        self._linked = False
        self._file = _File(source, what) if isinstance(source, int) and _is_safe(source) else None
        try:
            with ImageReader(source, what) as reader:
                if reader.compression is not Compression.NONE:
                    self.close()
                self._read(reader)
            self.image_id = reader.image_id
            self.manifest_bytes = reader.manifest_bytes
            self._paths.put_aside()  # many images may wait together until their paths are wanted
            if self._linked:
                self._join_links()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the image, when it is still open. May be called again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, reader: ImageReader) -> None:
        for entry in reader:
            if entry.name == MANIFEST:
                self.manifest = entry
            elif entry.name:
                self._add(entry, reader)

    def _add(self, entry: Entry, reader: ImageReader) -> None:
        pieces = array("Q")
        if entry.size:
            entry = entry._replace(data_offset=self._keep_content(entry, reader, pieces))
        place = self._log.add(entry, pieces)
        self._paths.add(path_key(entry.name), _NUMBER.pack(place << 1 | (entry.kind is Kind.DIRECTORY)))
        if entry.kind is Kind.HARD_LINK:
            self._linked = True
            self._paths.add(path_key(entry.link_name), _NUMBER.pack(_LINK | place))

    def _keep_content(self, entry: Entry, reader: ImageReader, pieces: array[int]) -> int:
        """Return where the content of *entry* can be read again, and fill in *pieces* when it has holes."""
        start, end = -1, 0
        for offset, window in reader.read_pieces(entry):
            place = self._spool.append(window) if self._file is None else 0
            start = place if start < 0 else start
            if pieces and offset == end:
                pieces[-1] += len(window)
            else:
                pieces.extend((offset, len(window)))
            end = offset + len(window)
        if len(pieces) == 2 and pieces[1] == entry.size:
            del pieces[:]
        elif not pieces:
            pieces.extend((entry.size, 0))
        return self._file.start + entry.data_offset if self._file is not None else max(start, 0)

    def _join_links(self) -> None:
        """Find the entry behind the target of each hard link; a link may be one to a link, so it goes in their order."""
        links, target = SortedLog(self._spool), 0
        for _, number in self._read_paths():
            if number & _LINK:
                links.add(_NUMBER.pack(number & ~_LINK), _NUMBER.pack(target))
            else:
                target = number >> 1
        for link, origin in links:
            self._log.join(*_NUMBER.unpack(link), *_NUMBER.unpack(origin))

    def _read_paths(self) -> Iterator[tuple[bytes, int]]:
        """Return the key of each path with its number, what stands there before the links to it. Raises: OSError."""
        for key, number in self._paths:
            yield key, *_NUMBER.unpack(number)

    def paths(self, keep: Keep | None = None) -> Iterator[tuple[bytes, int, bool]]:
        """Return what is in the rootfs, in order: the key of each path (`path_key`), the place of its entry, if it is a directory.

        *keep* says of an absolute path inside the rootfs whether it is wanted. A parent of what is wanted, when it has no entry of
        its own, has the place 0.

        Raises: OSError.
        """
        last = b""
        for key, number in self._read_paths():
            if number & _LINK or (keep is not None and key and not keep(b"/" + key.replace(b"\0", b"/"))):
                continue
            for parent in _missing_parents(key, last):
                yield parent, 0, True
            yield key, number >> 1, bool(number & _DIRECTORY)
            last = key

    def get(self, place: int) -> LoggedEntry:
        """Return the entry at *place*. Raises: OSError."""
        return self._log.get(place)

    def mark(self, place: int, mark: int) -> None:
        """Give the entry at *place* a *mark*, as `EntryLog.mark` does. Raises: OSError."""
        self._log.mark(place, mark)

    def read_pieces(self, logged: LoggedEntry) -> Iterator[tuple[int, memoryview]]:
        """Return the content of a file in windows, each with its offset in the file, without the holes.

        Raises: StorageError when the image has changed since it was read; OSError.
        """
        read = self._spool.read if self._file is None else self._file.read
        place = logged.entry.data_offset
        pieces = logged.pieces or array("Q", (0, logged.entry.size))
        for start, length in zip(pieces[::2], pieces[1::2], strict=True):
            done = 0
            while done < length:
                data = read(place, min(CHUNK, length - done))
                if not data:
                    raise _changed(self.what)
                yield start + done, memoryview(data)
                done += len(data)
                place += len(data)

    def check(self) -> None:
        """Check that the image has not changed since it was read. Raises: StorageError; OSError."""
        if self._file is not None:
            self._file.check()


class _File:
    """An image that is read in place: its descriptor, where in it the tar starts, and what the file was like."""

    def __init__(self, descriptor: int, what: str) -> None:
        self._what = what
        self.start = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._descriptor = os.dup(descriptor)
        self._status = self._look()

    def read(self, place: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, place)

    def _look(self) -> tuple[int, int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def check(self) -> None:
        if self._look() != self._status:
            raise _changed(self._what)

    def close(self) -> None:
        os.close(self._descriptor)


def _is_safe(descriptor: int) -> bool:
    """Tell whether *descriptor* is a regular file that nobody but its owner, root or the caller, can write to."""
    status = os.fstat(descriptor)
    return stat.S_ISREG(status.st_mode) and only_we_can_write(status)


def _changed(what: str) -> StorageError:
    return StorageError(what, "changed while it was read", "try again")


def path_key(name: bytes) -> bytes:
    """Return *name*, `rootfs` or what is below it, as a key by which a directory comes right before its contents."""
    return name[len(ROOTFS) + 1 :].replace(b"/", b"\0")


def parent_key(key: bytes) -> bytes:
    """Return the key of the directory that the path of *key* is in."""
    return key.rpartition(b"\0")[0]


def is_inside(key: bytes, directory: bytes) -> bool:
    """Tell whether the path of *key* is *directory*, or is in it at any depth."""
    return not directory or key == directory or key.startswith(directory + b"\0")


def _missing_parents(key: bytes, last: bytes) -> Iterator[bytes]:
    """Return the parents of *key* that have not come yet, the highest first, when *last* and its own were the last that came.

    One at a time: of a long path they would be long together.
    """
    cuts = []
    parent = parent_key(key)
    while not is_inside(last, parent):
        cuts.append(len(parent))
        parent = parent_key(parent)
    return (key[:cut] for cut in reversed(cuts))
