"""Rendered trees: made once, from the very bytes their IDs promise."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from acrun.resolve import resolve_image
from acrun.trees import get_tree, tree_key
from acspec.errors import DamagedImageError
from acspec.layer_plan import Layer
from acspec.names import ImageID
from acspec.resolution import ImageFile
from tests.support.images import Files, Node, hard_link, image, manifest_bytes
from tests.support.stores import add_image

HELLO: Files = {"bin": None, "bin/hello": Node(b"hello\n", mode=0o755), "etc": None, "etc/passwd": Node(b"root:x:0:0::/:\n")}


def write(path: Path, files: Files = HELLO, **changes: object) -> ImageFile:
    path.write_bytes(image(files, manifest_bytes(**changes)))
    return resolve_image(str(path), str(path.parent / "no-store")).image


def render(run: Path, file: ImageFile, whitelist: frozenset[str] | None = None) -> Path:
    tree = get_tree(str(run), [Layer(file.image_id, whitelist)], {file.image_id: file})
    os.close(tree.lock_fd)
    return Path(tree.rootfs)


def test_a_tree_is_made_once_and_found_again(tmp_path: Path) -> None:
    file = write(tmp_path / "a.aci")
    first = render(tmp_path / "run", file)
    assert (first / "bin" / "hello").read_bytes() == b"hello\n"
    inode = first.stat().st_ino
    os.unlink(file.path)  # the tree is enough
    assert render(tmp_path / "run", file).stat().st_ino == inode
    assert os.listdir(tmp_path / "run" / "tmp") == []


def test_an_image_that_is_removed_from_its_store_after_it_was_found_is_unpacked_from_what_is_open(tmp_path: Path) -> None:
    image_id = add_image(tmp_path / "data", "example.com/app", content=b"content")
    file = resolve_image(image_id, str(tmp_path / "data")).image
    os.unlink(file.path)
    assert (render(tmp_path / "run", file) / "file").read_bytes() == b"content"
    assert (render(tmp_path / "other", file) / "file").read_bytes() == b"content", "and a second time"
    assert file.descriptor is not None
    os.close(file.descriptor)


def test_the_key_depends_on_order_images_and_whitelists_only() -> None:
    a, b = ImageID("sha512-" + "a" * 128), ImageID("sha512-" + "b" * 128)
    keys = {
        tree_key([Layer(a), Layer(b)]), tree_key([Layer(b), Layer(a)]), tree_key([Layer(a)]),
        tree_key([Layer(a, frozenset({"/x"})), Layer(b)]), tree_key([Layer(a, frozenset()), Layer(b)]),
        tree_key([Layer(a, frozenset({"/x", "/y"})), Layer(b)]),
    }  # fmt: skip
    assert len(keys) == 6
    assert tree_key([Layer(a, frozenset({"/x", "/y"}))]) == tree_key([Layer(a, frozenset({"/y", "/x"}))])


def test_a_whitelist_filters_and_a_kept_link_keeps_its_content(tmp_path: Path) -> None:
    files: Files = {"bin": None, "bin/real": Node(b"content"), "bin/kept": hard_link("bin/real"), "bin/gone": Node(b"x")}
    file = write(tmp_path / "a.aci", files)
    rootfs = render(tmp_path / "run", file, frozenset({"/bin/kept"}))
    assert os.listdir(rootfs / "bin") == ["kept"]
    assert (rootfs / "bin" / "kept").read_bytes() == b"content"


def test_an_image_whose_bytes_changed_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "a.aci")
    write(tmp_path / "a.aci", {**HELLO, "extra": b"x"})
    with pytest.raises(DamagedImageError, match="its content is not that of sha512-"):
        render(tmp_path / "run", file)
    assert os.listdir(tmp_path / "run" / "trees") == []
    assert os.listdir(tmp_path / "run" / "tmp") == []


def test_a_manifest_that_is_not_the_tree_s_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.aci")
    render(tmp_path / "run", file)
    forged = ImageFile(file.image_id, file.path, file.manifest, file.manifest_bytes + b" ")
    with pytest.raises(DamagedImageError, match="its manifest is not that of"):
        render(tmp_path / "run", forged)


def test_many_at_once_end_with_one_tree(tmp_path: Path) -> None:
    file = write(tmp_path / "a.aci")
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(render(tmp_path / "run", file).stat().st_ino)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert os.listdir(tmp_path / "run" / "tmp") == []
