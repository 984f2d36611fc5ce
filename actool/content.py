"""The content of one file of an image, found by its path through whatever links lead there.

An archive is read twice: once to its end, when it is checked and its names are noted, and once more to where the content is. So
nothing comes of an image that is bad, and a link may lead to what stood before it.

Source: aci.md, Image Archives; path_resolution(7).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from acspec.archive.entry import Entry, Kind
from acspec.archive.image import GLANCE, ImageReader
from acspec.archive.layout import MANIFEST, ROOTFS
from acspec.archive.lookup import NowhereError, resolve
from acspec.archive.walk import read_layout_manifest
from acspec.errors import FormatError, MissingInputError, StorageError, UsageError
from acspec.image_manifest import parse_image_manifest
from actool.inputs import Input
from actool.name_table import LayoutNames, NameTable
from actool.reusable_inputs import reusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_INSIDE = ROOTFS + b"/"
_CHUNK = 512 * 1024

_Find = Callable[[bytes], Entry | None]


def read_content(image: str, path: str, passphrase: Passphrase | None = None) -> Generator[bytes | memoryview]:
    """Return the content of the file at *path* of an image or a layout directory (`-`: standard input), in windows.

    A *path* with a slash at its start is one inside the rootfs, any other the name of an entry, as `ls` prints it. Each window is
    valid until the next; holes are zeros.

    Raises: FormatError for a bad archive; MissingInputError when the image or the path leads nowhere; UsageError when it leads to
        no regular file; StorageError; OSError.
    Source: aci.md, Image Archives; path_resolution(7).
    """
    with reusable(image, passphrase) as again:
        with again.opened() as source:
            if source.is_directory:
                yield from _read_from_layout(source, path)
                return
            name = _find_in_image(source, path)
        with again.opened() as source:
            yield from _read_from_image(source, name)


def _find_in_image(source: Input, path: str) -> bytes:
    with closing(NameTable()) as names:
        with ImageReader(source.origin, source.name, hashed=False, window=GLANCE) as reader:
            for entry in reader:
                names.add(entry)
            parse_image_manifest(reader.manifest_bytes, f"{source.name}: manifest")
        return _locate(path, names.find, source.name)


def _read_from_image(source: Input, name: bytes) -> Iterator[memoryview]:
    with ImageReader(source.origin, source.name, hashed=False, window=GLANCE) as reader:
        for entry in reader:
            if entry.name == name:
                yield from reader.read_chunks(entry)
                return
    raise _changed(source)


def _read_from_layout(source: Input, path: str) -> Iterator[bytes]:
    manifest = read_layout_manifest(source.descriptor, source.name)
    parse_image_manifest(manifest, os.path.join(source.name, "manifest"))
    with closing(LayoutNames(source.descriptor, source.name)) as names:
        root = names.find(b"")
        if root is None or root.kind is not Kind.DIRECTORY:
            raise FormatError(source.name, "not an image layout: there is no directory rootfs in it")
        name = _locate(path, names.find, source.name)
        if name == MANIFEST:
            yield manifest
            return
        descriptor = names.open(name[len(_INSIDE) :])
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _changed(source)
        while chunk := os.read(descriptor, _CHUNK):
            yield chunk
    finally:
        os.close(descriptor)


def _changed(source: Input) -> StorageError:
    return StorageError(source.name, "changed while it was read", "try again")


def _locate(typed: str, find: _Find, image: str) -> bytes:
    """Return the name in the archive of the regular file that the path *typed* leads to. Raises: MissingInputError; UsageError."""
    path = os.fsencode(typed)
    what = f"{image}: {typed}" if typed else f'{image}: ""'
    if path == MANIFEST:
        return MANIFEST
    if path == ROOTFS or path.startswith(_INSIDE):
        path = path[len(ROOTFS) :] or b"/"
    elif not path.startswith(b"/"):
        raise MissingInputError(what, "no such file", f"a path in the rootfs begins with a slash: /{typed}")
    try:
        place = resolve(path, find)
    except NowhereError as error:
        raise MissingInputError(what, str(error)) from None
    while (entry := find(place)) is not None and entry.kind is Kind.HARD_LINK:
        place = entry.link_name
    if entry is None or entry.kind is not Kind.FILE:
        kind = Kind.DIRECTORY if entry is None else entry.kind
        raise UsageError(what, f"a {kind.value}, not a regular file", "actool ls IMAGE lists what is in it")
    return _INSIDE + place
