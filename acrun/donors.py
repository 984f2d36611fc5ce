"""Which trees may share files with one that is being made: those that have the same images in them, or others of the same names.

What a tree has in it, its own `tree.json` says. A donor is held by its lock only while a layer is written, and is none the younger
for it: what gc goes by is use by pods.

Source: spec/store.md, Rendered trees.
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager

from acrun.sharing import SharingTree, can_clone
from acspec.archive.path_table import PathTable
from acspec.durable import list_names
from acspec.errors import BusyError, FormatError
from acspec.jsontext import parse_json
from acspec.locks import open_locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from acspec.resolution import ImageFile

# Trees whose records are read, those first that were used last: more would take longer than is saved.
MOST_TREES = 100
_RECORD_BYTES = 1 << 20


class Donors:
    """The trees in RUN, as donors for one tree."""

    def __init__(self, run_directory: str, directory: int, images: Iterable[ImageFile]) -> None:
        """Look for donors for a tree of *images* that is being made in the directory which *directory* is a descriptor of.

        Raises: OSError.
        """
        self._directory = directory
        self._given = PathTable()
        wanted = {image.image_id for image in images}
        found = [(path, _read_contents(path)) for path in _last_used(os.path.join(run_directory, "trees"))]
        # The more a tree has in common, the fewer others are needed; sorting leaves those first that were used last.
        self._trees = sorted(found, key=lambda item: len(wanted.intersection(item[1])), reverse=True)

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[SharingTree | None]:
        """Give the tree that is most likely to have the files of *image*, held while it is needed; None where there is none.

        Raises: OSError.
        Source: spec/store.md, Rendered trees.
        """
        words = (image.image_id, image.manifest.name)
        for path in [path for word in words for path, contents in self._trees if word in contents]:
            if (donor := self._open(path)) is not None:
                with closing(donor):
                    yield donor
                return
        yield None

    def _open(self, path: str) -> SharingTree | None:
        """Return the tree at *path*, locked, or None when it is being removed, or is no tree any more."""
        try:
            lock = open_locked(path, shared=True)
        except (BusyError, OSError):
            return None
        try:
            return SharingTree(lock, self._given, clones=self._can_clone(lock))
        except OSError:
            os.close(lock)
            return None

    def _can_clone(self, tree: int) -> bool:
        record = os.open("tree.json", os.O_RDONLY | os.O_CLOEXEC, dir_fd=tree)
        try:
            return can_clone(record, self._directory)
        finally:
            os.close(record)


def _last_used(directory: str) -> list[str]:
    times = {}
    for path in (os.path.join(directory, name) for name in list_names(directory)):
        try:
            times[path] = os.stat(path).st_mtime_ns
        except FileNotFoundError:  # a gc was faster
            continue
    return sorted(times, key=lambda path: times[path], reverse=True)[:MOST_TREES]


def _read_contents(path: str) -> set[str]:
    """Return the IDs and the names of the images in a tree; none where its record cannot be read."""
    record = os.path.join(path, "tree.json")
    try:
        with open(record, "rb") as file:
            value = parse_json(file.read(_RECORD_BYTES), record)
    except (OSError, FormatError):
        return set()
    lists = (value.get(key) for key in ("images", "names")) if isinstance(value, dict) else ()
    return {word for words in lists if isinstance(words, list) for word in words if isinstance(word, str)}
