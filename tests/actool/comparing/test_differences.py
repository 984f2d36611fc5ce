"""What differs between the files of two images: held against a model that knows trees and nothing of archives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.entry import Kind
from actool.comparing.differences import Difference, find_differences
from actool.comparing.snapshot import Snapshot, read_snapshot
from actool.inputs import Input
from tests.support.corpus import CORPUS
from tests.support.images import Files, Node, archive, directory, hard_link, manifest_bytes, member, node_member, symlink, tar

KEY = bytes(16)
Shown = tuple[str, str, tuple[str, ...]]


@contextmanager
def snapshots(*images: bytes) -> Iterator[list[Snapshot]]:
    """Take the snapshots of images, for the duration of a block."""
    found = [Snapshot(KEY) for _ in images]
    try:
        for snapshot, data in zip(found, images, strict=True):
            with TemporaryFile() as file:
                file.write(data)
                file.seek(0)
                read_snapshot(snapshot, Input(file.fileno(), "x.aci"))
        yield found
    finally:
        for snapshot in found:
            snapshot.close()


def differences(old: bytes, new: bytes, ignored: frozenset[str] = frozenset()) -> list[Difference]:
    with snapshots(old, new) as (first, second):
        return list(find_differences(first, second, ignored))


def shown(found: list[Difference]) -> list[Shown]:
    """Return differences in short: the path in the rootfs, what it is, and the words."""
    return [
        (
            os.fsdecode(difference.path)[7:],
            "added" if difference.old is None else "removed" if difference.new is None else "changed",
            difference.words,
        )
        for difference in found
    ]


def changed(path: str, *words: str) -> Shown:
    return (path, "changed", words)


FILE = Node(b"data", mode=0o644, uid=1, gid=2, mtime=3, xattrs={"user.a": b"1"})
LINKED: Files = {"a": b"data", "b": hard_link("a"), "c": hard_link("a")}

# Old files, new files, what differs.
CASES: dict[str, tuple[Files, Files, list[Shown]]] = {
    "nothing": ({"a": FILE}, {"a": FILE}, []),
    "a file more": ({}, {"a": FILE}, [("a", "added", ())]),
    "a file less": ({"a": FILE}, {}, [("a", "removed", ())]),
    "content of one length": ({"a": FILE}, {"a": replace(FILE, data=b"dada")}, [changed("a", "content")]),
    "the mode": ({"a": FILE}, {"a": replace(FILE, mode=0o4644)}, [changed("a", "mode")]),
    "the owner": ({"a": FILE}, {"a": replace(FILE, uid=0)}, [changed("a", "owner")]),
    "the group": ({"a": FILE}, {"a": replace(FILE, gid=0)}, [changed("a", "owner")]),
    "a nanosecond": (
        {"a": replace(FILE, mtime="3.000000001")},
        {"a": replace(FILE, mtime="3.000000002")},
        [changed("a", "time")],
    ),
    "a time before 1970": ({"a": replace(FILE, mtime="-1.5")}, {"a": replace(FILE, mtime="-0.5")}, [changed("a", "time")]),
    "an attribute's value": ({"a": FILE}, {"a": replace(FILE, xattrs={"user.a": b"2"})}, [changed("a", "xattr")]),
    "an attribute less": ({"a": FILE}, {"a": replace(FILE, xattrs={})}, [changed("a", "xattr")]),
    "the target of a link": ({"a": "b"}, {"a": "c"}, [changed("a", "target")]),
    "the mode of a link, which means nothing": ({"a": Node(kind="2", link="b", mode=0o755)}, {"a": symlink("b")}, []),
    "a device": ({"a": Node(kind="3", major=1, minor=3)}, {"a": Node(kind="3", major=1, minor=5)}, [changed("a", "device")]),
    "the type of a device": ({"a": Node(kind="3", major=1)}, {"a": Node(kind="4", major=1)}, [changed("a", "type")]),
    "the type, whatever else": ({"a": FILE}, {"a": directory(mtime=9)}, [changed("a", "type")]),
    "all of it": (
        {"a": FILE},
        {"a": Node(b"x", mode=0o600)},
        [changed("a", "content", "mode", "owner", "time", "xattr")],
    ),
    "a directory that is implied in one": ({"d": directory(), "d/a": FILE}, {"d/a": FILE}, []),
    "a directory that is implied in the other": ({"d/e/a": FILE}, {"d": None, "d/e": None, "d/e/a": FILE}, []),
    "a directory that is implied, and not as it was": (
        {"d": directory(mode=0o700), "d/a": FILE},
        {"d/a": FILE},
        [changed("d", "mode")],
    ),
    "a link where an implied directory is": ({"d": "x"}, {"d/a": FILE}, [changed("d", "type"), ("d/a", "added", ())]),
    "a directory goes with what is in it": (
        {"d": None, "d/a": FILE, "d-": FILE},
        {"d-": FILE},
        [("d", "removed", ()), ("d/a", "removed", ())],
    ),
    "names of one file, found in another order": (LINKED, {"c": b"data", "b": hard_link("c"), "a": hard_link("b")}, []),
    "a name of a file that becomes a file of its own": (LINKED, {**LINKED, "b": b"data"}, [changed("b", "links")]),
    "names of one file, changed at once": (
        LINKED,
        {**LINKED, "a": Node(b"dada", mode=0o600)},
        [changed("a", "content", "mode")],
    ),
    "the first name of a file goes": (
        LINKED,
        {"b": b"data", "c": hard_link("b")},
        [("a", "removed", ()), changed("b", "links"), changed("c", "links")],
    ),
    "one more name of a file": (LINKED, {**LINKED, "d": hard_link("a")}, [("d", "added", ())]),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_difference_has_its_word(sentence: str) -> None:
    old, new, expected = CASES[sentence]
    assert shown(differences(tar(old), tar(new))) == expected


@pytest.mark.parametrize("word", ["content", "mode", "owner", "time", "xattr"])
def test_what_is_ignored_is_no_difference(word: str) -> None:
    old, new, expected = CASES["all of it"]
    assert shown(differences(tar(old), tar(new), frozenset([word]))) == [
        changed("a", *(other for other in expected[0][2] if other != word))
    ]
    assert not differences(tar(old), tar(new), frozenset(expected[0][2]))


def test_values_are_those_of_the_file_itself_also_under_another_name() -> None:
    found = differences(tar(LINKED), tar({**LINKED, "b": Node(b"dada", mtime=5)}))
    assert len(found) == 1
    old, new = found[0].old, found[0].new
    assert old is not None
    assert new is not None
    assert (old.entry.size, old.entry.mtime_ns, old.links_to) == (4, 0, b"rootfs/a")
    assert (new.entry.size, new.entry.mtime_ns, new.links_to) == (4, 5 * 10**9, b"")
    assert old.digest != new.digest


def test_holes_are_zeros() -> None:
    from tests.support.sparse import in_data

    sparse = in_data(((1024, 512), (4096, 0)), 4096, b"x" * 512, name="rootfs/s")
    whole = member("rootfs/s", bytes(1024) + b"x" * 512 + bytes(2560))
    start = [member("manifest", manifest_bytes()), member("rootfs", kind="5", mode=0o755)]
    assert not differences(archive([*start, sparse]), archive([*start, whole]))


@pytest.mark.parametrize("sentence", [sentence for sentence, case in CORPUS.items() if not case.refused])
def test_no_image_differs_from_itself(sentence: str) -> None:
    data = CORPUS[sentence].data
    assert not differences(data, data)


# The model: a tree of paths, each with its inode.


@dataclass(frozen=True)
class Tree:
    """Paths with the number of the inode of each, the inodes, and the order in which an archive has the paths."""

    paths: Mapping[str, int]
    inodes: tuple[Node, ...]
    order: tuple[str, ...]
    explicit: frozenset[str]

    def first(self, path: str) -> str:
        """Return the first of the names of the file at *path*."""
        return min((other for other, inode in self.paths.items() if inode == self.paths[path]), key=components)

    def archived(self) -> bytes:
        """Return the tree as an image."""
        parts = [member("manifest", manifest_bytes()), member("rootfs", kind="5", mode=0o755)]
        seen: dict[int, str] = {}
        for path in self.order:
            inode = self.paths[path]
            if inode in seen:
                parts.append(node_member("rootfs/" + path, hard_link(seen[inode])))
            elif self.inodes[inode] != directory() or path in self.explicit or not self.has_children(path):
                parts.append(node_member("rootfs/" + path, self.inodes[inode]))
                if self.inodes[inode].kind == "0":
                    seen[inode] = path
        return archive(parts)

    def has_children(self, path: str) -> bool:
        """Tell whether anything is below *path*."""
        return any(other.startswith(path + "/") for other in self.paths)


def components(path: str) -> list[str]:
    return path.split("/")


PATHS = some.lists(some.sampled_from(["a", "b", "a-"]), min_size=1, max_size=3).map("/".join)
TIMES = some.sampled_from([0, 7, "1.5", "-3.25"])
NODES = some.one_of(
    some.builds(
        Node,
        some.sampled_from([b"", b"x", b"y"]),
        some.sampled_from([0o644, 0o4755]),
        some.integers(0, 1),
        mtime=TIMES,
        xattrs=some.sampled_from([{}, {"user.a": b"1"}, {"user.a": b"", "user.b": b"\xff"}]),
    ),
    some.builds(directory, some.sampled_from([0o755, 0o755, 0o700])),
    some.builds(symlink, some.sampled_from(["a", "/b"])),
    some.just(Node(kind="6")),
    some.builds(Node, kind=some.sampled_from("34"), major=some.integers(0, 1)),
)


@some.composite
def trees(draw: Any) -> Tree:
    inodes = list(draw(some.lists(NODES, min_size=1, max_size=6)))
    paths: dict[str, int] = {}
    for path, inode in sorted(draw(some.dictionaries(PATHS, some.integers(0, len(inodes) - 1), max_size=8)).items()):
        parents = ["/".join(components(path)[:count]) for count in range(1, len(components(path)))]
        if any(parent in paths and inodes[paths[parent]].kind != "5" for parent in parents):
            continue
        for name, node in [*((parent, directory()) for parent in parents if parent not in paths), (path, inodes[inode])]:
            if node.kind == "0":
                paths[name] = inode
            else:  # of the others no two are one
                inodes.append(node)
                paths[name] = len(inodes) - 1
    order = draw(some.permutations(sorted(paths)))
    return Tree(paths, tuple(inodes), tuple(order), frozenset(draw(some.sets(some.sampled_from(sorted(paths) or [""])))))


def model(old: Tree, new: Tree) -> list[Shown]:
    """Return what differs between two trees."""
    found: list[Shown] = []
    for path in sorted({*old.paths, *new.paths}, key=components):
        if path not in new.paths or path not in old.paths:
            there = old if path in old.paths else new
            explicit = there.inodes[there.paths[path]] != directory() or path in there.explicit or not there.has_children(path)
            if explicit:
                found.append((path, "removed" if there is old else "added", ()))
            continue
        before, after = old.inodes[old.paths[path]], new.inodes[new.paths[path]]
        firsts = (old.first(path), new.first(path))
        if before.kind != after.kind:
            found.append(changed(path, "type"))
        elif firsts[0] != firsts[1] or firsts[0] == path:
            words = [
                ("content", before.data != after.data),
                ("mode", before.mode != after.mode),
                ("owner", (before.uid, before.gid) != (after.uid, after.gid)),
                ("time", before.mtime != after.mtime),
                ("xattr", before.xattrs != after.xattrs),
                ("target", before.link != after.link),
                ("device", before.major != after.major),
                ("links", firsts[0] != firsts[1]),
            ]
            if any(differs for _, differs in words):
                found.append(changed(path, *(word for word, differs in words if differs)))
    return found


@given(trees(), trees())
def test_differences_are_those_of_the_trees(old: Tree, new: Tree) -> None:
    assert shown(differences(old.archived(), new.archived())) == model(old, new)


@given(trees(), some.randoms())
def test_one_tree_in_two_orders_is_one_tree(tree: Tree, random: Any) -> None:
    order = list(tree.order)
    random.shuffle(order)
    assert not differences(tree.archived(), replace(tree, order=tuple(order)).archived())


def test_kinds_of_the_model_are_all_there_are() -> None:
    assert len(Kind) == 7, "a new kind of entry needs a word, and a case here"
