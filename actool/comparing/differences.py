"""What differs between the files of two images, in the order of a tree: one walk along both snapshots.

A directory without an entry of its own counts as what unpacking makes of it. Of a file with several names the first is compared;
the others differ when they lead to another file than before. How archives spell or sort the same files is no difference.

Source: spec/image-archive.md, Names.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from acspec.archive.entry import Entry, Kind
from acspec.archive.spool import Spool
from acspec.values import Value
from actool.comparing.snapshot import NO_DIGEST, File, Item, Snapshot

# What may differ in files of one type, by the word for it.
_COMPARED: Mapping[str, Callable[[File], object]] = {
    "content": lambda file: (file.entry.size, file.digest),
    "mode": lambda file: file.entry.mode,
    "owner": lambda file: (file.entry.uid, file.entry.gid),
    "time": lambda file: file.entry.mtime_ns,
    "xattr": lambda file: file.entry.xattrs,
    "target": lambda file: file.entry.link_name,
    "device": lambda file: (file.entry.major, file.entry.minor),
    "links": lambda file: file.links_to,
}
WORDS = tuple(_COMPARED)
TYPE = "type"

_IMPLIED = File(Entry(b"", Kind.DIRECTORY, mode=0o755), NO_DIGEST)
_OWN = 0  # in the place of a first name: the file has no other, or this is it


class Difference(Value):
    """A path at which two images differ: None for an image that has nothing there, else *words* say what differs."""

    path: bytes
    old: File | None
    new: File | None
    words: tuple[str, ...] = ()


class _Pair(Value):
    """What two images have at one path; `implied` when the one that has nothing has something below it."""

    path: bytes
    old: Item | None
    new: Item | None
    implied: bool = False


class _FirstNames:
    """For each file of an image that has several names, where its first one is noted, once that has come."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._places = array("Q", sorted(snapshot.shared))
        self._noted = array("Q", bytes(8 * len(self._places)))

    def _find(self, item: Item | None) -> int | None:
        if item is None:
            return None
        index = bisect_left(self._places, item.place)
        return index if index < len(self._places) and self._places[index] == item.place else None

    def is_shared(self, item: Item | None) -> bool:
        return self._find(item) is not None

    def pass_by(self, item: Item | None, here: int) -> int:
        """Return where the first name of the file of *item* is noted, `_OWN` when it is the one that is noted *here*."""
        index = self._find(item)
        if index is None:
            return _OWN
        if not self._noted[index]:
            self._noted[index] = here
            return _OWN
        return self._noted[index]


def find_differences(old: Snapshot, new: Snapshot, ignored: frozenset[str] = frozenset()) -> Iterator[Difference]:
    """Return where the files of two images differ, but for what the words *ignored* stand for. Raises: StorageError.

    Source: spec/image-archive.md, Names.
    """
    with closing(Spool()) as names:
        names.append(b"\0")  # so that no name is noted at _OWN
        firsts = (_FirstNames(old), _FirstNames(new))
        for pair in _pairs(iter(old), iter(new)):
            first_old, first_new = _OWN, _OWN
            if firsts[0].is_shared(pair.old) or firsts[1].is_shared(pair.new):
                here = names.put(pair.path)
                first_old, first_new = firsts[0].pass_by(pair.old, here), firsts[1].pass_by(pair.new, here)
            if _is_same(pair, first_old, first_new):
                continue
            difference = Difference(
                pair.path,
                _get(old, pair.old, pair.implied, names, first_old),
                _get(new, pair.new, pair.implied, names, first_new),
            )
            yield from _compare(difference, ignored)


def _pairs(old: Iterator[Item], new: Iterator[Item]) -> Iterator[_Pair]:
    """Return what either image has, path by path, in the order of a tree."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        keys = _key(left), _key(right)
        first = min(keys)
        path = first[1].replace(b"\0", b"/")
        here, there = (left if keys[0] == first else None), (right if keys[1] == first else None)
        other = right if there is None else left
        implied = other is not None and other.path.startswith(path + b"/")
        yield _Pair(path, here, there, implied)
        left = left if here is None else next(old, None)
        right = right if there is None else next(new, None)


def _key(item: Item | None) -> tuple[bool, bytes]:
    """Return what sorts items as a snapshot does, and the end of a snapshot last."""
    return item is None, b"" if item is None else item.path.replace(b"/", b"\0")


def _is_same(pair: _Pair, first_old: int, first_new: int) -> bool:
    if pair.old is None or pair.new is None or first_old != first_new:
        return False
    if first_old != _OWN:  # a further name of what has been compared at its first
        return True
    return pair.old.fingerprint == pair.new.fingerprint and any(pair.old.fingerprint)


def _get(snapshot: Snapshot, item: Item | None, implied: bool, names: Spool, first: int) -> File | None:
    if item is None:
        return _IMPLIED if implied else None
    file = snapshot.get(item.place)
    if first == _OWN:
        return file
    return file._replace(links_to=names.get(first))


def _compare(difference: Difference, ignored: frozenset[str]) -> Iterator[Difference]:
    """Return *difference* with the words for it, unless there is none that counts."""
    old, new = difference.old, difference.new
    if old is None or new is None:
        yield difference
    elif old.entry.kind is not new.entry.kind:
        yield Difference(difference.path, old, new, (TYPE,))
    elif words := tuple(word for word, get in _COMPARED.items() if word not in ignored and get(old) != get(new)):
        yield Difference(difference.path, old, new, words)
