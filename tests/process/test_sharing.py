"""Pods of images upon one base, whose trees share its files: nothing that one does to them is seen by another, or is in a tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EAGAIN
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest

from tests.support.ann import Ann
from tests.support.desk import Desk, app_image, probe_files, snapshot, userland
from tests.support.images import Node, image, manifest_bytes
from tests.support.machine import Ended

APPLETS = ("sh", "cat", "chmod", "chown", "echo", "ln", "mv", "rm", "test", "touch", "true", "wc")
DATA = {f"srv/{name}": Node(b"original\n", mode=0o644, mtime=7) for name in ("a", "b", "c", "d", "e", "f")}
BASE: Mapping[str, Any] = {**userland(*APPLETS), **probe_files(), "srv": None, **DATA}
EVERYTHING = """
echo changed > /srv/a; echo more >> /srv/b; chmod 4700 /srv/c; touch /srv/d; rm /srv/e; mv /srv/f /srv/g
ln /srv/a /srv/h; chown 7:7 /srv/b 2>/dev/null; cat /srv/a /srv/b
"""


@dataclass(frozen=True)
class Who:
    """Somebody with images, and the place of the trees."""

    user: Desk | Ann
    run: Path

    def shell(self, line: str) -> Ended:
        """Run a line and check that it went well."""
        ended = self.user.shell(line)
        assert ended.code == 0, ended.stderr
        return ended

    @contextmanager
    def start(self, line: str) -> Iterator[Popen[str]]:
        """Start a line."""
        if isinstance(self.user, Desk):
            with self.user.start("sh", "-c", line) as process:
                yield process
        else:
            with Popen(self.user.words(line), stdin=DEVNULL, stdout=PIPE, text=True) as process:
                yield process

    def trees(self) -> list[Path]:
        """Return the rendered trees in the order in which they were made."""
        return sorted((self.run / "trees").iterdir(), key=lambda tree: (tree / "rootfs").stat().st_ctime_ns)

    def inodes(self, name: str) -> set[int]:
        """Return the inodes that trees have for a file."""
        return {(tree / "rootfs" / name).stat().st_ino for tree in self.trees()}


@pytest.fixture(params=["root", "an ordinary user"])
def who(request: pytest.FixtureRequest) -> Who:
    """Give somebody the images `one` and `two` upon one base."""
    wants = [{"imageName": "example.com/base"}]
    files = {"base": image(BASE, manifest_bytes(name="example.com/base"))}
    for name in ("one", "two"):
        own = {"etc": None, "etc/name": name.encode() + b"\n"}
        files[name] = app_image(f"example.com/{name}", ["/bin/sh", "-c"], own, dependencies=wants)
    if request.param == "root":
        desk: Desk = request.getfixturevalue("desk")
        for name, data in files.items():
            (desk.path / f"{name}.aci").write_bytes(data)
        who = Who(desk, desk.store)
    else:
        ann: Ann = request.getfixturevalue("ann")
        for name, data in files.items():
            ann.put(f"{name}.aci", data)
        who = Who(ann, ann.home / ".local/share/appc")
    fetch = "acfetch --quiet --offline --insecure-options=image"
    who.shell(f"{fetch} ./base.aci && {fetch} ./one.aci ./two.aci")
    return who


@pytest.mark.parametrize("backend", ["--overlay", "--no-overlay"])
def test_what_an_app_does_to_a_shared_file_is_its_own_affair(who: Who, backend: str) -> None:
    for name in ("one", "two"):
        assert who.shell(f"acrun --rm {backend} example.com/{name} -- 'cat /etc/name /srv/a'").stdout == f"{name}\noriginal\n"
    assert len(who.trees()) == 2
    assert len(who.inodes("srv/a")) == 1, "they share it"
    before = [snapshot(tree / "rootfs") for tree in who.trees()]
    times = [(tree / "rootfs/srv" / name).stat().st_mtime_ns for tree in who.trees() for name in "abcdef"]
    for name in ("one", "two"):
        ended = who.shell(f"acrun --rm {backend} example.com/{name} -- '{EVERYTHING}'")
        assert ended.stdout == "changed\noriginal\nmore\n"
    assert [snapshot(tree / "rootfs") for tree in who.trees()] == before
    assert [(tree / "rootfs/srv" / name).stat().st_mtime_ns for tree in who.trees() for name in "abcdef"] == times
    assert len(who.inodes("srv/a")) == 1


def test_either_tree_goes_without_the_other_and_the_next_is_shared_again(who: Who) -> None:
    for name in ("one", "two"):
        who.shell(f"acrun --rm example.com/{name} -- true")
    first, _ = who.trees()
    os.utime(first, (1, 1))
    who.shell("acrun gc --grace-period 0")
    assert first not in who.trees()
    assert who.shell("acrun --rm example.com/two -- 'cat /srv/a'").stdout == "original\n"
    who.shell("acrun --rm example.com/one -- true")
    assert len(who.trees()) == 2
    assert len(who.inodes("srv/a")) == 1


def test_a_file_that_was_damaged_in_one_tree_is_whole_in_the_next(who: Who) -> None:
    who.shell("acrun --rm example.com/one -- true")
    (tree,) = who.trees()
    owner = (tree / "rootfs/srv/a").stat()
    (tree / "rootfs/srv/a").write_bytes(b"damaged!\n")
    os.utime(tree / "rootfs/srv/a", ns=(owner.st_mtime_ns, owner.st_mtime_ns))
    assert who.shell("acrun --rm example.com/two -- 'cat /srv/a /srv/b'").stdout == "original\n" * 2
    assert len(who.inodes("srv/a")) == 2
    assert len(who.inodes("srv/b")) == 1


def test_a_restarted_app_starts_from_the_tree_as_it_was(who: Who) -> None:
    who.shell("acrun --rm example.com/one -- true")
    script = "cat /srv/a; echo changed > /srv/a; echo >> /v/n; test $(wc -l < /v/n) = 2"
    volume = "--volume v,kind=empty --mount volume=v,target=/v"
    for backend in ("--overlay", "--no-overlay"):
        line = f"acrun --rm {backend} --restart on-failure {volume} example.com/two -- '{script}'"
        assert who.shell(line).stdout == "original\n" * 2
    assert len(who.inodes("srv/a")) == 1
    assert who.shell("acrun --rm example.com/one -- 'cat /srv/a'").stdout == "original\n"


def test_a_lock_that_one_pod_has_on_a_shared_file_is_no_hindrance_to_another(who: Who) -> None:
    """An overlay has an inode of its own for each file, and locks are kept there."""
    who.shell("acrun --rm example.com/two -- true")
    with who.start("exec acrun --rm --name holder example.com/one --exec /bin/probe -- lock /srv/a 0") as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "0\n"
        try:
            assert len(who.inodes("srv/a")) == 1
            assert who.shell("acrun enter holder -- /bin/probe lock /srv/a").stdout == f"{EAGAIN}\n", "in the pod itself it is held"
            assert who.shell("acrun --rm example.com/two --exec /bin/probe -- lock /srv/a").stdout == "0\n"
        finally:
            who.shell("acrun stop holder")
