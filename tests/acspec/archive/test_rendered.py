"""Layers read as one image: held to what `TreeWriter` makes of the same layers on a disk, in all that a file has."""

from __future__ import annotations

import os
import random
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec import limits
from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.rendered import RenderedImage
from acspec.errors import FormatError
from tests.support import images, layers
from tests.support.images import Node, directory
from tests.support.layouts import write_image
from tests.support.rendered import MANIFEST, PLAIN, rendered, write

IS_ROOT = os.geteuid() == 0

Layers = Sequence[layers.Layer]
Tree = tuple[Mapping[str, object], set[frozenset[str]]]


def unpack(archive: RenderedImage | ImageReader, layout: Path) -> None:
    """Make the directory *layout* of an image."""
    layout.mkdir(mode=0o700)
    descriptor = os.open(layout, os.O_RDONLY | os.O_DIRECTORY)
    with TreeWriter(descriptor, whole=True) as writer:
        writer.add(archive)
        writer.finish()
    os.close(descriptor)


def look(tree: Path) -> Tree:
    """Return all that the files in *tree*, itself included, have on the disk, and which of its paths are one file."""
    found, groups = {}, dict[int, set[str]]()
    for path in (tree, *sorted(tree.rglob("*"))):
        status, name = path.lstat(), str(path.relative_to(tree))
        xattrs = {key: os.getxattr(path, key, follow_symlinks=False) for key in os.listxattr(path, follow_symlinks=False)}
        content: object = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else content
        found[name] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_rdev, content, xattrs)
        if not stat.S_ISDIR(status.st_mode):
            groups.setdefault(status.st_ino, set()).add(name)
    return found, {frozenset(group) for group in groups.values()}


def adorn(files: images.Files, layer: int, seed: int) -> images.Files:
    """Return *files* in some order that an archive may have, each with properties that tell where it comes from."""
    order = random.Random(seed)
    names = [name for name, value in files.items() if not _is_link(value)]
    order.shuffle(names)
    names += [name for name, value in files.items() if _is_link(value)]
    return {name: _adorned(files[name], 100 * layer + number) for number, name in enumerate(names)}


def _is_link(value: Any) -> bool:
    return isinstance(value, Node) and value.kind == "1"


def _adorned(value: Any, number: int) -> Any:
    if _is_link(value):
        return value
    owned = {"mode": 0o400 | 0o7777 & number * 11, "uid": number, "gid": number + 1, "mtime": f"{number}.{number:09d}"}
    if value is None:
        return directory(**{**owned, "mode": owned["mode"] | 0o700}, xattrs={f"user.{number}": b"d"} if number % 3 == 0 else {})
    if isinstance(value, str):
        return Node(kind="2", link=value, **owned)
    if isinstance(value, Node):
        return Node(kind=value.kind, major=value.major, minor=value.minor, **owned)
    return Node(value * 100, **owned, xattrs={f"user.{number}": b"f"} if number % 2 else {})


def write_all(place: Path, stack: Layers, compressions: Sequence[str] = ("none",)) -> list[Path]:
    """Write each layer as an image, equal ones as the same; they take turns in how they are compressed."""
    paths = []
    for number, (files, _) in enumerate(stack):
        path = place / f"{next(first for first, layer in enumerate(stack) if layer[0] == files)}.aci"
        path.write_bytes(images.image(files, compression=compressions[number % len(compressions)]))
        path.chmod(0o644)
        paths.append(path)
    return paths


