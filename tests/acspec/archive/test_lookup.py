"""Paths followed inside a root: as the kernel follows them for a process in a chroot."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.entry import Entry, Kind
from acspec.archive.lookup import NowhereError, resolve
from acstage1.linux.mounts import RESOLVE_IN_ROOT, open_resolved

# What lies in a root: a directory (None), a regular file (bytes), or a symbolic link (text).
Tree = Mapping[str, bytes | str | None]

TREE: Tree = {
    "etc": None,
    "etc/passwd": b"root",
    "usr": None,
    "usr/bin": None,
    "usr/bin/dash": b"dash",
    "usr/bin/sh": "dash",
    "bin": "usr/bin",
    "lib": "/usr",
    "usr/share": "/etc",
    "up": "../../../etc",
    "slash": "usr/",
    "out": "/../../etc/passwd",
    "self": ".",
    "loop": "loop",
    "one": "two",
    "two": "one",
    "gone": "/nowhere/at/all",
    "through": "etc/passwd/x",
    "empty-step": "usr//bin/./dash",
}

LEADS = {
    "a plain path": ("/etc/passwd", "etc/passwd"),
    "a path without a slash at its start": ("etc/passwd", "etc/passwd"),
    "the root": ("/", ""),
    "the root's parent": ("/../..", ""),
    "above the root and back": ("/../../etc/../etc/passwd", "etc/passwd"),
    "a link at the end": ("/usr/bin/sh", "usr/bin/dash"),
    "a link on the way, and one at the end": ("/bin/sh", "usr/bin/dash"),
    "a link with an absolute target": ("/lib/bin/dash", "usr/bin/dash"),
    "a link with an absolute target, in a directory": ("/usr/share/passwd", "etc/passwd"),
    "a link that climbs beyond the root": ("/up/passwd", "etc/passwd"),
    "an absolute link that climbs beyond the root": ("/out", "etc/passwd"),
    "the parent of where a link leads": ("/bin/../bin/sh", "usr/bin/dash"),
    "a link to a directory with a slash at its end": ("/slash/bin", "usr/bin"),
    "a link to its own directory, again and again": ("/self/self/self/etc/passwd", "etc/passwd"),
    "steps that lead nowhere": ("//etc/.//passwd", "etc/passwd"),
    "steps that lead nowhere, in a link": ("/empty-step", "usr/bin/dash"),
    "a directory, asked for as one": ("/usr/bin/", "usr/bin"),
    "forty links": ("/self" * 40 + "/etc", "etc"),
}

NOWHERE = {
    "no path": ("", "no such file"),
    "a name that is not there": ("/etc/shadow", "no such file"),
    "a directory that is not there": ("/opt/x", 'no such file: "/opt" on its way is not there'),
    "the way back from a directory that is not there": ("/opt/../etc/passwd", 'no such file: "/opt" on its way is not there'),
    "a dangling link": ("/gone", 'no such file: "/nowhere" on its way is not there'),
    "a file as a directory": ("/etc/passwd/x", '"/etc/passwd" on its way is not a directory'),
    "a file as a directory, in a link": ("/through", '"/etc/passwd" on its way is not a directory'),
    "a file, asked for as a directory": ("/etc/passwd/", '"/etc/passwd" on its way is not a directory'),
    "the parent of a file": ("/etc/passwd/..", '"/etc/passwd" on its way is not a directory'),
    "a link to itself": ("/loop", "more than 40 symbolic links on its way"),
    "two links to each other": ("/one/x", "more than 40 symbolic links on its way"),
    "forty-one links": ("/self" * 41 + "/etc", "more than 40 symbolic links on its way"),
    "a path longer than the kernel takes": ("/./" * 2000, "a path longer than the kernel's limit of 4095 bytes on its way"),
    "a control code": ("/a\x1b[2J/b", 'no such file: "/a\\x1b[2J" on its way is not there'),
}


def entry(path: str, value: bytes | str | None) -> Entry:
    if isinstance(value, str):
        return Entry(path.encode(), Kind.SYMLINK, link_name=value.encode())
    return Entry(path.encode(), Kind.DIRECTORY if value is None else Kind.FILE)


def follow(tree: Tree, path: str) -> str:
    entries = {name.encode(): entry(name, value) for name, value in tree.items()}
    return resolve(path.encode(), entries.get).decode()


@pytest.mark.parametrize("sentence", LEADS)
def test_a_path_leads_through_links_and_never_out(sentence: str) -> None:
    path, place = LEADS[sentence]
    assert follow(TREE, path) == place


@pytest.mark.parametrize("sentence", NOWHERE)
def test_a_path_that_leads_nowhere_says_why(sentence: str) -> None:
    path, words = NOWHERE[sentence]
    with pytest.raises(NowhereError) as caught:
        follow(TREE, path)
    assert str(caught.value) == words


def test_a_link_longer_than_the_kernel_takes_leads_nowhere() -> None:
    with pytest.raises(NowhereError, match="4095 bytes"):
        follow({"a": "./" * 2048}, "/a")


STEPS = some.sampled_from(["a", "b", "c", "..", ".", ""])
PATHS = some.lists(STEPS, min_size=1, max_size=6).map("/".join)
TARGETS = some.one_of(PATHS.filter(bool), PATHS.map("/{}".format))
NAMES = some.lists(some.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@given(
    some.dictionaries(NAMES, some.one_of(some.none(), some.just(b"data"), TARGETS), max_size=8),
    some.lists(PATHS, max_size=8),
)
def test_any_path_leads_where_the_kernel_leads_a_process_in_a_chroot(
    tmp_path_factory: pytest.TempPathFactory, wanted: Tree, paths: list[str]
) -> None:
    place = tmp_path_factory.mktemp("root")
    tree = grow(place, wanted)
    root = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    for path in paths:
        try:
            found: object = os.lstat(place / follow(tree, path)).st_ino
        except NowhereError:
            found = "nowhere"
        assert found == ask_the_kernel(root, path), path
    os.close(root)
    shutil.rmtree(place)


def grow(root: Path, wanted: Tree) -> Tree:
    """Make as much of a tree as can be, with all parents and without following any link, and return what was made."""
    made: dict[str, bytes | str | None] = {}
    for name, value in sorted(wanted.items()):
        parts = name.split("/")
        parents = ["/".join(parts[:count]) for count in range(1, len(parts))]
        if any(made.get(parent) is not None for parent in parents):
            continue
        for parent in parents:
            (root / parent).mkdir(exist_ok=True)
            made[parent] = None
        if value is None:
            (root / name).mkdir(exist_ok=True)
        elif isinstance(value, bytes):
            (root / name).write_bytes(value)
        else:
            os.symlink(value, root / name)
        made[name] = value
    return made


def ask_the_kernel(root: int, path: str) -> object:
    """Return the inode that the kernel finds at *path* with *root* for its root, or "nowhere"."""
    try:
        descriptor = open_resolved(root, path, os.O_PATH, RESOLVE_IN_ROOT)
    except BlockingIOError:  # something was renamed somewhere, just while it went up
        return ask_the_kernel(root, path)
    except OSError as error:
        assert error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
        return "nowhere"
    inode = os.fstat(descriptor).st_ino
    os.close(descriptor)
    return inode


def test_a_path_that_leads_nowhere_says_where_it_ends_and_what_would_follow() -> None:
    with pytest.raises(NowhereError) as caught:
        follow(TREE, "/lib/./bin/dash//x/./y/")
    assert (caught.value.place, caught.value.rest) == (b"usr/bin/dash", b"x/y")


def test_a_look_up_may_say_itself_why_nothing_is_there() -> None:
    with pytest.raises(NowhereError, match='"/a" on its way is hidden') as caught:
        resolve(b"/a/b", lambda _: "is hidden")
    assert caught.value.why == "is hidden"
