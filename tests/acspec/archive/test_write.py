"""Layout directories written as images: what is on disk is in the image, and comes out of it again."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec.archive.acl import parse_acl
from acspec.archive.compression import Compression
from acspec.archive.entry import Entry, Kind
from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.walk import LayoutWalk
from acspec.archive.write import ImageSettings
from acspec.durable import remove_tree
from acspec.errors import FormatError, StorageError
from acspec.values import replace
from tests.support import images
from tests.support.layouts import check_layout, write_image

PLAIN = ImageSettings(Compression.NONE)


def make_layout(path: Path) -> Path:
    (path / "rootfs").mkdir(parents=True)
    (path / "manifest").write_bytes(images.manifest_bytes())
    return path


def write(layout: Path, settings: ImageSettings = PLAIN) -> bytes:
    output = bytearray()
    descriptor = os.open(layout, os.O_RDONLY | os.O_DIRECTORY)
    try:
        write_image(descriptor, str(layout), output.extend, settings)
    finally:
        os.close(descriptor)
    return bytes(output)


def read(content: bytes) -> dict[bytes, tuple[Entry, bytes]]:
    with ImageReader(io.BytesIO(content), "x.aci") as reader:
        return {entry.name: (entry, b"".join(reader.read_chunks(entry))) for entry in reader}


def extract(content: bytes, path: Path) -> None:
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with ImageReader(io.BytesIO(content), "x.aci") as reader, TreeWriter(descriptor, whole=True) as writer:
            writer.add(reader)
            writer.finish()
            assert not writer.lost
    finally:
        os.close(descriptor)


def test_entries_stand_in_the_order_of_their_names_the_manifest_first(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    for name in ("b", "a", "a.d", "B", "é"):
        (layout / "rootfs" / name).write_bytes(b"")
    (layout / "rootfs/a-d").mkdir()
    (layout / "rootfs/a-d/z").write_bytes(b"")
    names = [name.decode() for name in read(write(layout))]
    assert names == ["manifest", "rootfs", *(f"rootfs/{name}" for name in ("B", "a", "a-d", "a-d/z", "a.d", "b", "é"))]


def test_what_a_file_has_is_in_the_image(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    file = layout / "rootfs/f"
    file.write_bytes(b"data")
    os.setxattr(file, "user.a", b"\0=\n")
    file.chmod(0o4751)
    os.utime(file, ns=(0, 1_234_567_890_123_456_789))
    (layout / "rootfs/l").symlink_to("f\n")
    entry, data = read(write(layout))[b"rootfs/f"]
    assert data == b"data"
    assert (entry.mode, entry.mtime_ns, entry.size) == (0o4751, 1_234_567_890_123_456_789, 4)
    assert (entry.uid, entry.gid) == (file.stat().st_uid, file.stat().st_gid)
    assert entry.xattrs == {b"user.a": b"\0=\n"}
    assert read(write(layout))[b"rootfs/l"][0].link_name == b"f\n"


def test_several_names_of_a_file_are_one_file_and_links_to_it(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    (layout / "rootfs/b").write_bytes(b"data")
    for name in ("a", "c"):
        (layout / "rootfs" / name).hardlink_to(layout / "rootfs/b")
    found = read(write(layout))
    assert found[b"rootfs/a"][1] == b"data"
    assert all(
        found[name][0].kind is Kind.HARD_LINK and found[name][0].link_name == b"rootfs/a" for name in (b"rootfs/b", b"rootfs/c")
    )


def test_a_file_that_is_also_the_manifest_is_written_as_a_file(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    (layout / "rootfs/m").hardlink_to(layout / "manifest")
    assert read(write(layout))[b"rootfs/m"][1] == images.manifest_bytes()


@pytest.mark.privileged
def test_devices_owners_and_capabilities_come_back(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    os.mknod(layout / "rootfs/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(layout / "rootfs/loop", 0o660 | stat.S_IFBLK, os.makedev(7, 0xFFFFF))
    os.mkfifo(layout / "rootfs/fifo")
    (layout / "rootfs/f").write_bytes(b"")
    os.chown(layout / "rootfs/f", 3_000_000, 2**32 - 2)
    os.setxattr(layout / "rootfs/f", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    content = write(layout)
    extract(content, tmp_path / "again")
    assert write(tmp_path / "again") == content


ACCESS = parse_acl(b"user::rwx,user:0:r--,user:2000000000:-wx,group::r-x,group:50:--x,mask::rwx,other::---")
DEFAULT = parse_acl(b"user::rwx,user:12:r-x,group::---,mask::r-x,other::--x")
READERS = {
    "GNU tar": ["tar", "--acls", "--xattrs", "-xpf"],
    "GNU tar, told to take all attributes": ["tar", "--acls", "--xattrs", "--xattrs-include=*", "-xpf"],
    "GNU tar, without its own way for them": ["tar", "--xattrs", "--xattrs-include=*", "-xpf"],
    "libarchive": ["bsdtar", "-xpf"],
}


def _acls(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith("system.posix_acl")}


@pytest.mark.privileged
def test_access_control_lists_come_back_from_us_and_from_others(tmp_path: Path) -> None:
    assert ACCESS is not None
    assert DEFAULT is not None
    layout = make_layout(tmp_path / "layout")
    (layout / "rootfs/d").mkdir()
    (layout / "rootfs/f").write_bytes(b"data")
    for path in ("rootfs/f", "rootfs/d"):
        os.setxattr(layout / path, "system.posix_acl_access", ACCESS)
    os.setxattr(layout / "rootfs/d", "system.posix_acl_default", DEFAULT)
    (layout / "rootfs/d/inherited").write_bytes(b"")
    places = ("rootfs", "rootfs/f", "rootfs/d", "rootfs/d/inherited")
    wanted = [(_acls(layout / path), (layout / path).stat().st_mode) for path in places]
    assert [sorted(acls) for acls, _ in wanted][2] == ["system.posix_acl_access", "system.posix_acl_default"]
    assert all(acls for acls, _ in wanted[1:])
    content = write(layout)
    extract(content, tmp_path / "again")
    assert write(tmp_path / "again") == content
    assert [(_acls(tmp_path / "again" / path), (tmp_path / "again" / path).stat().st_mode) for path in places] == wanted
    (tmp_path / "x.tar").write_bytes(content)
    for reader, words in READERS.items():
        if shutil.which(words[0]):
            place = tmp_path / reader
            place.mkdir()
            subprocess.run([*words, tmp_path / "x.tar"], cwd=place, check=True)
            assert [(_acls(place / path), (place / path).stat().st_mode) for path in places] == wanted, reader


def test_settings_change_owners_and_times_and_nothing_else(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    os.utime(layout / "rootfs", (5, 5))
    found = read(write(layout, ImageSettings(Compression.NONE, clamp_ns=7_500_000_000, owner_root=True)))
    assert {(entry.uid, entry.gid) for entry, _ in found.values()} == {(0, 0)}
    assert found[b"rootfs"][0].mtime_ns == 5_000_000_000
    assert found[b"manifest"][0].mtime_ns == 7_500_000_000


FIXED = ImageSettings(Compression.NONE, clamp_ns=0, fixed_times=True, fixed_modes=True)


def _checkout(path: Path, umask: int) -> Path:
    """Make a layout as git would under *umask*."""
    before = os.umask(umask)
    try:
        layout = make_layout(path)
        for name, mode in (("data", 0o666), ("run", 0o777)):
            os.close(os.open(layout / "rootfs" / name, os.O_CREAT | os.O_WRONLY, mode))
        (layout / "rootfs/link").symlink_to("run")
    finally:
        os.umask(before)
    return layout


def test_fixed_modes_are_those_that_git_knows_whatever_the_umask_was(tmp_path: Path) -> None:
    layouts = [_checkout(tmp_path / f"{umask:o}", umask) for umask in (0o002, 0o022, 0o077)]
    assert len({write(layout, FIXED) for layout in layouts}) == 1
    assert write(layouts[1], FIXED) == write(layouts[1], replace(FIXED, fixed_modes=False))
    (layouts[2] / "rootfs/run").chmod(0o4711)
    os.link(layouts[2] / "rootfs/run", layouts[2] / "rootfs/same")
    os.mkfifo(layouts[2] / "rootfs/pipe", 0o600)
    found = {name: oct(entry.mode) for name, (entry, _) in read(write(layouts[2], FIXED)).items()}
    assert (found[b"rootfs/run"], found[b"rootfs/same"], found[b"rootfs/pipe"]) == ("0o755", "0o755", "0o600")


@pytest.mark.privileged
def test_fixed_modes_leave_no_access_control_list_that_would_undo_them(tmp_path: Path) -> None:
    assert ACCESS is not None
    assert DEFAULT is not None
    plain, listed = _checkout(tmp_path / "plain", 0o022), make_layout(tmp_path / "listed")
    os.setxattr(listed / "rootfs", "system.posix_acl_default", DEFAULT)
    shutil.copytree(plain, listed, symlinks=True, dirs_exist_ok=True)
    os.setxattr(listed / "rootfs/data", "system.posix_acl_access", ACCESS)
    (listed / "rootfs/data").chmod(0o644)
    os.setxattr(listed / "rootfs/run", "user.note", b"kept")
    assert _acls(listed / "rootfs/data")
    found = {name: (entry.mode, dict(entry.xattrs)) for name, (entry, _) in read(write(listed, FIXED)).items()}
    wanted = {name: (entry.mode, dict(entry.xattrs)) for name, (entry, _) in read(write(plain, FIXED)).items()}
    assert found == wanted | {b"rootfs/run": (0o755, {b"user.note": b"kept"})}


def test_deep_trees_are_written_and_come_back(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    descriptor = os.open(layout / "rootfs", os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("deep", 0o700, dir_fd=descriptor)
        below = os.open("deep", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    content = write(layout)
    extract(content, tmp_path / "again")
    assert write(tmp_path / "again") == content
    remove_tree(str(layout))
    remove_tree(str(tmp_path / "again"))


def test_a_file_that_shrinks_or_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    file = layout / "rootfs/f"
    file.write_bytes(bytes(8 << 20))
    descriptor = os.open(layout, os.O_RDONLY | os.O_DIRECTORY)

    def shrink(_: Any) -> None:
        file.write_bytes(b"short")

    with pytest.raises(StorageError, match=r"rootfs/f: changed while it was read \(try again\)"):
        write_image(descriptor, str(layout), shrink, PLAIN)
    os.close(descriptor)


def test_a_layout_is_checked_without_being_written(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    descriptor = os.open(layout, os.O_RDONLY | os.O_DIRECTORY)
    assert check_layout(descriptor, "layout") == 2
    (layout / "other").write_text("")
    with pytest.raises(FormatError, match='layout: "other": outside rootfs'):
        check_layout(descriptor, "layout")
    os.close(descriptor)


def test_an_unreadable_directory_is_named(tmp_path: Path) -> None:
    descriptor = os.open(make_layout(tmp_path / "layout"), os.O_RDONLY | os.O_DIRECTORY)
    walk = iter(LayoutWalk(descriptor, "layout"))
    next(walk)
    remove_tree(str(tmp_path / "layout/rootfs"))
    with pytest.raises(FileNotFoundError) as caught:
        next(walk)
    assert caught.value.filename == "layout/rootfs"
    os.close(descriptor)


TREES = st.recursive(
    st.binary(max_size=700) | st.sampled_from(["x", "../y", "/etc"]),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", ".c", "d e", "\udcff", "n" * 120]), inner, max_size=4),
    max_leaves=12,
)


def _plant(path: Path, tree: Any) -> None:
    if isinstance(tree, bytes):
        path.write_bytes(tree)
        path.chmod(0o400 | len(tree) % 0o4000)
        os.utime(path, ns=(0, len(tree) * 123_456_789_012))
    elif isinstance(tree, str):
        path.symlink_to(tree)
    else:
        path.mkdir(exist_ok=True)
        for name, inner in tree.items():
            _plant(path / name, inner)
        os.utime(path, ns=(0, len(tree) * 1_000_000_007))


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["a", "b", "z"]), TREES, max_size=3))
def test_a_tree_written_extracted_and_written_again_is_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    place = tmp_path_factory.mktemp("trees")
    layout = make_layout(place / "layout")
    _plant(layout / "rootfs", tree)
    content = write(layout)
    extract(content, place / "again")
    assert write(place / "again") == content
    remove_tree(str(place))
