"""Layers laid over each other on a disk, against what the specification says of them in a few lines of Python.

The model knows no descriptors and no links that could be followed: a tree is a dict from paths to what lies there.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import images
from tests.support.images import Node, directory, hard_link
from tests.support.layers import DEVICE, LAYERS, TYPES, File, Layer, Tree, as_files, look, metadata, shape, write_layers


def expect(layers: list[Layer]) -> Tree:
    """Return what the layers must amount to. Source: ace.md, Filesystem Setup."""
    tree: Tree = {}
    for number, (files, whitelist) in enumerate(layers):
        for path, node in merge_links(number, files, whitelist):
            put(tree, path, node)
    return tree


def merge_links(number: int, files: images.Files, whitelist: frozenset[str] | None) -> Iterator[tuple[str, File | str | None]]:
    """Yield what a whitelist keeps of a layer; all names of one file have one identity."""
    origins: dict[str, str] = {}
    for path, value in files.items():
        node = value if isinstance(value, Node) else Node(value) if isinstance(value, bytes) else None
        if node is not None and node.kind == "1":
            target = str(node.link).removeprefix("rootfs/")
            origins[path] = origins.get(target, target)
            data = files[origins[path]]
            node = data if isinstance(data, Node) else Node(data) if isinstance(data, bytes) else Node()
        if whitelist is not None and not any(item == f"/{path}" or item.startswith(f"/{path}/") for item in whitelist):
            continue
        if isinstance(value, str):
            yield path, value
        elif node is None or node.kind == "5":
            yield path, None
        else:
            identity = number * 1000 + list(files).index(origins.get(path, path))
            yield path, ({"0": "-", "6": "p", "3": "c"}[node.kind], node.data, identity)


def put(tree: Tree, path: str, node: File | str | None) -> None:
    """Put *node* at *path*: in place of all that is there, but for a directory over a directory."""
    parts = path.split("/")
    for length in range(1, len(parts)):
        clear(tree, "/".join(parts[:length]), for_directory=True)
    clear(tree, path, for_directory=node is None)
    tree[path] = node


def clear(tree: Tree, path: str, *, for_directory: bool) -> None:
    if not (for_directory and path in tree and tree[path] is None):
        for known in [known for known in tree if known == path or known.startswith(path + "/")]:
            del tree[known]
    if for_directory:
        tree[path] = None


def check(place: Path, layers: list[Layer]) -> None:
    outside = place / "outside"
    outside.mkdir(mode=0o711)
    (outside / "f").write_bytes(b"not yours")
    os.utime(outside, ns=(1, 1))
    layers = [({path: moved(node, outside) for path, node in files.items()}, whitelist) for files, whitelist in layers]
    write_layers(place / "tree", layers)
    assert shape(look(place / "tree")) == shape(expect(layers))
    assert (outside / "f").read_bytes() == b"not yours"
    assert os.listdir(outside) == ["f"]
    assert (outside.stat().st_mtime_ns, stat.S_IMODE(outside.stat().st_mode)) == (1, 0o711)


def moved(node: Any, outside: Path) -> Any:
    return str(outside) if node == "/outside" else node


@pytest.mark.parametrize("second", TYPES)
@pytest.mark.parametrize("first", TYPES)
def test_any_type_replaces_any_other_and_back(first: str, second: str, tmp_path: Path) -> None:
    for name, kinds in {"over": (first, second), "and back": (first, second, first)}.items():
        (tmp_path / name).mkdir()
        check(tmp_path / name, [(TYPES[kind], None) for kind in kinds])


@pytest.mark.privileged
@pytest.mark.parametrize("other", TYPES)
def test_a_device_replaces_any_other_and_back(other: str, tmp_path: Path) -> None:
    for name, layers in {"over": (TYPES[other], DEVICE), "back": (DEVICE, TYPES[other])}.items():
        (tmp_path / name).mkdir()
        look_for = name == "over"
        write_layers(tmp_path / name / "tree", [(files, None) for files in layers])
        assert stat.S_ISCHR((tmp_path / name / "tree/x").lstat().st_mode) is look_for


def test_a_directory_that_was_replaced_and_came_back_has_nothing_of_before(tmp_path: Path) -> None:
    before: images.Files = {"x": directory(mode=0o700, mtime=9, xattrs={"user.before": b"1"}), "x/old": b"", "x/d/old": b""}
    write_layers(tmp_path / "tree", [(before, None), ({"x": b"file"}, None), ({"x": directory(mode=0o711, mtime=3)}, None)])
    assert os.listdir(tmp_path / "tree/x") == []
    assert os.listxattr(tmp_path / "tree/x") == []
    status = (tmp_path / "tree/x").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o711, 3)


def test_a_link_that_becomes_a_directory_keeps_what_it_led_to(tmp_path: Path) -> None:
    """The example of usrmerge: `lib` was a link to `usr/lib` below, and is a directory above."""
    below = {"usr/lib": None, "usr/lib/a": b"below", "lib": "usr/lib"}
    write_layers(tmp_path / "tree", [(below, None), ({"lib/a": b"above"}, None)])
    assert (tmp_path / "tree/lib/a").read_bytes() == b"above"
    assert (tmp_path / "tree/usr/lib/a").read_bytes() == b"below"
    assert not (tmp_path / "tree/lib").is_symlink()


def test_one_image_with_two_whitelists_brings_what_each_keeps(tmp_path: Path) -> None:
    base: images.Files = {"a": b"content", "b": hard_link("a"), "c": hard_link("b")}
    check(tmp_path, [(base, frozenset({"/b"})), ({"a": b"other", "b": None, "b/x": b""}, None), (base, frozenset({"/c", "/a"}))])


# Whatever layers there are


@settings(max_examples=150)
@given(LAYERS)
def test_layers_amount_to_what_the_specification_says(layers: list[tuple[Mapping[str, Any], frozenset[str] | None, bool]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        check(Path(place), [(as_files(tree, implied), whitelist) for tree, whitelist, implied in layers])


@settings(max_examples=60)
@given(LAYERS, st.integers(0, 3), st.integers(0, 3))
def test_an_earlier_equal_layer_changes_nothing(
    layers: list[tuple[Mapping[str, Any], frozenset[str] | None, bool]], first: int, again: int
) -> None:
    """What makes diamonds linear: of equal layers only the last counts, whatever lies in between."""
    made = [(as_files(tree, implied), whitelist) for tree, whitelist, implied in layers]
    full = [*made, made[first % len(made)], *made[again % len(made) :]]
    short = [layer for number, layer in enumerate(full) if layer not in full[number + 1 :]]
    with tempfile.TemporaryDirectory() as place:
        for name, chosen in (("full", full), ("short", short)):
            write_layers(Path(place, name), chosen)
        assert shape(look(Path(place, "full"))) == shape(look(Path(place, "short")))
        assert metadata(Path(place, "full")) == metadata(Path(place, "short"))


def test_a_reader_of_layers_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    write_layers(tmp_path / "tree", [(files, None) for files in TYPES.values()])
    assert len(os.listdir("/proc/self/fd")) == before
