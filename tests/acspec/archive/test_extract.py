"""Files of images written into a tree."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.durable import remove_tree
from acspec.errors import FormatError
from tests.support import images
from tests.support.images import Node, directory, hard_link

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="owners and devices need root")


class Tree:
    """A directory that images are extracted into, one over another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def add(self, *layers: images.Files) -> TreeWriter:
        with TreeWriter(self.descriptor) as writer:
            for files in layers:
                with ImageReader(io.BytesIO(images.image(files)), "x.aci", hashed=False) as reader:
                    writer.add(reader)
            writer.finish()
        return writer

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*"))


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    (tmp_path / "tree").mkdir(mode=0o700)
    made = Tree(tmp_path / "tree")
    yield made
    os.close(made.descriptor)
    remove_tree(str(tmp_path / "tree"))  # deeper than pytest's own cleaning gets


def test_content_modes_times_and_links_are_kept(tree: Tree) -> None:
    tree.add(
        {
            "bin": directory(mode=0o750, mtime=1_000_000_000),
            "bin/hello": Node(b"hello", mode=0o555, mtime="1234567890.123456789"),
            "bin/hi": images.symlink("hello", mtime=7),
            "bin/hey": hard_link("bin/hello"),
            "fifo": Node(kind="6", mode=0o622),
        }
    )
    assert tree.names() == ["bin", "bin/hello", "bin/hey", "bin/hi", "fifo"]
    status = (tree.path / "bin/hello").stat()
    assert (tree.path / "bin/hello").read_bytes() == b"hello"
    assert stat.S_IMODE(status.st_mode) == 0o555
    assert status.st_mtime_ns == 1_234_567_890_123_456_789
    assert status.st_nlink == 2
    assert os.path.samefile(tree.path / "bin/hello", tree.path / "bin/hey")
    assert os.readlink(tree.path / "bin/hi") == "hello"
    assert os.lstat(tree.path / "bin/hi").st_mtime == 7
    assert (tree.path / "bin").stat().st_mtime == 1_000_000_000
    assert stat.S_IMODE((tree.path / "bin").stat().st_mode) == 0o750
    assert stat.S_ISFIFO((tree.path / "fifo").stat().st_mode)


@needs_root
def test_root_keeps_owners_devices_and_set_user_id_bits(tree: Tree) -> None:
    writer = tree.add(
        {
            "su": Node(b"x", mode=0o4755, uid=12, gid=34),
            "null": Node(kind="3", mode=0o666, major=1, minor=3),
            "link": images.symlink("su", uid=56, gid=78),
        }
    )
    status = (tree.path / "su").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12, 34, 0o4755)
    assert os.lstat(tree.path / "link").st_uid == 56
    assert (tree.path / "null").stat().st_rdev == os.makedev(1, 3)
    assert not writer.lost


REPLACEMENTS = {
    "a file by a file": ({"x": b"old"}, {"x": b"new"}),
    "a file by a directory": ({"x": b"old"}, {"x": None, "x/y": b"new"}),
    "a directory by a file": ({"x": None, "x/y": None, "x/y/z": b"old"}, {"x": b"new"}),
    "a directory by a link": ({"x": None, "x/y": b"old"}, {"x": "elsewhere"}),
    "a link by a directory": ({"x": "/tmp"}, {"x": None, "x/y": b"new"}),
    "a link by what is in a directory of its name": ({"x": "/tmp"}, {"x/y": b"new"}),
    "a link by a file": ({"x": "/etc/passwd"}, {"x": b"new"}),
    "a hard link by a file": ({"w": b"old", "x": hard_link("w")}, {"x": b"new"}),
    "a file by a hard link": ({"x": b"old"}, {"w": b"new", "x": hard_link("w")}),
    "a FIFO by a file": ({"x": Node(kind="6")}, {"x": b"new"}),
}


@pytest.mark.parametrize(("first", "second"), REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_a_later_layer_replaces(tree: Tree, first: images.Files, second: images.Files) -> None:
    tree.add(first, second)
    found = tree.path / "x"
    expected = second.get("x", None)
    if isinstance(expected, str):
        assert os.readlink(found) == expected
    elif expected is None:
        assert found.is_dir()
        assert not found.is_symlink()
        assert (found / "y").read_bytes() == b"new"
    else:
        assert found.read_bytes() == b"new"
    if "w" in first:
        assert (tree.path / "w").read_bytes() == b"old"


def test_a_directory_over_a_directory_keeps_what_is_in_it(tree: Tree) -> None:
    tree.add({"d": directory(mode=0o700), "d/a": b"1"}, {"d": directory(mode=0o755, mtime=5), "d/b": b"2"})
    assert tree.names() == ["d", "d/a", "d/b"]
    assert stat.S_IMODE((tree.path / "d").stat().st_mode) == 0o755
    assert (tree.path / "d").stat().st_mtime == 5


def test_deep_trees_and_long_paths_are_written(tree: Tree) -> None:
    depth = 1200
    files: dict[str, Node | bytes | str | None] = {"/".join(["deep"] * n): None for n in range(1, depth)}
    files["/".join(["deep"] * (depth - 1)) + "/file"] = b"bottom"
    tree.add(files)
    count, descriptor = 0, os.dup(tree.descriptor)
    while "deep" in os.listdir(descriptor):
        below = os.open("deep", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor, count = below, count + 1
    assert count == depth - 1
    assert os.listdir(descriptor) == ["file"]
    os.close(descriptor)


def test_a_name_longer_than_the_file_system_allows_is_refused_by_name(tree: Tree) -> None:
    with pytest.raises(FormatError, match=r'entry "rootfs/nnn.*longer than the file system allows'):
        tree.add({"n" * 300: b""})
