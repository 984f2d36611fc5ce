"""Files of images written into a tree."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import ItemsView, Iterator
from pathlib import Path

import pytest

from acspec.archive.entry import Entry, Kind
from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.durable import remove_tree
from acspec.errors import FormatError
from tests.support import images
from tests.support.images import Node, directory, hard_link


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


@pytest.mark.privileged
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


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o027, 0o077, 0o777])
def test_the_umask_takes_nothing_from_a_mode(mask: int, tree: Tree) -> None:
    modes = (0o000, 0o444, 0o600, 0o644, 0o664, 0o666, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6777)
    before = os.umask(mask)
    try:
        tree.add({f"{mode:o}": Node(b"x", mode=mode) for mode in modes})
    finally:
        os.umask(before)
    assert {name: stat.S_IMODE((tree.path / name).stat().st_mode) for name in tree.names()} == {f"{mode:o}": mode for mode in modes}


@pytest.mark.privileged
def test_every_file_gets_its_owner_wherever_new_files_belong(tree: Tree) -> None:
    owners = [(0, 0), (0, 50), (7, 50), (0, 50), (0, 0), (7, 0)]
    files = {f"{number}": Node(b"x", uid=uid, gid=gid) for number, (uid, gid) in enumerate(owners)}
    # Where the directory has the bit, what is made in it belongs to its group, and so does what is made in the directories below.
    os.chown(tree.path, -1, 50)
    tree.path.chmod(0o2700)
    inner = {f"d/{name}": node for name, node in files.items()}
    back = {"d": directory(gid=60), "d/x": Node(gid=60), "x": Node(gid=60)}
    tree.add({**files, **inner}, back, {"d": directory(gid=50), **inner, "d/e/f": Node(gid=0)})
    for above in ("", "d"):
        found = [(tree.path / above / f"{number}").stat() for number in range(len(owners))]
        assert [(status.st_uid, status.st_gid) for status in found] == owners
    assert [(tree.path / name).stat().st_gid for name in ("d/x", "x", "d/e/f")] == [60, 60, 0]


def test_a_name_longer_than_the_file_system_allows_is_refused_by_name(tree: Tree) -> None:
    with pytest.raises(FormatError, match=r'entry "rootfs/nnn.*longer than the file system allows'):
        tree.add({"n" * 300: b""})


def test_no_link_is_followed_whatever_the_layers_do(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o711)
    (outside / "secret").write_text("secret")
    before = (outside.stat(), (outside / "secret").stat())
    tree.add(
        {"a": str(outside), "b": str(outside / "secret"), "c": "../outside", "d": str(outside), "e": str(outside)},
        {"a/secret": b"1", "b": b"2", "c": directory(mode=0o777, mtime=1), "w": b"", "d": hard_link("w"), "e": Node(kind="6")},
    )
    after = (outside.stat(), (outside / "secret").stat())
    assert [(s.st_mode, s.st_mtime_ns, s.st_uid, s.st_nlink, s.st_size) for s in after] == [
        (s.st_mode, s.st_mtime_ns, s.st_uid, s.st_nlink, s.st_size) for s in before
    ]
    assert (outside / "secret").read_text() == "secret"
    assert os.listdir(outside) == ["secret"]


def test_times_and_modes_of_a_link_are_not_those_of_its_target(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "host").write_text("")
    before = (tmp_path / "host").stat()
    tree.add({"l": images.symlink(str(tmp_path / "host"), mtime=1, uid=0)})
    assert (tmp_path / "host").stat().st_mtime_ns == before.st_mtime_ns
    assert (tmp_path / "host").stat().st_mode == before.st_mode


class _Snare(dict[bytes, bytes]):
    """Attributes of a file, in whose place there is a link to another one from the moment that they are looked at."""

    def __init__(self, path: Path, target: Path) -> None:
        super().__init__({b"user.some": b"thing"})
        self._path, self._target = path, target

    def items(self) -> ItemsView[bytes, bytes]:
        self._path.unlink()
        self._path.symlink_to(self._target)
        return super().items()


class _OneEntry:
    """An archive that holds one entry."""

    what = "x.aci"

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter([self._entry])

    def read_pieces(self, _: Entry, /) -> list[tuple[int, memoryview]]:
        return []


def test_who_swaps_a_fifo_for_a_link_meanwhile_changes_no_mode_of_the_host(tree: Tree, tmp_path: Path) -> None:
    """As an app can that sees the directory into which `acrun cp` copies."""
    host = tmp_path / "host"
    host.touch(mode=0o600)
    snare = _Snare(tree.path / "fifo", host)
    with TreeWriter(tree.descriptor) as writer, pytest.raises(OSError, match="fifo"):
        writer.add(_OneEntry(Entry(b"rootfs/fifo", Kind.FIFO, 0o666, os.geteuid(), os.getegid(), xattrs=snare)))
    assert (tree.path / "fifo").is_symlink()
    assert stat.S_IMODE(host.stat().st_mode) == 0o600


def test_directories_take_their_modes_and_times_last(tree: Tree) -> None:
    tree.add({"d": directory(mode=0o500, mtime=3), "d/e": directory(mode=0, mtime=4), "d/e/f": b"x", "d/g": b"y"})
    assert stat.S_IMODE((tree.path / "d").stat().st_mode) == 0o500
    assert (tree.path / "d").stat().st_mtime == 3
    assert stat.S_IMODE((tree.path / "d/e").stat().st_mode) == 0
    assert (tree.path / "d/e").stat().st_mtime == 4


def test_the_rootfs_gives_the_tree_its_own_mode_and_time(tree: Tree) -> None:
    content = images.archive(
        [images.member("manifest", images.manifest_bytes()), images.member("rootfs", kind="5", mode=0o711, mtime=9)]
    )
    with TreeWriter(tree.descriptor) as writer, ImageReader(io.BytesIO(content), "x.aci") as reader:
        writer.add(reader)
        writer.finish()
    assert stat.S_IMODE(tree.path.stat().st_mode) == 0o711
    assert tree.path.stat().st_mtime == 9


def test_a_directory_that_a_later_layer_replaced_and_another_implied_has_an_implied_mode(tree: Tree) -> None:
    tree.add({"d": directory(mode=0o700, mtime=5)}, {"d": b"file"}, {"d/f": b""})
    assert stat.S_IMODE((tree.path / "d").stat().st_mode) == 0o755
    assert (tree.path / "d").stat().st_mtime == 0


def test_an_earlier_hard_link_keeps_its_content_when_the_other_name_is_replaced(tree: Tree) -> None:
    tree.add({"a": b"old", "b": hard_link("a")}, {"a": b"new content"})
    assert (tree.path / "a").read_bytes() == b"new content"
    assert (tree.path / "b").read_bytes() == b"old"


def test_a_hard_link_in_a_later_layer_is_to_the_file_of_that_layer(tree: Tree) -> None:
    tree.add({"a": b"old", "b": b"old"}, {"a": b"new", "b": hard_link("a")})
    assert (tree.path / "b").read_bytes() == b"new"
    assert (tree.path / "a").stat().st_nlink == 2


def test_attributes_are_kept_but_for_those_of_the_host(tree: Tree) -> None:
    xattrs = {
        "user.colour": b"blue\0\n",
        "user.empty": b"",
        "trusted.overlay.opaque": b"y",
        "user.overlay.whiteout": b"",
        "security.selinux": b"x",
    }
    writer = tree.add({"f": Node(b"x", mode=0o444, xattrs=xattrs), "d": directory(xattrs=xattrs)})
    for name in ("f", "d"):
        assert sorted(os.listxattr(tree.path / name)) == ["user.colour", "user.empty"]
        assert os.getxattr(tree.path / name, "user.colour") == b"blue\0\n"
    assert writer.lost.xattrs == 6


def test_a_later_directory_does_not_inherit_the_attributes_of_an_earlier_one(tree: Tree) -> None:
    tree.add({"d": directory(xattrs={"user.old": b"1"})}, {"d": directory(xattrs={"user.new": b"2"})})
    assert os.listxattr(tree.path / "d") == ["user.new"]


ACL = "user::rwx,user:1000:r-x,group::r-x,mask::r-x,other::---"


def _acl_member(name: str, kind: str, **records: str) -> bytes:
    return images.pax({f"SCHILY.acl.{key}": value for key, value in records.items()}) + images.member(name, kind=kind, mode=0o750)


def test_acls_are_kept_and_none_is_inherited(tree: Tree) -> None:
    content = images.archive(
        [
            images.member("manifest", images.manifest_bytes()),
            images.member("rootfs", kind="5"),
            _acl_member("rootfs/d", "5", default=ACL, access=ACL),
            images.member("rootfs/d/plain", b"x", mode=0o644),
            _acl_member("rootfs/d/f", "0", access=ACL),
        ]
    )
    with TreeWriter(tree.descriptor) as writer, ImageReader(io.BytesIO(content), "x.aci") as reader:
        writer.add(reader)
        writer.finish()
    if writer.lost.xattrs:
        pytest.skip("this file system has no ACLs")
    assert sorted(os.listxattr(tree.path / "d")) == ["system.posix_acl_access", "system.posix_acl_default"]
    assert os.listxattr(tree.path / "d/plain") == []
    assert os.listxattr(tree.path / "d/f") == ["system.posix_acl_access"]
    assert stat.S_IMODE((tree.path / "d/f").stat().st_mode) == 0o750


@pytest.mark.privileged
def test_file_capabilities_are_kept(tree: Tree) -> None:
    capability = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service+ep
    writer = tree.add({"ping": Node(b"x", mode=0o755, uid=3, xattrs={"security.capability": capability})})
    assert os.getxattr(tree.path / "ping", "security.capability") == capability
    assert not writer.lost


def test_descriptors_and_memory_do_not_grow_with_the_tree(tree: Tree) -> None:
    before = len(os.listdir("/proc/self/fd"))
    tree.add({f"d{number % 300}/e{number}/f": b"" for number in range(900)})
    assert len(os.listdir("/proc/self/fd")) == before
