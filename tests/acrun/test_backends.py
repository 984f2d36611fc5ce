"""Overlay where it works, a copy elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acrun.backends import choose_backend, copy_tree
from acspec.errors import StorageError


def test_the_answer_is_kept_for_this_boot_and_found_anew_for_another(tmp_path: Path) -> None:
    answer = choose_backend(str(tmp_path))
    assert answer in ("overlay", "copy")
    mark = tmp_path / "overlay"
    kept = mark.read_text()
    assert kept.endswith(f" {answer}\n")
    other = "copy" if answer == "overlay" else "overlay"
    mark.write_text(kept.replace(answer, other))
    assert choose_backend(str(tmp_path)) == other
    mark.write_text(f"0 other-boot {other}\n")
    assert choose_backend(str(tmp_path)) == answer
    assert os.listdir(tmp_path / "tmp") == []


def test_nothing_stays_mounted(tmp_path: Path) -> None:
    choose_backend(str(tmp_path))
    with open("/proc/self/mountinfo") as file:
        assert str(tmp_path) not in file.read()


def test_an_ordinary_user_without_mounts_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_backend(str(tmp_path)) == "copy"


def test_a_copy_keeps_links_modes_times_and_hard_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("x")
    (source / "file").chmod(0o4751)
    os.utime(source / "file", ns=(1_000_000_001, 2_000_000_003))
    os.link(source / "file", source / "hard")
    (source / "link").symlink_to("/nowhere")
    copy_tree(str(source), str(tmp_path / "target"))
    status = (tmp_path / "target" / "file").stat()
    assert (status.st_mode & 0o7777, status.st_mtime_ns, status.st_nlink) == (0o4751, 2_000_000_003, 2)
    assert os.readlink(tmp_path / "target" / "link") == "/nowhere"


def test_a_copy_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the tree could not be copied"):
        copy_tree(str(tmp_path / "absent"), str(tmp_path / "target"))
