"""What a tar archive says of one file, as a value: the vocabulary of readers and writers alike.

Nothing here knows bytes of headers or files on a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType

from acspec.typed import NamedTuple, Protocol

NO_XATTRS: Mapping[bytes, bytes] = MappingProxyType({})


class Kind(Enum):
    """The type of a file in an archive, in the words of POSIX."""

    FILE = "regular file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    CHARACTER_DEVICE = "character device"
    BLOCK_DEVICE = "block device"
    FIFO = "FIFO"

    __hash__ = object.__hash__  # each is there only once; the one of Enum is a function in Python


class Entry(NamedTuple):
    """One member of an archive: a named tuple, because a value takes as long to make as a header to parse.

    `name` is normalised: no `./`, no `//`, no slash at its end; `b""` is the directory that holds the image.
    `link_name` is as it stands for a symbolic link and normalised for a hard link. Times are nanoseconds since 1970,
    `mode` the twelve permission bits, `size` and `data_offset` bytes (the offset counts from the start of the tar). A sparse file
    has the size that it has on a disk; its holes are the reader's to fill.
    """

    name: bytes
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0
    link_name: bytes = b""
    major: int = 0
    minor: int = 0
    xattrs: Mapping[bytes, bytes] = NO_XATTRS
    data_offset: int = 0


class Archive(Protocol):
    """Entries one after another, with the content of each until the next is asked for: what trees and images are written from."""

    @property
    def what(self) -> str:
        """How errors name the file that the current entry is in."""

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in their order."""

    def read_pieces(self, entry: Entry, /) -> Iterable[tuple[int, memoryview]]:
        """Return the data of *entry*, the one that came last, in windows with the offset of each; holes are left out."""
