"""Images laid over a tree through a whitelist, hard links kept whole."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.links import plan_moved
from acspec.archive.render import render_image
from acspec.errors import FormatError
from acspec.layer_plan import whitelist_filter
from tests.support import images
from tests.support.images import hard_link

LINKED: images.Files = {
    "a": images.Node(b"content", mode=0o640, mtime=5),
    "d": None,
    "d/b": hard_link("a"),
    "c": hard_link("a"),
    "e": hard_link("d/b"),
    "other": b"",
}


def render(path: Path, files: images.Files, whitelist: set[str], compression: str = "none") -> Path:
    image = path / "x.aci"
    images.write_image(image, files, compression=compression)
    tree = path / "tree"
    tree.mkdir(mode=0o700)
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    with image.open("rb") as file, TreeWriter(descriptor) as writer:
        reader = render_image(writer, file.fileno(), "x.aci", keep=whitelist_filter(frozenset(whitelist)))
        writer.finish()
    os.close(descriptor)
    assert reader.image_id == images.image_id(images.tar(files))
    assert reader.manifest_bytes == images.manifest_bytes()
    return tree


KEPT = {
    "the file itself": {"/a"},
    "its first link only": {"/d/b"},
    "its second link only": {"/c"},
    "both links": {"/d/b", "/c"},
    "a link to a link only": {"/e"},
    "a link and a link to a link": {"/c", "/e"},
    "the file and a link to a link": {"/a", "/e"},
    "all of them": {"/a", "/d/b", "/c", "/e"},
}


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("whitelist", KEPT.values(), ids=KEPT)
def test_the_content_stays_when_a_whitelist_keeps(whitelist: set[str], compression: str, tmp_path: Path) -> None:
    tree = render(tmp_path, LINKED, whitelist, compression)
    found = {f"/{path.relative_to(tree)}" for path in tree.rglob("*") if not path.is_dir()}
    assert found == whitelist
    for path in found:
        status = os.stat(f"{tree}{path}")
        assert Path(f"{tree}{path}").read_bytes() == b"content"
        assert (status.st_nlink, status.st_mode & 0o7777, status.st_mtime) == (len(whitelist), 0o640, 5)


def test_a_whitelisted_directory_comes_without_its_contents(tmp_path: Path) -> None:
    tree = render(tmp_path, LINKED, {"/d", "/other"})
    assert sorted(os.listdir(tree)) == ["d", "other"]
    assert os.listdir(tree / "d") == []


NAMES = [f"f{number}" for number in range(6)]


@given(st.lists(st.none() | st.integers(0, 5), min_size=6, max_size=6), st.sets(st.sampled_from(NAMES)))
def test_links_that_stay_are_one_file_whatever_is_filtered(targets: list[int | None], kept: set[str]) -> None:
    """Each name is a file, or a hard link to one before it; what stays must be linked as it was."""
    origins: dict[str, str] = {}
    files: dict[str, images.Node | bytes | str | None] = {}
    for number, target in enumerate(targets):
        name = NAMES[number]
        if target is None or target >= number:
            files[name], origins[name] = name.encode(), name
        else:
            files[name], origins[name] = hard_link(NAMES[target]), origins[NAMES[target]]
    with tempfile.TemporaryDirectory() as place:
        tree = render(Path(place), files, {f"/{name}" for name in kept})
        assert set(os.listdir(tree)) == kept
        for name in kept:
            assert (tree / name).read_bytes() == origins[name].encode()
            assert all((origins[name] == origins[other]) == os.path.samefile(tree / name, tree / other) for other in kept)


def test_links_beyond_what_can_be_remembered_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("acspec.limits.LINK_NAMES_BYTES", 5)
    images.write_image(tmp_path / "x.aci", LINKED)
    content = io.BytesIO((tmp_path / "x.aci").read_bytes())
    with pytest.raises(FormatError, match="more than 5 bytes"), ImageReader(content, "x.aci") as reader:
        plan_moved(reader, lambda path: path == b"/e")
