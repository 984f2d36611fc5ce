"""What stands at each path of a rootfs, in eight bytes a path, in whatever order they come.

Of a path only 40 bits of the interpreter's own keyed hash are kept, so two paths can be taken for one: by chance once in a million
look-ups in an image of a million entries, and not on purpose, as the key is new in each process. What stands there is kept once
for all that are alike. All of it is bounded: a node for which there is no room is unknown, and so is every path that is not found,
once one was left out.

Source: spec/limits.md.
"""

from __future__ import annotations

import os
from array import array

from acspec import limits
from acspec.archive.entry import Kind
from acspec.archive.path_table import enlarge
from acspec.typed import NamedTuple
from actool.checks.programs import Program

ROOT = b"rootfs"
LONGEST = 4096 + len(ROOT)  # PATH_MAX: what is longer cannot be executed or entered by its name
MOST = 1 << 19  # paths, nearly twice those of a complete distribution

_CODE_BITS = 24
_CODES = (1 << _CODE_BITS) - 1
_HASH = (1 << 40) - 1
_START_SLOTS = 1 << 14
_GROWTH = 4
_DEEPEST = 256  # parents that are implied
_NODE_BYTES = 300  # what a node takes beside its text, and what a program adds to that
_PROGRAM_BYTES = 250


class Node(NamedTuple):
    """A file as lints see it: its type (None: unknown), what a link leads to, and what an executable file is."""

    kind: Kind | None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    link_name: bytes = b""
    program: Program | None = None


UNKNOWN = 1
PLAIN = 2  # a regular file that nobody may execute
_IMPLIED = 3  # a directory that so far is only a parent of what has come
_FIRST_NODES = (None, Node(None), Node(Kind.FILE), Node(Kind.DIRECTORY, 0o755))


class RootfsIndex:
    """A table from names (`rootfs/bin/sh`) to nodes, filled in any order that an image may have."""

    __slots__ = ("_codes", "_count", "_key", "_mask", "_nodes", "_parent", "_room", "_slots", "_whole")

    def __init__(self) -> None:
        self._key = os.urandom(16)  # where the interpreter's own seed is known, names could be made to collide
        self._slots = array("Q", bytes(8 * _START_SLOTS))
        self._mask = _START_SLOTS - 1
        self._count = 0
        self._nodes: list[Node | None] = list(_FIRST_NODES)
        self._codes: dict[Node, int] = {}
        self._room = limits.LINT_BYTES
        self._parent = ROOT
        self._whole = True

    def code_of(self, node: Node) -> int:
        """Return the code under which *node* is kept: that of all that are equal, or of what is unknown."""
        code = self._codes.get(node)
        if code is None:
            self._room -= _size_of(node)
            if self._room < 0:
                return UNKNOWN
            code = self._codes[node] = len(self._nodes)
            self._nodes.append(node)
        return code

    def put(self, name: bytes, code: int) -> None:
        """Take down that *name*, which is `rootfs` or below it, is what *code* stands for."""
        if len(name) > LONGEST or self._count >= MOST:
            self._whole = False
            return
        parent = name.rpartition(b"/")[0]
        if parent != self._parent:
            self._imply(parent)
            self._parent = parent
        hashed = hash(self._key + name) & _HASH
        slots, mask = self._slots, self._mask
        slot = hashed & mask
        while (word := slots[slot]) and word >> _CODE_BITS != hashed:  # as in _slot, but without a call for each entry
            slot = slot + 1 & mask
        slots[slot] = hashed << _CODE_BITS | code
        if not word:
            self._count += 1
            if self._count * 3 > mask * 2:
                self._grow()

    def find_code(self, name: bytes) -> int | None:
        """Return the code of *name*, None when nothing has that name."""
        word = self._slots[self._slot(hash(self._key + name) & _HASH)]
        return word & _CODES if word else None

    def find(self, name: bytes) -> Node | None:
        """Return what stands at *name*, None when nothing does."""
        code = self.find_code(name)
        if code is None:
            return None if self._whole else self._nodes[UNKNOWN]
        return self._nodes[code]

    def _imply(self, parent: bytes) -> None:
        """Take down the directory *parent* and those above it as far as they have not come themselves."""
        if parent.count(b"/") > _DEEPEST:
            self._whole = False
            return
        missing = []
        while parent and self.find_code(parent) is None:
            missing.append(parent)
            parent = parent.rpartition(b"/")[0]
        self._parent = b""
        for name in reversed(missing):  # from the top, so that each finds its own parent
            self.put(name, _IMPLIED)

    def _slot(self, hashed: int) -> int:
        """Return the slot that holds *hashed*, or the free one where it belongs."""
        slots, mask = self._slots, self._mask
        slot = hashed & mask
        while (word := slots[slot]) and word >> _CODE_BITS != hashed:
            slot = slot + 1 & mask
        return slot

    def _grow(self) -> None:
        self._slots = enlarge(self._slots, _GROWTH, _CODE_BITS)
        self._mask = len(self._slots) - 1


def _size_of(node: Node) -> int:
    size = _NODE_BYTES + len(node.link_name)
    if node.program is not None:
        size += _PROGRAM_BYTES + len(node.program.interpreter) + len(node.program.argument)
    return size
