"""Files of a tree that may be hostile, and that may change while they are read."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acrun.layered import Found, LayeredTree
from acrun.tree_archive import TreeArchive
from acspec import limits
from acspec.archive.entry import Entry, Kind
from acspec.archive.sparse import fill_holes
from acspec.durable import remove_tree
from acspec.errors import FormatError


@contextmanager
def opened(path: Path, kind: type[LayeredTree] = LayeredTree) -> Iterator[LayeredTree]:
    """Give the tree at *path*."""
    tree = kind([os.open(path, os.O_RDONLY)], "pod")
    try:
        yield tree
    finally:
        tree.close()


def read(archive: TreeArchive) -> dict[bytes, tuple[Entry, bytes]]:
    """Read an archive to its end: each entry, and its content."""
    return {entry.name: (entry, b"".join(fill_holes(archive.read_pieces(entry), entry.size))) for entry in archive}


def test_a_directory_comes_with_all_that_is_in_it_under_its_new_name(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("text")
    (tmp_path / "a" / "hard").hardlink_to(tmp_path / "a" / "b" / "file")
    (tmp_path / "a" / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "a" / "fifo")
    os.chmod(tmp_path / "a" / "b" / "file", 0o640)
    with opened(tmp_path) as tree:
        found = read(TreeArchive(tree, b"a", b"new"))
    assert list(found) == [b"new", b"new/b", b"new/b/file", b"new/fifo", b"new/hard", b"new/link"]
    assert found[b"new/b/file"][1] == b"text"
    assert found[b"new/b/file"][0].mode == 0o640
    assert (found[b"new/hard"][0].kind, found[b"new/hard"][0].link_name) == (Kind.HARD_LINK, b"new/b/file")
    assert (found[b"new/link"][0].kind, found[b"new/link"][0].link_name) == (Kind.SYMLINK, b"/etc/passwd")
    assert found[b"new/fifo"][0].kind is Kind.FIFO


def test_contents_come_without_their_directory(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    with opened(tmp_path) as tree:
        assert list(read(TreeArchive(tree, b"a", b""))) == [b"file"]
        assert list(read(TreeArchive(tree, b"a/file", b"other"))) == [b"other"]


def test_holes_stay_holes(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        file.truncate(1 << 30)
        file.seek(512 << 20)
        file.write(b"x")
    with opened(tmp_path) as tree:
        archive = TreeArchive(tree, b"file", b"file")
        for entry in archive:
            pieces = [(offset, len(data)) for offset, data in archive.read_pieces(entry)]
            assert entry.size == 1 << 30
            assert sum(size for _, size in pieces) <= 1 << 20
            assert any(offset <= 512 << 20 < offset + size for offset, size in pieces)


def test_sockets_and_file_systems_of_the_kernel_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as server, opened(tmp_path) as tree:
        server.bind(str(tmp_path / "socket"))
        archive = TreeArchive(tree, b"", b"all")
        assert list(read(archive)) == [b"all", b"all/file"]
        assert str(archive.left_out) == "sockets (1)"
        skipped = TreeArchive(tree, b"", b"all", skipped={os.stat(tmp_path).st_dev})
        assert read(skipped) == {}
        assert str(skipped.left_out) == "file systems of the kernel (1)"


def test_what_is_harmless_has_no_powers(tmp_path: Path) -> None:
    (tmp_path / "su").touch()
    (tmp_path / "dir").mkdir()
    os.chmod(tmp_path / "su", 0o6755)
    os.chmod(tmp_path / "dir", 0o2755)
    with opened(tmp_path) as tree:
        archive = TreeArchive(tree, b"", b"all", harmless=True)
        modes = {name: entry.mode for name, (entry, _) in read(archive).items()}
        assert (modes[b"all/su"], modes[b"all/dir"]) == (0o755, 0o2755)
        assert str(archive.left_out) == "set-user-ID bits, set-group-ID bits or file capabilities (1)"
        assert read(TreeArchive(tree, b"", b"all"))[b"all/su"][0].mode == 0o6755


class Hostile(LayeredTree):
    """A tree in which a file becomes something else between the look at it and its opening."""

    become: Any = None

    def open(self, path: bytes, found: Found) -> int:
        if path == b"file":
            os.unlink(self.become.path)
            self.become(self.become.path)
        return super().open(path, found)


def _fifo(path: str) -> None:
    os.mkfifo(path)


def _link(path: str) -> None:
    os.symlink("/etc/passwd", path)


def _socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


def _directory(path: str) -> None:
    os.mkdir(path)


def _nothing(_: str) -> None:
    pass


SWAPS = {
    "a FIFO, which nobody writes to": _fifo,
    "a link that leads out": _link,
    "a socket": _socket,
    "a directory": _directory,
    "nothing": _nothing,
}


@pytest.mark.parametrize("become", SWAPS.values(), ids=SWAPS)
def test_a_file_that_becomes_something_else_is_left_out(become: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "other").write_text("text")
    become.path = str(tmp_path / "file")
    monkeypatch.setattr(Hostile, "become", staticmethod(become))
    with opened(tmp_path, Hostile) as tree:
        assert list(read(TreeArchive(tree, b"", b"all"))) == [b"all", b"all/other"]


@pytest.mark.parametrize(("change", "content"), [("shorter", b"te\0\0"), ("longer", b"text")])
def test_a_file_has_the_length_that_it_had_when_it_was_looked_at(change: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with opened(tmp_path) as tree:
        archive = TreeArchive(tree, b"file", b"file")
        for entry in archive:
            if change == "shorter":
                os.truncate(tmp_path / "file", 2)
            else:
                (tmp_path / "file").write_text("text" * 1000)
            assert b"".join(fill_holes(archive.read_pieces(entry), entry.size)) == content


def test_a_tree_without_end_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    monkeypatch.setattr(limits, "ARCHIVE_ENTRIES", 3)
    with opened(tmp_path) as tree, pytest.raises(FormatError, match="more files or bytes than the limits"):
        read(TreeArchive(tree, b"", b"all"))


def test_a_tree_may_be_deeper_than_a_path_is_long(tmp_path: Path) -> None:
    current = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=current)
        following = os.open("deep", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    os.close(current)
    with opened(tmp_path) as tree:
        assert len(read(TreeArchive(tree, b"", b"all"))) == 1501
    two = LayeredTree([os.open(tmp_path, os.O_RDONLY), os.open(tmp_path, os.O_RDONLY)], "pod")
    assert len(read(TreeArchive(two, b"", b"all"))) == 1501
    two.close()
    remove_tree(str(tmp_path / "deep"))  # for those who would remove it by recursion
