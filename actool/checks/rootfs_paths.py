"""Paths resolved inside the rootfs of an image as the kernel will, once the app's root is there: links, `..`, whitelists, volumes.

What an executor brings (volumes, /proc, /sys, /dev) and what dependencies may bring is unknown, and nothing is concluded from it.

Source: path_resolution(7); aci.md, pathWhitelist; ace.md, Volume Setup; OS-SPEC.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.rendering import normalise_path, whitelist_filter
from actool.checks.rootfs_index import ROOT, Node, RootfsIndex

PATH_MAX = 4096

_LINKS = 40  # the kernel's own limit
_STEPS = 250_000  # of all look-ups in one image: links can make a path very long
_PROVIDED = ("/proc", "/sys", "/dev")
_ABSENT = "is not in the rootfs"
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
        todo, current, links = self._split(path), b"", 0
        while todo:
            part = todo.pop()
            if part == b"..":
                current = current.rpartition(b"/")[0]
                continue
            here = current + b"/" + part
            node = self._look(here)
            if node is None:
                return self._missing(here, _ABSENT, todo)
            if isinstance(node, str):
                return self._missing(here, node, todo)
            if node.kind is Kind.DIRECTORY:
                current = here
            elif node.kind is Kind.SYMLINK:
                links += 1
                if links > _LINKS:
                    return self._missing(here, "is a symbolic link that leads in a circle", todo)
                todo += self._split(node.target)
                current = b"" if node.target.startswith(b"/") else current
            elif node.kind is None:
                return Place(State.UNKNOWN, here, None, "", _join(todo))
            elif todo:
                return self._missing(here, "is not a directory", todo)
            else:
                return Place(State.FOUND, here, node)
        return Place(State.FOUND, current or b"/", self.find(current) or _MADE)

    def _look(self, here: bytes) -> Node | str | None:
        """Return what stands at *here*, or in words why it will not stand there."""
        if len(here) > PATH_MAX or here in self._covered or self._steps <= 0:
            return Node(None)
        node = self.find(here)
        if node is None:
            return _MADE if self._is_made is not None and self._is_made(here) else None
        return "is left out by pathWhitelist" if self._keeps is not None and not self._keeps(here) else node

    def _split(self, path: bytes) -> list[bytes]:
        """Return the components of *path*, the last one first."""
        if len(path) > PATH_MAX:
            self._steps = 0
        parts = _components(path[:PATH_MAX])
        self._steps -= len(parts)
        return parts

    def _missing(self, here: bytes, why: str, todo: list[bytes]) -> Place:
        return Place(State.MISSING if self._whole else State.UNKNOWN, here, None, why, _join(todo))


def _components(path: bytes) -> list[bytes]:
    return [part for part in reversed(path.split(b"/")) if part not in (b"", b".")]


def _join(todo: list[bytes]) -> bytes:
    return b"/".join(reversed(todo))


def describe_missing(asked: bytes, place: Place) -> str:
    """Return in words why *asked*, an absolute path, leads nowhere: `"/bin/sh" is not in the rootfs`.

    Source: spec/exit-codes.md.
    """
    way = b"/" + _join(_components(asked))
    end = place.path + b"/" + place.rest if place.rest else place.path
    subject = f'"{escape(way)}"' if way == end else f'"{escape(way)}" leads to "{escape(end)}", which'
    if not place.rest or place.why == _ABSENT:
        return f"{subject} {place.why}"
    return f'{subject} cannot be reached: "{escape(place.path)}" {place.why}'
