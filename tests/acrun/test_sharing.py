"""Files that a tree has from another: the same as if they had been written, and none where anything differs."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrun import sharing
from acrun.sharing import SharingTree
from acspec.archive.extract import TreeWriter
from acspec.archive.path_table import PathTable
from acspec.archive.render import render_image
from acspec.durable import remove_tree
from acspec.layer_plan import whitelist_filter
from tests.support import images, sparse
from tests.support.disks import mounted
from tests.support.images import Node, directory, hard_link
from tests.support.layers import PATHS, as_files, directories

WINDOW = 64 * 1024
LONG = bytes(range(256)) * 1024  # of several windows
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service+ep
Layers = Sequence[tuple["images.Files | bytes", "frozenset[str] | None"]]


def lay(place: Path, layers: Layers, donors: Sequence[Path] = (), *, clones: bool = False) -> str:
    """Lay *layers* (files, or a tar) over each other in the new tree *place*, each with one of *donors* in turn.

    Return what was lost.
    """
    (place / "rootfs").mkdir(parents=True, mode=0o755)
    descriptor = os.open(place / "rootfs", os.O_RDONLY | os.O_DIRECTORY)
    taken = PathTable()
    with TreeWriter(descriptor) as writer:
        for number, (files, whitelist) in enumerate(layers):
            image = place / f"{number}.aci"
            image.write_bytes(files if isinstance(files, bytes) else images.tar(files))
            donor = closing(share(donors[number % len(donors)], taken, clones)) if donors else nullcontext()
            with image.open("rb") as file, donor as given_by:
                render_image(writer, file.fileno(), "x.aci", keep=whitelist_filter(whitelist), donor=given_by)
        writer.finish()
    os.close(descriptor)
    return str(writer.lost)


def share(tree: Path, taken: PathTable, clones: bool) -> SharingTree:
    return SharingTree(os.open(tree, os.O_RDONLY | os.O_DIRECTORY), taken, clones=clones)


def see(place: Path) -> Mapping[str, tuple[object, ...]]:
    """Return everything in a tree, with its content and all that is told of it, and which other names of the tree it has."""
    root = place / "rootfs"
    paths = [root, *sorted(root.rglob("*"))]
    names: dict[int, list[str]] = {}
    for path in paths:
        names.setdefault(path.lstat().st_ino, []).append(str(path.relative_to(root)))
    return {str(path.relative_to(root)): (*_look(path), names[path.lstat().st_ino]) for path in paths}


def _look(path: Path) -> Iterator[object]:
    status = path.lstat()
    yield from (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_rdev)
    yield {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}
    if stat.S_ISREG(status.st_mode):
        yield path.read_bytes()
    elif stat.S_ISLNK(status.st_mode):
        yield os.readlink(path)


def inode(place: Path, name: str) -> int:
    return (place / "rootfs" / name).stat().st_ino


def same(tmp_path: Path, name: str) -> bool:
    """Tell whether the trees `donor` and `tree` have one file."""
    return inode(tmp_path / "donor", name) == inode(tmp_path / "tree", name)


FILES: Mapping[str, Node] = {
    "a short file": Node(b"x", mode=0o755, mtime=7),
    "a file of one window": Node(LONG[:WINDOW]),
    "a file of many windows": Node(LONG + b"and some more"),
    "a program that sets its user": Node(b"x" * 100, mode=0o6755),
    "a file that nobody may read": Node(b"x", mode=0),
    "a time to the nanosecond": Node(b"x", mtime="1234567890.123456789"),
    "attributes": Node(b"x", xattrs={"user.colour": b"blue", "user.empty": b""}),
}


@pytest.mark.parametrize("node", FILES.values(), ids=FILES)
def test_a_file_that_is_the_same_is_shared(tmp_path: Path, node: Node) -> None:
    if node.mode == 0 and os.geteuid() != 0:
        node = Node(node.data)
    lay(tmp_path / "donor", [({"d/f": node}, None)])
    lay(tmp_path / "tree", [({"d/f": node}, None)], [tmp_path / "donor"])
    assert same(tmp_path, "d/f")


@pytest.mark.privileged
def test_owners_and_capabilities_are_shared_too(tmp_path: Path) -> None:
    files = {"f": Node(b"x", mode=0o4755, uid=12, gid=34), "ping": Node(b"x", xattrs={"security.capability": CAPABILITY})}
    lay(tmp_path / "donor", [(files, None)])
    lay(tmp_path / "tree", [(files, None)], [tmp_path / "donor"])
    assert same(tmp_path, "f")
    assert same(tmp_path, "ping")


OF = Node(b"content", mode=0o644, mtime=7)
DIFFERENT: Mapping[str, images.Files] = {
    "another byte": {"f": Node(b"contenT", mtime=7)},
    "a byte more": {"f": Node(b"content.", mtime=7)},
    "another mode": {"f": Node(b"content", mode=0o600, mtime=7)},
    "another time": {"f": Node(b"content", mtime="7.000000001")},
    "an attribute": {"f": Node(b"content", mtime=7, xattrs={"user.a": b"1"})},
    "another type": {"g": OF, "f": "g"},
    "a directory": {"f": directory()},
    "a FIFO": {"f": Node(kind="6", mtime=7)},
    "nothing": {},
}


@pytest.mark.parametrize("files", DIFFERENT.values(), ids=DIFFERENT)
def test_a_file_that_differs_is_written(tmp_path: Path, files: images.Files) -> None:
    lay(tmp_path / "plain", [({"f": OF}, None)])
    lay(tmp_path / "other", [(files, None)])
    lay(tmp_path / "plain of other", [({"f": OF}, None)], [tmp_path / "other"])
    lay(tmp_path / "other of plain", [(files, None)], [tmp_path / "plain"])
    assert see(tmp_path / "plain of other") == see(tmp_path / "plain")
    assert see(tmp_path / "other of plain") == see(tmp_path / "other")
    found = [path.lstat().st_ino for path in tmp_path.glob("*/rootfs/f")]
    assert len(set(found)) == len(found)


@pytest.mark.privileged
@pytest.mark.parametrize("owner", [(7, 0), (0, 7)])
def test_a_file_of_another_owner_is_written(tmp_path: Path, owner: tuple[int, int]) -> None:
    lay(tmp_path / "donor", [({"f": Node(b"x", uid=owner[0], gid=owner[1])}, None)])
    lay(tmp_path / "tree", [({"f": Node(b"x")}, None)], [tmp_path / "donor"])
    assert not same(tmp_path, "f")
    assert (tmp_path / "tree/rootfs/f").stat().st_uid == 0


@pytest.mark.privileged
def test_a_device_in_its_place_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "donor/rootfs").mkdir(parents=True)
    os.mknod(tmp_path / "donor/rootfs/f", stat.S_IFBLK | 0o644, os.makedev(7, 4000))  # opening it is an error
    lay(tmp_path / "tree", [({"f": b"x"}, None)], [tmp_path / "donor"])
    assert (tmp_path / "tree/rootfs/f").read_bytes() == b"x"


CORRUPTIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "in its first byte": lambda data: b"?" + data[1:],
    "in a later window": lambda data: data[: 2 * WINDOW] + b"?" + data[2 * WINDOW + 1 :],
    "in its last byte": lambda data: data[:-1] + b"?",
    "by a hole": lambda data: data[:WINDOW] + bytes(WINDOW) + data[2 * WINDOW :],
    "wholly": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_donor_that_was_damaged_on_its_disk_does_not_spread(tmp_path: Path, corrupt: Callable[[bytes], bytes]) -> None:
    files = {"f": Node(LONG, mtime=7), "g": Node(b"whole", mtime=7)}
    lay(tmp_path / "donor", [(files, None)])
    lay(tmp_path / "plain", [(files, None)])
    damaged = tmp_path / "donor/rootfs/f"
    damaged.write_bytes(corrupt(LONG))
    os.utime(damaged, (7, 7))
    lay(tmp_path / "tree", [(files, None)], [tmp_path / "donor"])
    assert see(tmp_path / "tree") == see(tmp_path / "plain")
    assert not same(tmp_path, "f")
    assert same(tmp_path, "g")


HOLES: Mapping[str, sparse.Pieces] = {
    "before, between and after the data": sparse.PIECES,
    "between and after the data": ((0, 1024), (WINDOW, 512), (2 * WINDOW, 0)),
    "after the data": ((0, 1024), (1024, 512), (2 * WINDOW, 0)),
}


@pytest.mark.parametrize("filled", [False, True], ids=["holes in the donor", "data in the donor"])
@pytest.mark.parametrize("pieces", HOLES.values(), ids=HOLES)
def test_a_file_with_holes_is_written_with_them(tmp_path: Path, pieces: sparse.Pieces, filled: bool) -> None:
    first = [images.member("manifest", images.manifest_bytes()), images.member("rootfs", kind="5", mode=0o755)]
    layer = images.archive([*first, sparse.old(pieces, pieces[-1][0])])
    lay(tmp_path / "plain", [(layer, None)])
    lay(tmp_path / "donor", [(layer, None)])
    file = tmp_path / "donor/rootfs/s"
    if filled:
        file.write_bytes(file.read_bytes().replace(b"\0", b"?"))
        os.utime(file, (0, 0))
    lay(tmp_path / "tree", [(layer, None)], [tmp_path / "donor"])
    assert see(tmp_path / "tree") == see(tmp_path / "plain")
    assert (tmp_path / "tree/rootfs/s").stat().st_blocks == (tmp_path / "plain/rootfs/s").stat().st_blocks


def test_what_is_no_directory_in_the_donor_is_not_gone_through(tmp_path: Path) -> None:
    lay(tmp_path / "donor", [({"real/f": OF, "d": "real", "e": OF}, None)])
    lay(tmp_path / "tree", [({"d/f": OF, "e/f": OF, "n/f": OF}, None)], [tmp_path / "donor"])
    assert (tmp_path / "donor/rootfs/real/f").stat().st_nlink == 1


def test_names_of_one_file_stay_so_and_files_that_are_none_do_not_become_it(tmp_path: Path) -> None:
    linked: images.Files = {"a": OF, "b": hard_link("a"), "c": OF}
    alone: images.Files = {"a": OF, "b": OF, "c": OF}
    lay(tmp_path / "donor", [(linked, None)])
    for name, files in {"linked": linked, "alone": alone}.items():
        lay(tmp_path / f"plain {name}", [(files, None)])
        lay(tmp_path / name, [(files, None)], [tmp_path / "donor"])
        assert see(tmp_path / name) == see(tmp_path / f"plain {name}")
        assert inode(tmp_path / name, "a") == inode(tmp_path / "donor", "a")


def test_two_donors_with_one_file_do_not_give_it_twice(tmp_path: Path) -> None:
    lay(tmp_path / "one", [({"a": OF}, None)])
    lay(tmp_path / "two", [({"a": OF, "b": hard_link("a")}, None)], [tmp_path / "one"])
    layers: Layers = [({"a": OF}, None), ({"b": OF}, None)]
    lay(tmp_path / "tree", layers, [tmp_path / "one", tmp_path / "two"])
    assert inode(tmp_path / "tree", "a") == inode(tmp_path / "one", "a") != inode(tmp_path / "tree", "b")


def test_a_file_that_a_later_layer_replaces_is_left_to_its_donor(tmp_path: Path) -> None:
    lay(tmp_path / "donor", [({"f": OF, "g": OF}, None)])
    before = see(tmp_path / "donor")
    lay(tmp_path / "tree", [({"f": OF, "g": OF}, None), ({"f": b"new", "g": directory(mode=0o700)}, None)], [tmp_path / "donor"])
    assert (tmp_path / "tree/rootfs/f").read_bytes() == b"new"
    assert see(tmp_path / "donor") == before


def test_either_tree_goes_without_the_other(tmp_path: Path) -> None:
    lay(tmp_path / "donor", [({"f": OF}, None)])
    lay(tmp_path / "tree", [({"f": OF}, None)], [tmp_path / "donor"])
    remove_tree(str(tmp_path / "donor"))
    assert (tmp_path / "tree/rootfs/f").read_bytes() == b"content"
    assert (tmp_path / "tree/rootfs/f").stat().st_nlink == 1


def test_after_so_many_trees_a_new_inode_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_NAMES", 3)
    lay(tmp_path / "0", [({"f": OF}, None)])
    for number in range(1, 7):
        lay(tmp_path / str(number), [({"f": OF}, None)], [tmp_path / str(number - 1)])
    numbers = [inode(tmp_path / str(number), "f") for number in range(7)]
    assert [numbers.index(number) for number in numbers] == [0, 0, 0, 3, 3, 3, 6]


def test_another_file_system_is_no_hindrance(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        lay(Path(elsewhere, "donor"), [({"f": Node(LONG)}, None)])
        lay(tmp_path / "tree", [({"f": Node(LONG)}, None)], [Path(elsewhere, "donor")])
    lay(tmp_path / "plain", [({"f": Node(LONG)}, None)])
    assert see(tmp_path / "tree") == see(tmp_path / "plain")


def test_descriptors_are_closed_whatever_the_files_are(tmp_path: Path) -> None:
    files = {f"d{number}/f{number}": Node(b"%d" % (number // 2), mtime=number % 3) for number in range(200)}
    other = {f"d{number}/f{number}": Node(b"%d" % (number // 3), mtime=number % 2) for number in range(200)}
    lay(tmp_path / "donor", [(files, None)])
    before = len(os.listdir("/proc/self/fd"))
    lay(tmp_path / "tree", [(other, None)], [tmp_path / "donor"])
    assert len(os.listdir("/proc/self/fd")) == before


# Whatever layers there are

BYTES = (b"", b"a", b"b", LONG[:WINDOW], LONG, LONG[:-1] + b"?", LONG[:100_000] + b"?" + LONG[100_001:])
CONTENTS = st.integers(0, len(BYTES) - 1).map(lambda number: BYTES[number])  # by number: they are too long to be shown
ATTRIBUTES = st.sampled_from([{}, {}, {"user.a": b"1"}, {"user.a": b"2"}, {"trusted.no": b""}])
NODES = st.builds(
    Node,
    CONTENTS,
    mode=st.sampled_from([0o644, 0o4755, 0o400]),
    uid=st.sampled_from([0, 0, 7]),
    mtime=st.sampled_from([0, 9, "1.5"]),
    xattrs=ATTRIBUTES,
)
ANYTHING = NODES | CONTENTS | st.sampled_from(["a", "/outside"]) | st.integers(0, 3) | st.just(Node(kind="6"))
SETS = st.lists(st.tuples(directories(ANYTHING), st.none() | PATHS.map(frozenset), st.booleans()), min_size=1, max_size=3)


def as_layers(layers: Sequence[tuple[Mapping[str, Any], frozenset[str] | None, bool]]) -> Layers:
    return [(as_files(tree, implied), whitelist) for tree, whitelist, implied in layers]


@settings(max_examples=80)
@given(st.lists(SETS, min_size=1, max_size=2), SETS, st.booleans())
def test_a_tree_is_the_same_whatever_donors_it_has(of_donors: list[Any], own: Any, related: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        check_same(Path(name), of_donors, own, related, clones=False)


def check_same(place: Path, of_donors: list[Any], own: Any, related: bool, *, clones: bool) -> None:
    """Lay *own* with and without donors; *related* ones have its layers below their own, as images upon one base have."""
    layers = as_layers(own)
    donors = [place / f"donor{number}" for number in range(len(of_donors))]
    for donor, others in zip(donors, of_donors, strict=True):
        lay(donor, [*(layers if related else ()), *as_layers(others)])
    before = [see(donor) for donor in donors]
    lost = lay(place / "plain", layers)
    assert lay(place / "tree", layers, donors, clones=clones) == lost
    assert see(place / "tree") == see(place / "plain")
    assert [see(donor) for donor in donors] == before


# Other file systems


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a place on a file system of its own."""
    with mounted(tmp_path, request.param) as place:
        yield place


