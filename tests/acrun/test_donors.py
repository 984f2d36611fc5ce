"""Which trees share files with a new one, and that they are let be when they are not to be had."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from acrun import donors, sharing
from acrun.collection import collect
from acrun.donors import Donors
from acrun.resolve import resolve_image
from acrun.trees import get_tree
from acspec.layer_plan import Layer
from acspec.locks import open_locked
from acspec.resolution import ImageFile
from tests.support.disks import mounted
from tests.support.images import Files, Node, hard_link, image, manifest_bytes

BASE: Files = {"lib": None, "lib/c": Node(b"libc", mode=0o755, mtime=7), "etc/passwd": Node(b"root", mtime=8)}
OWN: Files = {"bin/app": Node(b"app", mode=0o755)}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return RUN, an empty directory."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def write(run: Path, name: str, files: Files) -> ImageFile:
    """Write an image called *name* beside *run*."""
    path = run.parent / f"{name}-{len(os.listdir(run.parent))}.aci"
    path.write_bytes(image(files, manifest_bytes(name=f"example.com/{name}")))
    return resolve_image(str(path), str(run.parent / "no-store")).image


def render(run: Path, *images: ImageFile) -> Path:
    """Render *images*, the first at the bottom, and return the tree."""
    tree = get_tree(str(run), [Layer(each.image_id) for each in images], {each.image_id: each for each in images})
    os.close(tree.lock_fd)
    return Path(tree.path)


def choose(run: Path, *images: ImageFile) -> Path | None:
    """Return the tree that the last of *images* would be shared with."""
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    with Donors(str(run), descriptor, images).open(images[-1]) as donor:
        found = None if donor is None else Path(os.readlink(f"/proc/self/fd/{donor._lock}"))
    os.close(descriptor)
    return found


def inode(tree: Path, name: str) -> int:
    return (tree / "rootfs" / name).stat().st_ino


def test_trees_of_images_upon_one_base_share_its_files(run: Path) -> None:
    base, first, second = write(run, "base", BASE), write(run, "first", OWN), write(run, "second", {**OWN, "etc/passwd": b"x"})
    one, two = render(run, base, first), render(run, base, second)
    assert inode(one, "lib/c") == inode(two, "lib/c")
    assert inode(one, "bin/app") != inode(two, "bin/app"), "which neither image has from the other"
    assert (one / "rootfs/etc/passwd").read_bytes() == b"root"
    assert (two / "rootfs/etc/passwd").read_bytes() == b"x"
    assert json.loads((two / "tree.json").read_text())["names"] == ["example.com/base", "example.com/second"]


def test_a_dependency_that_was_rendered_by_itself_is_a_donor_and_has_one(run: Path) -> None:
    base, app = write(run, "base", BASE), write(run, "app", OWN)
    alone = render(run, base)
    both = render(run, base, app)
    assert inode(alone, "lib/c") == inode(both, "lib/c")
    render(run, write(run, "other", {}), app)
    assert inode(render(run, app), "bin/app") == inode(both, "bin/app")


def test_the_next_version_of_an_image_shares_what_has_stayed(run: Path) -> None:
    old, new = write(run, "app", {**BASE, **OWN}), write(run, "app", {**BASE, "bin/app": b"newer"})
    one, two = render(run, old), render(run, new)
    assert inode(one, "lib/c") == inode(two, "lib/c")
    assert (two / "rootfs/bin/app").read_bytes() == b"newer"


def test_the_tree_with_most_images_in_common_comes_first_then_the_one_used_last(run: Path) -> None:
    base, middle, app = write(run, "base", BASE), write(run, "middle", {"m": b"1"}), write(run, "app", OWN)
    older = write(run, "app", {"bin/app": b"older"})
    assert choose(run, base, middle, app) is None
    by_name = render(run, older)
    assert choose(run, base, middle, app) == by_name
    one, two = render(run, base, app), render(run, middle, app)
    for last, before in ((one, two), (two, one)):
        os.utime(before, (1, 1))
        os.utime(last, (2, 2))
        assert choose(run, base, middle, app) == last
    os.utime(one, (3, 3))
    most = render(run, base, middle, app, older)
    os.utime(most, (1, 1))
    assert choose(run, base, middle, app) == most


def test_no_more_records_are_read_than_are_worth_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = write(run, "app", OWN)
    os.utime(render(run, app), (1, 1))
    render(run, write(run, "other", BASE))
    monkeypatch.setattr(donors, "MOST_TREES", 1)
    assert choose(run, app) is None


def test_a_donor_is_no_younger_for_it_and_stays_while_it_is_needed(run: Path) -> None:
    base = write(run, "base", BASE)
    tree = render(run, base)
    os.utime(tree, (1, 1))
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    with Donors(str(run), descriptor, [base]).open(base):
        assert collect(str(run), 0, None).trees == []
    os.close(descriptor)
    assert tree.stat().st_mtime == 1
    assert collect(str(run), 0, None).trees == [tree.name]


def test_a_tree_that_is_being_removed_is_no_donor(run: Path) -> None:
    base = write(run, "base", BASE)
    tree = render(run, base)
    lock = open_locked(str(tree))
    assert choose(run, base) is None
    os.close(lock)
    assert choose(run, base) == tree


def _no_rootfs(tree: Path) -> None:
    (tree / "rootfs").rename(tree / "elsewhere")


DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "no record": lambda tree: (tree / "tree.json").unlink(),
    "a record of no JSON": lambda tree: (tree / "tree.json").write_bytes(b"\xff{"),
    "a record of another shape": lambda tree: (tree / "tree.json").write_text('{"images": {"a": 1}, "names": [[]]}'),
    "a record that is a list": lambda tree: (tree / "tree.json").write_text("[1]"),
    "no rootfs": _no_rootfs,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_tree_with_something_wrong_is_no_donor_and_no_error(run: Path, damage: Callable[[Path], object]) -> None:
    base, app = write(run, "base", BASE), write(run, "app", OWN)
    damage(render(run, base))
    assert choose(run, base) is None
    assert (render(run, base, app) / "rootfs/lib/c").read_bytes() == b"libc"


def test_a_record_from_before_there_were_names_will_do(run: Path) -> None:
    base = write(run, "base", BASE)
    tree = render(run, base)
    record = json.loads((tree / "tree.json").read_text())
    del record["names"]
    (tree / "tree.json").write_text(json.dumps(record))
    assert choose(run, base) == tree


def test_a_donor_goes_and_the_other_tree_is_whole(run: Path) -> None:
    base, app = write(run, "base", BASE), write(run, "app", OWN)
    alone, both = render(run, base), render(run, base, app)
    os.utime(alone, (1, 1))
    assert collect(str(run), 0, None).trees == [alone.name]
    assert (both / "rootfs/lib/c").read_bytes() == b"libc"
    assert (both / "rootfs/lib/c").stat().st_nlink == 1


@pytest.mark.privileged
def test_links_beyond_what_an_inode_can_have_are_made_without_a_donor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's last free name goes to the new tree, and then there is none for the image's own link."""
    monkeypatch.setattr(sharing, "MOST_NAMES", 10**9)
    with mounted(tmp_path, "ext4") as disk:
        run = disk / "run"
        (run / "names").mkdir(parents=True)
        base, app = write(run, "base", {"a": Node(b"x" * 10), "b": hard_link("a")}), write(run, "app", OWN)
        donor = render(run, base)
        for number in range(65_000 - 3):
            os.link(donor / "rootfs/a", run / f"names/{number}")
        tree = render(run, base, app)
        assert inode(tree, "a") == inode(tree, "b") != inode(donor, "a")
        assert os.listdir(run / "tmp") == []
