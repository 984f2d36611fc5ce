"""Files put where they are wanted: first written whole beside, then moved into place by renames, as cp(1) would merge them.

A directory that is there stays as it is and takes what comes; a file gives way to a file. Neither gives way to the other: that is
an error, found before anything is moved. Nothing is written through a link.

Source: rename(2).
"""

from __future__ import annotations

import os
import stat

from acspec.archive.extract import TreeWriter
from acspec.archive.open_directories import OPEN_DIRECTORY, OpenDirectories
from acspec.durable import remove_tree, temporary_name
from acspec.errors import OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from acrun.layered import LayeredTree
    from acspec.archive.entry import Archive
    from acspec.archive.losses import Losses


def place_archive(archive: Archive, tree: LayeredTree, directory: bytes, workspace: int) -> Losses:
    """Write *archive* into the *directory* of *tree* and return what could not be kept.

    *workspace* is a directory on the same file system, in which there is a temporary one meanwhile.

    Raises: OutputError when a file and a directory would meet; FormatError from the archive; OSError.
    Source: rename(2).
    """
    temporary = temporary_name("cp")
    os.mkdir(temporary, 0o700, dir_fd=workspace)
    try:
        descriptor = os.open(temporary, OPEN_DIRECTORY, dir_fd=workspace)
        try:
            with TreeWriter(descriptor, whole=True) as writer:
                writer.add(archive)
                writer.finish()
            _merge(descriptor, tree, directory)
        finally:
            os.close(descriptor)
    finally:
        remove_tree(temporary, dir_fd=workspace)
    return writer.lost


def _merge(source: int, tree: LayeredTree, directory: bytes) -> None:
    way = OpenDirectories(source)
    try:
        for path in list(_find_new(way, tree, directory)):  # all of it is looked at before anything moves
            parent, _, name = path.rpartition(b"/")
            held = way.find(parent)
            if held is not None:
                tree.put(held, name, _join(directory, path))
    finally:
        way.close()


def _find_new(way: OpenDirectories, tree: LayeredTree, directory: bytes) -> Iterator[bytes]:
    """Yield the paths of what is to be moved: what is new, and files in place of files."""
    pending = [b""]
    while pending:
        path = pending.pop()
        parent = way.find(path)
        for text in sorted(os.listdir(parent)) if parent is not None else ():
            place = _join(path, os.fsencode(text))
            there = tree.find(_join(directory, place))
            is_directory = stat.S_ISDIR(os.stat(text, dir_fd=way.get(path), follow_symlinks=False).st_mode)
            if there is None or not (is_directory or there.is_directory):
                yield place
            elif is_directory and there.is_directory:
                pending.append(place)
            else:
                words = ("is no directory, and one would come", "is a directory, and a file would come")
                raise OutputError(f"{tree.what}:/{os.fsdecode(_join(directory, place))}", words[there.is_directory])


def _join(directory: bytes, name: bytes) -> bytes:
    return directory + b"/" + name if directory and name else directory or name
