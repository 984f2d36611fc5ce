"""Files put into a place that has files: what gives way to what, and that nothing moves when something cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from acrun.layered import LayeredTree
from acrun.placing import place_archive
from acrun.tree_archive import TreeArchive
from acspec.errors import OutputError
from tests.support.desk import snapshot


def grow(path: Path, files: Mapping[str, str | None]) -> Path:
    """Make *files* at *path*: text of files, None for directories, `-> TARGET` for links."""
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            place.mkdir()
        elif content.startswith("-> "):
            place.symlink_to(content[3:])
        else:
            place.write_text(content)
    return path


def place(source: Path, target: Path, directory: bytes = b"") -> None:
    """Put what is in *source* into *directory* of *target*."""
    tree, goal = (LayeredTree([os.open(path, os.O_RDONLY)], "place") for path in (source, target))
    workspace = os.open(target, os.O_RDONLY)
    try:
        place_archive(TreeArchive(tree, b"", b""), goal, directory, workspace)
    finally:
        os.close(workspace)
        tree.close()
        goal.close()


MERGES: dict[str, tuple[Mapping[str, str | None], Mapping[str, str | None], Mapping[str, str | None]]] = {
    "into an empty place": ({"a/b": "1", "c": "2"}, {}, {"a/b": "1", "c": "2"}),
    "a file in place of a file": ({"a": "new"}, {"a": "old"}, {"a": "new"}),
    "a directory into a directory": ({"a/new": "1"}, {"a/old": "2"}, {"a/new": "1", "a/old": "2"}),
    "a file deep inside": ({"a/b/c": "new"}, {"a/b/c": "old", "a/b/d": "3"}, {"a/b/c": "new", "a/b/d": "3"}),
    "a link in place of a file": ({"a": "-> /x"}, {"a": "old"}, {"a": "-> /x"}),
    "a file in place of a link, which is not followed": ({"a": "new"}, {"a": "-> b", "b": "old"}, {"a": "new", "b": "old"}),
}


@pytest.mark.parametrize(("source", "there", "result"), MERGES.values(), ids=MERGES)
def test_files_are_merged(
    source: Mapping[str, str | None], there: Mapping[str, str | None], result: Mapping[str, str | None], tmp_path: Path
) -> None:
    place(grow(tmp_path / "source", source), grow(tmp_path / "target", there))
    assert snapshot(tmp_path / "target") == snapshot(grow(tmp_path / "result", result))


CONFLICTS: dict[str, tuple[Mapping[str, str | None], Mapping[str, str | None], str]] = {
    "a directory where a file is": ({"a/x": "1"}, {"a": "old"}, "/a: is no directory"),
    "a file where a directory is": ({"a": "1"}, {"a/x": "old"}, "/a: is a directory"),
    "a directory where a link to one is": ({"a/x": "1"}, {"a": "-> b", "b": None}, "/a: is no directory"),
    "deep inside, behind what would fit": ({"a/b": "1", "z/y": "2"}, {"z/y/x": "old"}, "/z/y: is a directory"),
}


@pytest.mark.parametrize(("source", "there", "words"), CONFLICTS.values(), ids=CONFLICTS)
def test_nothing_moves_when_a_file_and_a_directory_would_meet(
    source: Mapping[str, str | None], there: Mapping[str, str | None], words: str, tmp_path: Path
) -> None:
    target = grow(tmp_path / "target", there)
    before = snapshot(target)
    with pytest.raises(OutputError, match=words):
        place(grow(tmp_path / "source", source), target)
    assert snapshot(target) == before


def test_directories_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    target = grow(tmp_path / "target", {"a": None})
    os.chmod(target / "a", 0o700)
    source = grow(tmp_path / "source", {"a/new": "1"})
    os.chmod(source / "a", 0o755)
    place(source, target)
    assert (target / "a").stat().st_mode & 0o777 == 0o700


def test_files_go_into_a_directory_of_the_place(tmp_path: Path) -> None:
    target = grow(tmp_path / "target", {"in/here": None})
    place(grow(tmp_path / "source", {"file": "1"}), target, b"in/here")
    assert (target / "in" / "here" / "file").read_text() == "1"