@pytest.mark.privileged
@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_where_the_file_system_clones_no_inode_is_shared_but_the_bytes_are(disk: Path) -> None:
    node = Node(os.urandom(8 << 20), mode=0o4750, uid=12, gid=34, mtime="7.5", xattrs={"user.a": b"1"})
    files = {"f": node, "small": Node(b"x")}
    lay(disk / "donor", [(files, None)])
    os.sync()
    free = os.statvfs(disk).f_bfree
    lay(disk / "tree", [(files, None)], [disk / "donor"], clones=True)
    os.unlink(disk / "tree/0.aci")
    os.sync()
    assert see(disk / "tree") == see(disk / "donor")
    assert not same(disk, "f")
    assert (free - os.statvfs(disk).f_bfree) * os.statvfs(disk).f_bsize < 4 << 20
    (disk / "tree/rootfs/f").write_bytes(b"changed")
    assert (disk / "donor/rootfs/f").read_bytes() == node.data


@pytest.mark.privileged
@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_what_makes_clones_is_found_by_trying(disk: Path) -> None:
    (disk / "file").write_bytes(b"x" * 100)
    for place, expected in ((disk, True), (Path("/dev/shm"), False)):
        source, target = os.open(disk / "file", os.O_RDONLY), os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        assert sharing.can_clone(source, target) is expected
        os.close(source)
        os.close(target)
    assert os.listdir(disk) == ["file"]


@pytest.mark.privileged
@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_a_tree_of_clones_is_the_same_whatever_donors_it_has(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LEAST_CLONE", 0)

    @settings(max_examples=40)
    @given(st.lists(SETS, min_size=1, max_size=2), SETS, st.booleans())
    def check(of_donors: list[Any], own: Any, related: bool) -> None:
        with tempfile.TemporaryDirectory(dir=disk) as name:
            check_same(Path(name), of_donors, own, related, clones=True)

    check()


@pytest.mark.privileged
@pytest.mark.parametrize("disk", ["ext4"], indirect=True)
def test_an_inode_that_has_all_the_names_it_may_have_is_left(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_NAMES", 10**9)
    lay(disk / "donor", [({"f": Node(LONG)}, None)])
    (disk / "names").mkdir()
    for number in range(64_999):
        os.link(disk / "donor/rootfs/f", disk / f"names/{number}")
    lay(disk / "tree", [({"f": Node(LONG)}, None)], [disk / "donor"])
    assert not same(disk, "f")
    assert (disk / "tree/rootfs/f").read_bytes() == LONG
