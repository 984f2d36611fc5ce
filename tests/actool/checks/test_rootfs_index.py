"""What stands at each path of a rootfs, in whatever order it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.entry import Kind
from actool.checks.rootfs_index import LONGEST, MOST, PLAIN, UNKNOWN, Node, RootfsIndex

DIRECTORY = Node(Kind.DIRECTORY, 0o700)


def test_what_was_put_is_found_and_nothing_else() -> None:
    index = RootfsIndex()
    index.put(b"rootfs/a/b", index.code_of(Node(Kind.SYMLINK, link_name=b"x")))
    index.put(b"rootfs/c", PLAIN)
    assert index.find(b"rootfs/a/b") == Node(Kind.SYMLINK, link_name=b"x")
    assert index.find(b"rootfs/c") == Node(Kind.FILE)
    assert index.find(b"rootfs/d") is None


def test_parents_are_there_before_they_come_and_what_they_are_when_they_have() -> None:
    index = RootfsIndex()
    index.put(b"rootfs/a/b/c", PLAIN)
    assert [index.find(name) for name in (b"rootfs", b"rootfs/a", b"rootfs/a/b")] == [Node(Kind.DIRECTORY, 0o755)] * 3
    index.put(b"rootfs/a", index.code_of(DIRECTORY))
    assert index.find(b"rootfs/a") == DIRECTORY
    assert index.find(b"rootfs/a/b/c") == Node(Kind.FILE)


def test_what_there_is_no_room_for_is_unknown() -> None:
    index = RootfsIndex()
    codes = [index.code_of(Node(Kind.SYMLINK, link_name=bytes([number]) * 65536)) for number in range(256)]
    assert codes.count(UNKNOWN) > 0
    assert index.code_of(Node(Kind.SYMLINK, link_name=b"\0" * 65536)) == codes[0], "what is kept already, takes no room"
    index.put(b"rootfs/x", UNKNOWN)
    assert index.find(b"rootfs/x") == Node(None)


LEFT_OUT = {
    "a name that is no path for the kernel": b"rootfs/" + b"a" * LONGEST,
    "a parent that was never seen, too deep to be implied": b"rootfs" + b"/a" * 300,
}


@pytest.mark.parametrize("name", LEFT_OUT.values(), ids=LEFT_OUT)
def test_once_something_is_left_out_what_is_not_found_may_be_there(name: bytes) -> None:
    index = RootfsIndex()
    index.put(b"rootfs/x", PLAIN)
    assert index.find(b"rootfs/y") is None
    index.put(name, PLAIN)
    assert index.find(b"rootfs/y") == Node(None)
    assert index.find(b"rootfs/x") == Node(Kind.FILE)


def test_no_more_paths_are_kept_than_there_is_room_for() -> None:
    index = RootfsIndex()
    for number in range(MOST + 10):
        index.put(b"rootfs/%d" % number, PLAIN)
    assert index.find(b"rootfs/7") == Node(Kind.FILE)
    # The last: two paths in a million are taken for one now and then, and leave room for another.
    assert index.find(b"rootfs/%d" % (MOST + 9)) == index.find(b"rootfs/never") == Node(None)


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"c", b"\xff"]), min_size=1, max_size=4).map(b"/".join), unique=True))
def test_any_order_is_as_good_as_another(names: list[bytes]) -> None:
    forth, back = RootfsIndex(), RootfsIndex()
    for index, order in ((forth, names), (back, names[::-1])):
        for name in order:
            parent = any(other.startswith(name + b"/") for other in names)
            index.put(b"rootfs/" + name, index.code_of(DIRECTORY) if parent else PLAIN)
    for name in names:
        assert forth.find(b"rootfs/" + name) == back.find(b"rootfs/" + name) is not None


def test_a_hundred_thousand_paths_are_all_found() -> None:
    index = RootfsIndex()
    for number in range(100_000):
        index.put(b"rootfs/%d/%d" % (number % 321, number), PLAIN)
    assert all(index.find_code(b"rootfs/%d/%d" % (number % 321, number)) == PLAIN for number in range(100_000))
    assert not any(index.find(b"rootfs/%d" % number) for number in range(321, 10_000))
