"""What the two paths of a copy mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.copy_paths import (
    Destination,
    find_pod_path,
    get_pod_destination,
    means_contents,
    open_host_destination,
    open_host_source,
)
from acrun.layered import LayeredTree
from acspec.errors import MissingInputError, OutputError, ToolError, UsageError

POD_PATHS = {
    "a file in a pod": ("shop:/etc/hosts", ("shop", None, b"/etc/hosts")),
    "a file in one of several apps": ("shop:web:/etc/hosts", ("shop", "web", b"/etc/hosts")),
    "the root": ("shop:/", ("shop", None, b"/")),
    "a colon inside": ("shop:/a:b", ("shop", None, b"/a:b")),
    "a colon inside, of one of several apps": ("shop:web:/a:b", ("shop", "web", b"/a:b")),
    "bytes that are not UTF-8": ("shop:/\udcff", ("shop", None, b"/\xff")),
}
HOST_PATHS = ("file", "/a:b", "./shop:/etc", "../shop:/etc", "-", "")
NEITHER = ("shop:etc", "shop:", ":/etc", "shop::/etc", "shop:web:etc", "shop:web:", "C:\\x", "shop:/\0")


@pytest.mark.parametrize(("text", "expected"), POD_PATHS.values(), ids=POD_PATHS)
def test_a_path_in_a_pod_names_pod_app_and_path(text: str, expected: tuple[str, str | None, bytes]) -> None:
    path = find_pod_path(text)
    assert path is not None
    assert (path.pod, path.app, path.path) == expected


@pytest.mark.parametrize("text", HOST_PATHS)
def test_other_paths_are_those_of_the_host(text: str) -> None:
    assert find_pod_path(text) is None


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is neither POD:/PATH nor POD:APP:/PATH"):
        find_pod_path(text)


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_an_error_of_ours(text: str) -> None:
    try:
        path = find_pod_path(text)
    except ToolError:
        return
    except UnicodeEncodeError:  # a surrogate that no argument of a program can hold
        return
    assert path is None or (path.path.startswith(b"/") and ":" not in path.pod)


@pytest.mark.parametrize(
    ("path", "contents"), [(b"/", True), (b"/a/.", True), (b"/a", False), (b"/a/", False), (b".", True), (b"/a.", False)]
)
def test_contents_are_meant_by_a_dot_at_the_end(path: bytes, contents: bool) -> None:
    assert means_contents(path) is contents


GOALS = {
    "into a directory": ("dir", False, ("dir", "name")),
    "a directory into a directory": ("dir", True, ("dir", "name")),
    "in place of a file": ("file", False, (".", "file")),
    "under a new name": ("new", False, (".", "new")),
    "a directory under a new name": ("new", True, (".", "new")),
    "a directory under a new name with a slash behind it": ("new/", True, (".", "new")),
    "through a link to a directory": ("to-dir", False, ("dir", "name")),
    "through a link to a file": ("to-file", False, (".", "file")),
}
NO_GOALS = {
    "a directory in place of a file": ("file", True, "file: is no directory"),
    "a file as if it were a directory": ("file/", False, "file/: "),
    "a directory that is not there": ("new/", False, "new/: no such directory"),
    "below what is not there": ("no/new", False, "no/new"),
    "in place of a FIFO": ("fifo", False, "fifo: is neither a file nor a directory"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with one of everything."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "to-dir").symlink_to("dir")
    (tmp_path / "to-file").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


@pytest.mark.parametrize(("text", "is_directory", "expected"), GOALS.values(), ids=GOALS)
def test_a_copy_goes_where_cp_would_put_it(text: str, is_directory: bool, expected: tuple[str, str], place: Path) -> None:
    destination = open_host_destination(f"{place}/{text}", b"name", is_directory=is_directory)
    descriptor = os.open(place / expected[0], os.O_RDONLY)
    assert os.path.samestat(os.fstat(destination.tree.make_writable(b"")), os.fstat(descriptor))
    os.close(descriptor)
    destination.tree.close()
    assert (destination.directory, destination.name) == (b"", expected[1].encode())
    inside = _inside(place, text, is_directory=is_directory)
    assert (inside.directory, inside.name) == (expected[0].strip(".").encode(), expected[1].encode())


def _inside(place: Path, text: str, *, is_directory: bool) -> Destination:
    """Return the same destination as it is found in a pod whose root is *place*."""
    tree = LayeredTree([os.open(place, os.O_RDONLY)], "pod")
    path = find_pod_path(f"pod:/{text}")
    assert path is not None
    try:
        return get_pod_destination(tree, path, b"name", is_directory=is_directory)
    finally:
        tree.close()


@pytest.mark.parametrize(("text", "is_directory", "words"), NO_GOALS.values(), ids=NO_GOALS)
def test_where_nothing_can_go_is_said(text: str, is_directory: bool, words: str, place: Path) -> None:
    with pytest.raises((OutputError, NotADirectoryError), match=words if text != "file/" else None):
        open_host_destination(f"{place}/{text}", b"name", is_directory=is_directory)
    with pytest.raises((OutputError, MissingInputError)):
        _inside(place, text, is_directory=is_directory)


@pytest.mark.parametrize(
    ("text", "name"),
    [("file", b"file"), ("dir", b"dir"), ("dir/", b"dir"), ("dir/.", b"dir"), ("to-dir", b"to-dir"), ("to-dir/", b"dir")],
)
def test_a_source_on_the_host_is_a_directory_and_a_name(text: str, name: bytes, place: Path) -> None:
    tree, path = open_host_source(f"{place}/{text}", follow=False)
    assert path == name
    assert tree.find(path) is not None
    tree.close()


def test_a_link_is_followed_when_it_is_asked_for(place: Path) -> None:
    tree, path = open_host_source(f"{place}/to-file", follow=True)
    tree.close()
    assert path == b"file"
    with pytest.raises(MissingInputError, match="no such file"):
        open_host_source(f"{place}/nothing/x", follow=False)
