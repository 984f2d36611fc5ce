"""Layers as this kernel's overlay writes them, read without it: both see the same files, and what is put there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acrun.layered import LayeredTree
from acrun.placing import place_archive
from acrun.tree_archive import TreeArchive
from acspec.archive.sparse import fill_holes

BELOW = """
mkdir -p dir/sub empty other/deep
echo one > dir/one; echo two > dir/two; echo three > dir/sub/three; echo four > other/deep/four
ln -s dir/one link; ln -s dir dirlink; ln dir/two dir/hard; mkfifo fifo; mknod null c 1 3
chmod 4750 dir/one; chown 12:34 dir/sub; touch -d 2020-01-01 dir/two
"""
CHANGES = {
    "nothing": "true",
    "a new file": "echo new > dir/new",
    "a file written to": "echo more >> dir/one",
    "a file removed": "rm dir/one",
    "a directory removed": "rm -r dir",
    "a directory removed and made again": "rm -r dir; mkdir dir; echo new > dir/new",
    "a directory in place of a file": "rm dir/one; mkdir dir/one; echo x > dir/one/x",
    "a file in place of a directory": "rm -r dir; echo x > dir",
    "a link in place of a directory": "rm -r dir; ln -s other dir",
    "a directory in place of a link": "rm link; mkdir link; echo x > link/x",
    "a directory moved": "mv dir moved",
    "a directory moved and another in its place": "mv dir moved; mkdir dir; echo x > dir/two",
    "a directory moved over one that was removed": "rm -r other; mv dir other",
    "modes and owners changed": "chmod 700 dir; chown 5:6 dir/two; chmod 600 dir/two",
    "one of two names written to": "echo more >> dir/hard",
    "a new name for a file": "ln dir/one dir/name",
    "a device and a FIFO": "mknod dir/zero c 1 5; mkfifo dir/pipe",
    "a file removed and made again, deep inside": "rm other/deep/four; echo new > other/deep/four",
    "all removed": "rm -r ./*",
}


class Overlay:
    """An upper and a lower directory, and a shell in a mount namespace of its own where they are one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        for name in ("lower", "upper", "work", "merged"):
            (path / name).mkdir()
        subprocess.run(["sh", "-e", "-c", BELOW], cwd=path / "lower", check=True)

    def run(self, script: str) -> str:
        """Run *script* in the merged directory and return what it printed."""
        mount = "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged; cd merged"
        # Of a mount that goes with its namespace something may stay for a moment, and two are not to have the same directories.
        unmount = f"cd '{self._path}'; umount merged"
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", f"{mount}; {script}; {unmount}"]
        return subprocess.run(words, cwd=self._path, check=True, capture_output=True, text=True).stdout

    def open(self) -> LayeredTree:
        """Return the two as one, without the kernel's help."""
        return LayeredTree([os.open(self._path / name, os.O_RDONLY) for name in ("upper", "lower")], "overlay")


KINDS = {
    "regular file": "f",
    "directory": "d",
    "symbolic link": "l",
    "hard link": "f",
    "character device": "c",
    "block device": "b",
    "FIFO": "p",
}


def shown_by_kernel(overlay: Overlay) -> list[str]:
    """Return a line for each file as the kernel shows it, with its content."""
    text = overlay.run("find . -mindepth 1 -printf '%P|%y|%m|%U|%G|%l\\n'")
    return sorted(text.splitlines())


def shown_by_us(overlay: Overlay) -> list[str]:
    """Return the same lines as we read them."""
    tree = overlay.open()
    rows = [
        "|".join(
            (
                entry.name.decode(),
                KINDS[entry.kind.value],
                f"{entry.mode:o}",
                str(entry.uid),
                str(entry.gid),
                "" if entry.kind.value == "hard link" else entry.link_name.decode(),
            )
        )
        for entry in TreeArchive(tree, b"", b"")
    ]
    tree.close()
    return sorted(rows)


def contents(overlay: Overlay) -> dict[str, bytes]:
    """Return the content of each regular file as we read it."""
    tree = overlay.open()
    archive, found = TreeArchive(tree, b"", b""), {}
    for entry in archive:
        if entry.kind.value == "regular file":
            found[entry.name.decode()] = b"".join(fill_holes(archive.read_pieces(entry), entry.size))
        elif entry.kind.value == "hard link":
            found[entry.name.decode()] = found[entry.link_name.decode()]
    tree.close()
    return found


@pytest.mark.parametrize("script", CHANGES.values(), ids=CHANGES)
def test_we_see_what_the_kernel_shows(script: str, tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    overlay.run(script)
    assert shown_by_us(overlay) == shown_by_kernel(overlay)
    for name, data in contents(overlay).items():
        assert overlay.run(f"cat '{name}'").encode() == data


PUTS = {
    "a new file": ("true", "dir/new"),
    "in place of a file below": ("true", "dir/one"),
    "where a file was removed": ("rm dir/one", "dir/one"),
    "into a directory that was removed and made again": ("rm -r dir; mkdir dir", "dir/one"),
    "deep into what is only below": ("true", "other/deep/new"),
    "at the top": ("rm -r dir", "dir"),
}


@pytest.mark.parametrize(("script", "place"), PUTS.values(), ids=PUTS)
def test_the_kernel_shows_what_we_put_there(script: str, place: str, tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    overlay.run(script)
    before = set(shown_by_kernel(overlay))
    _put(overlay, tmp_path, place, "text")
    assert overlay.run(f"cat '{place}'") == "text"
    assert {line for line in before if not line.startswith(f"{place}|")} <= set(shown_by_kernel(overlay))
    assert shown_by_us(overlay) == shown_by_kernel(overlay)


def test_a_directory_put_where_one_was_removed_does_not_bring_back_what_was_in_it(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    overlay.run("rm -r dir")
    _put(overlay, tmp_path, "dir/new", "text")
    assert overlay.run("ls dir") == "new\n"
    assert shown_by_us(overlay) == shown_by_kernel(overlay)


def _put(overlay: Overlay, path: Path, place: str, text: str) -> None:
    source = path / "source"
    (source / place).parent.mkdir(parents=True)
    (source / place).write_text(text)
    files, goal = LayeredTree([os.open(source, os.O_RDONLY)], "source"), overlay.open()
    workspace = os.open(path, os.O_RDONLY)
    try:
        place_archive(TreeArchive(files, b"", b""), goal, b"", workspace)
    finally:
        os.close(workspace)
        files.close()
        goal.close()
    assert sorted(os.listdir(path)) == ["lower", "merged", "source", "upper", "work"]