def check(place: Path, stack: Layers, compressions: Sequence[str] = ("none",)) -> None:
    """Check that *stack* rendered into an image, and into a directory, is what it is when it is laid over itself on a disk."""
    layers.write_layers(place / "tree", list(stack))
    paths = write_all(place, stack, compressions)
    whitelists = [whitelist for _, whitelist in stack]
    with rendered(paths, whitelists) as image:
        image_id = write(place / "x.aci", image)
    with (place / "x.aci").open("rb") as file, ImageReader(file.fileno(), "x.aci") as reader:
        unpack(reader, place / "extracted")
        assert reader.image_id == image_id
    with rendered(paths, whitelists) as image:
        unpack(image, place / "direct")
    expected = look(place / "tree")
    assert look(place / "extracted/rootfs") == expected
    assert look(place / "direct/rootfs") == expected
    assert (place / "extracted/manifest").read_bytes() == (place / "direct/manifest").read_bytes() == MANIFEST
    if IS_ROOT:
        assert build(place / "direct") == image_id


def build(layout: Path) -> str:
    descriptor = os.open(layout, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return write_image(descriptor, str(layout), len, PLAIN).image_id
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("second", layers.TYPES)
@pytest.mark.parametrize("first", layers.TYPES)
def test_any_type_replaces_any_other_and_back_as_on_a_disk(first: str, second: str, tmp_path: Path) -> None:
    kinds = (first, second, first)
    check(tmp_path, [(adorn(layers.TYPES[kind], number, 0), None) for number, kind in enumerate(kinds)])


DEVICE = [st.just(Node(kind="3", major=1, minor=3))] if IS_ROOT else []
STACKS = st.lists(
    st.tuples(
        layers.directories(layers.LEAVES, *DEVICE), st.none() | layers.PATHS.map(frozenset), st.booleans(), st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300)
@given(STACKS, st.sampled_from([("none",), ("gzip",), ("none", "xz", "gzip")]))
def test_whatever_the_layers_are_the_image_is_what_lies_on_the_disk(
    drawn: list[tuple[Mapping[str, Any], frozenset[str] | None, bool, int]], compressions: Sequence[str]
) -> None:
    stack = [
        (adorn(layers.as_files(tree, implied), number, seed), whitelist)
        for number, (tree, whitelist, implied, seed) in enumerate(drawn)
    ]
    with tempfile.TemporaryDirectory() as place:
        check(Path(place), stack, compressions)


@settings(max_examples=100)
@given(STACKS, st.lists(layers.PATHS, min_size=2, max_size=3))
def test_one_image_in_several_layers_counts_in_each_for_itself(
    drawn: list[tuple[Mapping[str, Any], frozenset[str] | None, bool, int]], again: list[set[str]]
) -> None:
    made = [(adorn(layers.as_files(tree, implied), n, seed), whitelist) for n, (tree, whitelist, implied, seed) in enumerate(drawn)]
    stack = [*((made[0][0], frozenset(whitelist)) for whitelist in again), *made[1:], made[0]]
    with tempfile.TemporaryDirectory() as place:
        check(Path(place), stack)


def test_links_of_two_layers_of_one_image_are_two_files(tmp_path: Path) -> None:
    files: images.Files = {name: b"content" if name == "a" else images.hard_link("a") for name in "abcd"}
    check(tmp_path, [(files, frozenset({"/a", "/b"})), (files, frozenset({"/c", "/d"}))])


def test_names_of_one_symbolic_link_or_fifo_stay_names_of_one(tmp_path: Path) -> None:
    below: images.Files = {"z": "target", "a": images.hard_link("z"), "y": Node(kind="6"), "b": images.hard_link("y")}
    stack: Layers = [(below, None), ({"y": b"file"}, None)]
    layers.write_layers(tmp_path / "tree", list(stack))
    with rendered(write_all(tmp_path, stack)) as image:
        unpack(image, tmp_path / "direct")
    assert look(tmp_path / "direct/rootfs") == look(tmp_path / "tree")


def test_the_root_is_that_of_the_last_image_and_the_manifest_has_its_properties(tmp_path: Path) -> None:
    for number in (1, 2):
        manifest = images.member("manifest", MANIFEST, mode=0o600 + number, uid=number, mtime=number)
        root = images.member("rootfs", kind="5", mode=0o710 + number, uid=number, mtime=number)
        (tmp_path / f"{number}.aci").write_bytes(images.archive([manifest, root]))
    with rendered([tmp_path / "1.aci", tmp_path / "2.aci"], manifest=b"{}") as image:
        assert [(e.name, e.mode, e.uid, e.mtime_ns, e.size) for e in image] == [
            (b"manifest", 0o602, 2, 2 * 10**9, 2), (b"rootfs", 0o712, 2, 2 * 10**9, 0),
        ]  # fmt: skip


def test_a_directory_that_came_back_as_a_parent_is_a_new_one(tmp_path: Path) -> None:
    """Below it was an explicit one; then a file was in its place; what is above does not name it."""
    stack: Layers = [({"x": directory(0o700, uid=7, mtime=7), "x/old": b""}, None), ({"x": b""}, None), ({"x/new": b""}, None)]
    with rendered(write_all(tmp_path, stack)) as image:
        assert [(e.name, e.mode, e.uid, e.mtime_ns) for e in image][2:] == [
            (b"rootfs/x", 0o755, 0, 0), (b"rootfs/x/new", 0o644, 0, 0),
        ]  # fmt: skip


def test_attributes_that_mean_something_on_their_host_only_are_left_out_and_counted(tmp_path: Path) -> None:
    xattrs = {"user.a": b"1", "trusted.overlay.opaque": b"y", "security.selinux": b"x", "user.overlay.opaque": b"y"}
    with rendered(write_all(tmp_path, [({"f": Node(b"", xattrs=xattrs)}, None)])) as image:
        entries = {entry.name: entry for entry in image}
        assert entries[b"rootfs/f"].xattrs == {b"user.a": b"1"}
        assert str(image.lost) == "3 extended attributes"


LARGE: images.Files = {"f": Node(bytes(2048), xattrs={"user.%": b"x" * 180}), "g": Node(b"", xattrs={"user.%": b"x" * 80})}
TOO_MUCH: Mapping[str, tuple[str, str, str]] = {
    "entries": ("ARCHIVE_ENTRIES", "g", "entries"),
    "bytes": ("IMAGE_UNPACKED_BYTES", "g", "bytes uncompressed"),
    "bytes of one extended header": ("PAX_HEADER_BYTES", "f", "bytes in an extended header"),
    "bytes of extended headers": ("PAX_HEADERS_BYTES", "g", "bytes in all extended headers"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_more_than_a_reader_takes_is_not_written(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, file, what = TOO_MUCH[case]
    paths = write_all(tmp_path, [(LARGE, None)])
    with rendered(paths) as image:
        write(tmp_path / "x.aci", image)
    extended = [int(block[124:135], 8) for block in _headers(tmp_path / "x.aci") if block[156:157] == b"x"]
    sizes = [len(_headers(tmp_path / "x.aci")) - len(extended), (tmp_path / "x.aci").stat().st_size, max(extended), sum(extended)]
    limit = dict(zip(TOO_MUCH, sizes, strict=True))[case]
    with rendered(paths) as image:
        monkeypatch.setattr(limits, name, limit)
        write(tmp_path / "y.aci", image)
    with (tmp_path / "y.aci").open("rb") as read, ImageReader(read.fileno(), "y.aci") as reader:
        assert len(list(reader)) == 4, "a reader takes it"
    with rendered(paths) as image:
        monkeypatch.setattr(limits, name, limit - 1)
        with pytest.raises(FormatError) as caught:
            write(tmp_path / "z.aci", image)
    assert str(caught.value) == f'0.aci: entry "rootfs/{file}": more than the limit of {limit - 1} {what}'


def _headers(path: Path) -> list[bytes]:
    """Return the header blocks of an image that has neither data that looks like one nor long names."""
    data = path.read_bytes()
    return [data[place : place + 512] for place in range(0, len(data), 512) if data[place + 257 : place + 262] == b"ustar"]
