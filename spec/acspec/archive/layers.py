"""Layers laid over each other on paper: which entry of which layer lies at each path in the end.

The rules are those by which `extract` lays them over each other on a disk. All paths of all layers are gone through in one order, a
directory before its contents, so that one look at a path decides it, and nothing need be remembered but the directories around it.

Source: ace.md, Filesystem Setup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter

from acspec.archive.index import ImageIndex, Keep, is_inside, parent_key
from acspec.typed import NamedTuple

# The key of a path, the number of a layer, the place of an entry in it, if that is a directory.
_Event = tuple[bytes, int, int, bool]


class ImageLayer(NamedTuple):
    """An image, and what is wanted of it: see `acspec.layer_plan.whitelist_filter`."""

    image: ImageIndex
    keep: Keep | None = None


class Winner(NamedTuple):
    """What lies at a path in the end, by its key: the entry at *place* of a layer; 0: a directory that is only a parent."""

    key: bytes
    layer: int
    place: int
    is_directory: bool


class _Directories:
    """The directories of the finished tree around a path: what layers before *since* put into one went away with what it replaced.

    Only the innermost has its path here, of which those of the others are beginnings: each path may be a long one.
    """

    def __init__(self) -> None:
        self._innermost = b""
        self._around: list[tuple[int, int]] = []  # length of the path, and since

    def enter(self, key: bytes, since: int) -> None:
        """Go into the directory of *key*."""
        self._innermost = key
        self._around.append((len(key), since))

    def find_since(self, parent: bytes) -> int | None:
        """Go out to the directory *parent* and return since which layer it counts, or None when that is no directory in the end."""
        while self._around and not is_inside(parent, self._innermost):
            self._around.pop()
            self._innermost = self._innermost[: self._around[-1][0]] if self._around else b""
        return self._around[-1][1] if self._around and self._innermost == parent else None


def merge_layers(layers: Sequence[ImageLayer]) -> Iterator[Winner]:
    """Return what lies at each path once *layers* are laid over each other, the first at the bottom, in the order of the paths.

    Raises: OSError.
    Source: ace.md, Filesystem Setup.
    """
    directories = _Directories()
    for key, events in groupby(merge(*map(_events, range(len(layers)), layers)), itemgetter(0)):
        since = directories.find_since(parent_key(key)) if key else 0
        if since is None:
            continue
        found = _find_winner(events, since)
        if found is not None:
            winner, since = found
            if winner.is_directory:
                directories.enter(key, since)
            yield winner


def _events(number: int, layer: ImageLayer) -> Iterator[_Event]:
    for key, place, is_directory in layer.image.paths(layer.keep):
        yield key, number, place, is_directory


def _find_winner(events: Iterable[_Event], since: int) -> tuple[Winner, int] | None:
    """Return what of *events* at one path is left, and for a directory since which layer it has been one; None for nothing.

    A directory over a directory brings its own properties, unless it is only a parent; everything else replaces what is there.
    """
    winner: Winner | None = None
    born = since
    for event in events:
        new = Winner(*event)
        if new.layer < since:  # gone with the directory that it was in
            continue
        if winner is None or not winner.is_directory:
            winner, born = new, new.layer
        elif new.place:
            winner = new
    return None if winner is None else (winner, born)
