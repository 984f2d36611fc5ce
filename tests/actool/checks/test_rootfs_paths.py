"""Paths inside a rootfs lead where the kernel leads them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec.archive.entry import Kind
from acspec.archive.walk import LayoutWalk
from acstage1.inroot import open_in_root
from actool.checks.rootfs_index import PLAIN, Node, RootfsIndex
from actool.checks.rootfs_paths import RootfsPaths, State, describe_missing
from actool.checks.survey import Survey
from tests.support import images

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=5).map("/".join)
TARGETS = st.tuples(st.sampled_from(["", "/"]), PATHS, st.sampled_from(["", "/"])).map("".join)
# A file, a directory, or a link to somewhere.
STEPS = st.lists(
    st.tuples(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.one_of(st.none(), st.just(""), TARGETS)), max_size=12
)


class _NoContents:
    def read(self, *_: object) -> bytes:
        return images.manifest_bytes()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def _make(layout: Path, steps: list[tuple[str, str | None]]) -> None:
    shutil.rmtree(layout, ignore_errors=True)
    (layout / "rootfs").mkdir(parents=True)
    (layout / "manifest").write_bytes(images.manifest_bytes())
    for name, target in steps:
        path = layout / "rootfs" / name
        steps_to_it = [layout / "rootfs" / Path(*Path(name).parts[:count]) for count in range(1, name.count("/") + 2)]
        if any(step.is_symlink() for step in steps_to_it):  # which may lead out of the rootfs
            continue
        try:
            if target is None:
                path.mkdir(parents=True)
            elif target:
                os.symlink(target, path)
            else:
                path.touch()
        except OSError:
            pass


@settings(deadline=None, max_examples=300)
@given(steps=STEPS, path=TARGETS)
def test_a_path_leads_where_the_kernel_says(place: Path, steps: list[tuple[str, str | None]], path: str) -> None:
    layout = place / "layout"
    _make(layout, steps)
    survey = Survey("x")
    layout_fd, root = os.open(layout, os.O_RDONLY), os.open(layout / "rootfs", os.O_PATH)
    try:
        for entry, _ in LayoutWalk(layout_fd, "x"):
            survey.add(entry, _NoContents())
        found = RootfsPaths(survey.index).resolve(path.encode())
        try:
            descriptor = open_in_root(root, path)
        except OSError:
            assert found.state is State.MISSING
            return
        there = os.readlink(f"/proc/self/fd/{descriptor}").removeprefix(f"{layout}/rootfs") or "/"
        os.close(descriptor)
        assert (found.state, found.path.decode()) == (State.FOUND, there)
    finally:
        os.close(layout_fd)
        os.close(root)


def _index(**nodes: str | None) -> RootfsIndex:
    """Return an index: a link to what is said, or a file; `__` in a name is a slash."""
    index = RootfsIndex()
    for name, target in nodes.items():
        code = PLAIN if target is None else index.code_of(Node(Kind.SYMLINK, link_name=target.encode()))
        index.put(b"rootfs/" + name.replace("__", "/").encode(), code)
    return index


def test_an_absolute_link_starts_at_the_root_and_a_relative_one_where_it_lies() -> None:
    paths = RootfsPaths(_index(a__l="/c", a__m="c", a__n="../c", a__c=None, c=None))
    assert [paths.resolve(path).path for path in (b"/a/l", b"/a/m", b"/a/n")] == [b"/c", b"/a/c", b"/c"]


def test_nothing_is_known_of_what_volumes_and_executors_bring() -> None:
    paths = RootfsPaths(_index(link="/data", data__x=None), volumes=["/data/", "/srv/a/b"])
    known = {
        path: paths.resolve(path.encode()).state for path in ("/data/x", "/link/y", "/proc/1", "/srv/a", "/srv/b", "/srv/a/b/c")
    }
    assert known == {
        "/data/x": State.UNKNOWN,
        "/link/y": State.UNKNOWN,
        "/proc/1": State.UNKNOWN,
        "/srv/a": State.FOUND,
        "/srv/b": State.MISSING,
        "/srv/a/b/c": State.UNKNOWN,
    }


def test_a_whitelist_keeps_what_it_lists_and_the_way_to_it() -> None:
    paths = RootfsPaths(_index(a__b=None, a__c=None, l="a/b"), whitelist=["//a/b/"])
    assert paths.resolve(b"/a/b").state is State.FOUND
    assert describe_missing(b"/a/c", paths.resolve(b"/a/c")) == '"/a/c" is left out by pathWhitelist'
    assert describe_missing(b"/l", paths.resolve(b"/l")) == '"/l" is left out by pathWhitelist'


def test_what_an_image_with_dependencies_lacks_is_not_missing() -> None:
    assert RootfsPaths(_index(a=None), whole=False).resolve(b"/b").state is State.UNKNOWN
    assert RootfsPaths(_index(a=None), whole=False).resolve(b"/a").state is State.FOUND


def test_forty_links_are_followed_and_not_one_more() -> None:
    paths = RootfsPaths(_index(**{f"l{number}": f"l{number + 1}" for number in range(41)}, l41=None))
    assert paths.resolve(b"/l1").state is State.FOUND
    assert paths.resolve(b"/l0").why == "is a symbolic link that leads in a circle"


def test_links_that_multiply_are_given_up() -> None:
    chain = {f"l{number}": f"l{number + 1}/" * 1000 for number in range(40)}
    assert RootfsPaths(_index(**chain, l40=None)).resolve(b"/l0").state in (State.UNKNOWN, State.MISSING)


def test_a_path_longer_than_the_kernel_takes_is_not_judged_and_others_are() -> None:
    paths = RootfsPaths(_index(a=None))
    assert paths.resolve(b"/x" * 2049).state is State.UNKNOWN
    assert paths.resolve(b"/a").state is State.FOUND
    assert paths.resolve(b"/x").state is State.MISSING


def test_a_slash_behind_a_file_asks_for_a_directory() -> None:
    paths = RootfsPaths(_index(bin__sh=None, l="bin/sh/"))
    assert describe_missing(b"/bin/sh/", paths.resolve(b"/bin/sh/")) == '"/bin/sh" is not a directory'
    assert describe_missing(b"/l", paths.resolve(b"/l")) == '"/l" leads to "/bin/sh", which is not a directory'


def test_where_a_way_ends_too_early_is_told() -> None:
    paths = RootfsPaths(_index(a=None, l="/a/b"))
    assert describe_missing(b"/l/./c", paths.resolve(b"/l/./c")) == (
        '"/l/c" leads to "/a/b/c", which cannot be reached: "/a" is not a directory'
    )
    assert describe_missing(b"/x/y", paths.resolve(b"/x/y")) == '"/x/y" is not in the rootfs'
