"""Images read as one, for tests, and what an archive holds, whichever name of a file comes first in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from acspec.archive.compression import Compression
from acspec.archive.entry import Archive, Entry, Kind
from acspec.archive.index import ImageIndex
from acspec.archive.layers import ImageLayer
from acspec.archive.rendered import RenderedImage
from acspec.archive.sparse import fill_holes
from acspec.archive.spool import Spool
from acspec.archive.write import ImageSettings, write_archive
from acspec.archive.xattrs import is_applied
from acspec.layer_plan import whitelist_filter
from tests.support.images import manifest_bytes

PLAIN = ImageSettings(Compression.NONE)
MANIFEST = manifest_bytes(name="example.com/rendered")


@contextmanager
def rendered(
    paths: Sequence[Path], whitelists: Sequence[frozenset[str] | None] = (), manifest: bytes = MANIFEST
) -> Iterator[RenderedImage]:
    """Read the images *paths*, the first at the bottom, as one; an image that comes twice is read once."""
    with ExitStack() as stack:
        spool = stack.enter_context(Spool())
        indexes: dict[Path, ImageIndex] = {}
        for path in paths:
            if path not in indexes:
                file = stack.enter_context(path.open("rb"))
                indexes[path] = ImageIndex(file.fileno(), path.name, spool)
                stack.callback(indexes[path].close)
        keeps = [whitelist_filter(whitelist) for whitelist in whitelists] or [None] * len(paths)
        yield RenderedImage([ImageLayer(indexes[path], keep) for path, keep in zip(paths, keeps, strict=True)], manifest)


def write(output: Path, image: RenderedImage, settings: ImageSettings = PLAIN) -> str:
    """Write a rendered image to a file and return its ID."""
    with output.open("wb") as file:
        return write_archive(image, file.write, settings).image_id


class Holding(NamedTuple):
    """What an archive holds: each path with its properties and its content, and which paths are names of one file."""

    files: dict[bytes, tuple[Entry, bytes]]
    names: set[frozenset[bytes]]


def hold(archive: Archive) -> Holding:
    """Read an archive and return what it holds: all names of a file alike, and parents that are only implied among the rest."""
    files: dict[bytes, tuple[Entry, bytes]] = {}
    first: dict[bytes, bytes] = {}
    for entry in archive:
        if not entry.name:
            continue
        first[entry.name] = first.get(entry.link_name, entry.link_name) if entry.kind is Kind.HARD_LINK else entry.name
        if entry.kind is Kind.HARD_LINK:
            files[entry.name] = files[first[entry.name]]
            continue
        content = b"".join(map(bytes, fill_holes(archive.read_pieces(entry), entry.size))) if entry.kind is Kind.FILE else b""
        mode = 0o777 if entry.kind is Kind.SYMLINK else entry.mode
        xattrs = {name: value for name, value in entry.xattrs.items() if is_applied(name)}
        files[entry.name] = (entry._replace(name=b"", mode=mode, xattrs=xattrs, data_offset=0), content)
    for name in list(files):
        for cut in (index for index, byte in enumerate(name) if byte == 0x2F):
            files.setdefault(name[:cut], (Entry(b"", Kind.DIRECTORY, 0o755), b""))
    origins = {origin for origin in first.values() if files[origin][0].kind is not Kind.DIRECTORY}
    return Holding(files, {frozenset(name for name in first if first[name] == origin) for origin in origins})
