"""Layers for tests: chosen ones, any there may be, how they are laid over each other on a disk, and what then lies there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from acspec.archive.extract import TreeWriter
from acspec.archive.render import render_image
from acspec.layer_plan import whitelist_filter
from tests.support import images
from tests.support.images import Node, directory, hard_link

# What lies at a path: a directory (None), the target of a symbolic link, or a file, whose identity its hard links share.
File = tuple[str, bytes, int]
Tree = dict[str, "File | str | None"]
Layer = tuple[images.Files, "frozenset[str] | None"]

DIRECTORY: Mapping[str, Any] = {"x": directory(mode=0o750, mtime=5), "x/f": b"inside", "x/sub/g": b"deeper"}
TYPES: Mapping[str, images.Files] = {
    "a file": {"x": b"file"},
    "a directory": DIRECTORY,
    "an empty directory": {"x": None},
    "a directory that is only implied": {"x/f": b"implied"},
    "a link to the outside": {"x": "/outside"},
    "a link to what is above": {"x": ".."},
    "a link to nothing": {"x": "nothing"},
    "a link to itself": {"x": "x"},
    "a link to a directory beside it": {"beside": None, "beside/f": b"beside", "x": "beside"},
    "a hard link": {"first": b"linked", "x": hard_link("first")},
    "a file with a hard link": {"x": b"linked", "y": hard_link("x")},
    "a FIFO": {"x": Node(kind="6")},
}
DEVICE: images.Files = {"x": Node(kind="3", major=1, minor=3)}


def write_layers(tree: Path, layers: list[Layer]) -> None:
    """Lay *layers* over each other in the new directory *tree*."""
    tree.mkdir(mode=0o700)
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    with TreeWriter(descriptor) as writer:
        for number, (files, whitelist) in enumerate(layers):
            image = tree.parent / f"{tree.name}{number}.aci"
            image.write_bytes(images.image(files, compression="none"))
            with image.open("rb") as file:
                render_image(writer, file.fileno(), "x.aci", keep=whitelist_filter(whitelist))
        writer.finish()
    os.close(descriptor)


def look(tree: Path) -> Tree:
    """Return what lies below *tree*; no link is followed."""
    found: Tree = {}
    for path in sorted(tree.rglob("*")):
        status, name = path.lstat(), str(path.relative_to(tree))
        if stat.S_ISDIR(status.st_mode):
            found[name] = None
        elif stat.S_ISLNK(status.st_mode):
            found[name] = os.readlink(path)
        else:
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found[name] = (stat.filemode(status.st_mode)[0], content, status.st_ino)
    return found


def shape(tree: Tree) -> tuple[Mapping[str, object], set[frozenset[str]]]:
    """Return a tree without identities, and which of its paths are one file."""
    plain = {path: node[:2] if isinstance(node, tuple) else node for path, node in tree.items()}
    groups: dict[int, set[str]] = {}
    for path, node in tree.items():
        if isinstance(node, tuple):
            groups.setdefault(node[2], set()).add(path)
    return plain, {frozenset(group) for group in groups.values()}


def metadata(tree: Path) -> dict[str, tuple[int, int]]:
    found = {str(path.relative_to(tree)): path.lstat() for path in tree.rglob("*")}
    return {path: (status.st_mode, status.st_mtime_ns) for path, status in found.items()}


# Whatever layers there are

LEAVES = (
    st.binary(max_size=3) | st.sampled_from(["a", "../b", "/outside", "/", "a/b"]) | st.integers(0, 3) | st.just(Node(kind="6"))
)


def directories(*leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping[str, Any]]:
    """Return trees of dicts with *leaves*."""
    leaf = st.one_of(*leaves)
    return st.recursive(
        st.dictionaries(st.sampled_from("abc"), leaf, max_size=3),
        lambda inner: st.dictionaries(st.sampled_from("abc"), leaf | inner, max_size=3),
        max_leaves=6,
    )


PATHS = st.sets(st.sampled_from(["/a", "/b", "/c", "/a/a", "/a/b", "/b/a", "/b/c", "/a/a/b", "/c/a"]), min_size=1)
LAYERS = st.lists(st.tuples(directories(LEAVES), st.none() | PATHS.map(frozenset), st.booleans()), min_size=1, max_size=4)


def flatten(tree: Mapping[str, Any], implied: bool, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a tree of dicts as paths with what is there; an integer stands for a hard link."""
    for name, node in tree.items():
        if not isinstance(node, dict):
            yield above + name, node
            continue
        if not implied or not node:
            yield above + name, None
        yield from flatten(node, implied, f"{above}{name}/")


def as_files(tree: Mapping[str, Any], implied: bool) -> images.Files:
    """Return a layer in which each integer N has become a hard link to the Nth file before it, or a file of its own."""
    files: dict[str, Any] = {}
    for path, node in flatten(tree, implied):
        before = [
            known for known, value in files.items() if isinstance(value, bytes) or (isinstance(value, Node) and value.kind == "1")
        ]
        files[path] = (hard_link(before[node % len(before)]) if before else b"alone") if isinstance(node, int) else node
    return files
