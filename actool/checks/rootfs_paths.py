"""Paths resolved inside the rootfs of an image as the kernel will, once the app's root is there, with whitelists and volumes.

What an executor brings (volumes, /proc, /sys, /dev) and what dependencies may bring is unknown, and nothing is concluded from it.

Source: path_resolution(7); aci.md, pathWhitelist; ace.md, Volume Setup; OS-SPEC.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from acspec.archive import lookup
from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.layer_plan import normalise_path, whitelist_filter
from acspec.typed import NamedTuple
from actool.checks.rootfs_index import ROOT, Node, RootfsIndex

_STEPS = 250_000  # of all look-ups in one image: links can make a path very long
_PROVIDED = ("/proc", "/sys", "/dev")
_UNKNOWN = "is not known"
_ABSENT = "is not in the rootfs"
_WORDS = {lookup.ABSENT: _ABSENT, lookup.LINKS: "is a symbolic link that leads in a circle"}
_MADE = Node(Kind.DIRECTORY, 0o755)


class State(Enum):
    """What is known of a path."""

    FOUND = "found"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Place(NamedTuple):
    """Where a path leads: the last place that was looked at, what is there, and why the way ends, when it does too early."""

    state: State
    path: bytes
    node: Node | None = None
    why: str = ""
    rest: bytes = b""


class RootfsPaths:
    """Look-ups in the rootfs of one image."""

    def __init__(
        self, index: RootfsIndex, *, whitelist: Iterable[str] = (), volumes: Iterable[str] = (), whole: bool = True
    ) -> None:
        """Look up paths in *index*, of which a *whitelist* keeps some, and over which *volumes* will be mounted.

        An image that is not *whole* has dependencies, which may bring what it lacks.
        """
        self._index = index
        self._keeps: Callable[[bytes], bool] | None = whitelist_filter(frozenset(map(normalise_path, whitelist)) or None)
        self._whole = whole
        self._steps = _STEPS
        self._covered: frozenset[bytes] = frozenset()
        self._is_made: Callable[[bytes], bool] | None = None
        # A mount point is made where its own path leads, and covers what is there.
        covered = {*_PROVIDED, *map(normalise_path, volumes)}
        covered |= {self._follow(path) for path in covered}
        self._covered = frozenset(path.encode() for path in covered)
        self._is_made = whitelist_filter(frozenset(covered))

    def _follow(self, path: str) -> str:
        place = self.resolve(path.encode())
        return normalise_path((place.path + b"/" + place.rest).decode("utf-8", "replace"))

    def find(self, path: bytes) -> Node | None:
        """Return what stands at *path* itself, no link of it followed, None when nothing does."""
        return self._index.find(ROOT + path.rstrip(b"/"))

    def resolve(self, path: bytes) -> Place:
        """Return where the absolute *path* leads.

        Source: path_resolution(7).
        """
        self._steps -= path.count(b"/")
        try:
            place = b"/" + lookup.resolve(path, self._look)
        except lookup.NowhereError as error:
            known = self._whole and error.why not in (_UNKNOWN, lookup.LONG)
            why = _WORDS.get(error.why, error.why)
            return Place(State.MISSING if known else State.UNKNOWN, b"/" + error.place, None, why, error.rest)
        return Place(State.FOUND, place, self.find(place) or _MADE)

    def _look(self, place: bytes) -> Node | str | None:
        """Return what stands at *place*, relative to the root, or in words why it will not stand there."""
        here = b"/" + place
        if len(here) > lookup.PATH_BYTES or here in self._covered or self._steps <= 0:
            return _UNKNOWN
        node = self.find(here)
        if node is None:
            return _MADE if self._is_made is not None and self._is_made(here) else None
        self._steps -= 1 + node.link_name.count(b"/")
        if self._keeps is not None and not self._keeps(here):
            return "is left out by pathWhitelist"
        return _UNKNOWN if node.kind is None else node


def describe_missing(asked: bytes, place: Place) -> str:
    """Return in words why *asked*, an absolute path, leads nowhere: `"/bin/sh" is not in the rootfs`.

    Source: spec/exit-codes.md.
    """
    way = b"/" + b"/".join(part for part in asked.split(b"/") if part not in (b"", b"."))
    end = place.path + b"/" + place.rest if place.rest else place.path
    subject = f'"{escape(way)}"' if way == end else f'"{escape(way)}" leads to "{escape(end)}", which'
    if not place.rest or place.why == _ABSENT:
        return f"{subject} {place.why}"
    return f'{subject} cannot be reached: "{escape(place.path)}" {place.why}'
