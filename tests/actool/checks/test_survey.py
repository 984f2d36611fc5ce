"""What lints get to know of a rootfs while its entries pass by."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acspec.archive.image import ImageReader
from actool.checks.elf import MACHINES
from actool.checks.programs import Form
from actool.checks.survey import GROUP, PASSWD, ImageContents, Survey
from actool.checks.validate import validate
from tests.support import images
from tests.support.elf import AARCH64, make_elf
from tests.support.images import Node
from tests.support.lints import executable, in_bin, manifest, mount_points


def survey_of(data: bytes, path: Path) -> Survey:
    """Return the survey of an image."""
    path.write_bytes(data)
    survey = Survey("x")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with ImageReader(descriptor, "x") as reader:
            contents = ImageContents(reader)
            for entry in reader:
                survey.add(entry, contents)
    finally:
        os.close(descriptor)
    return survey


def test_the_first_bytes_of_programs_and_the_databases_are_kept_and_nothing_else(tmp_path: Path) -> None:
    tree = {
        **in_bin(a=executable(), b=executable(make_elf(AARCH64)), c=executable(make_elf()), d=b"data"),
        "etc/passwd": Node(b"root", mode=0o600),
        "etc/group": Node(b"wheel", mode=0o666),
        "etc/hosts": b"hosts",
    }
    survey = survey_of(images.image(tree, manifest()), tmp_path / "x.aci")
    assert survey.entries == len(tree) + 2
    assert survey.databases == {PASSWD: b"root", GROUP: b"wheel"}
    assert survey.machines == {MACHINES["amd64"]: (2, b"rootfs/bin/a"), MACHINES["aarch64"]: (1, b"rootfs/bin/b")}
    found = survey.index.find(b"rootfs/bin/a")
    assert found is not None
    assert found.program is not None
    assert found.program.form is Form.ELF


def test_only_the_first_file_below_a_mount_point_is_remembered(tmp_path: Path) -> None:
    tree = {"data": None, "data/x": None, "data/x/y": b"", "data/z": b"", "log": None, "logs/a": b""}
    survey = survey_of(images.image(tree, manifest(mountPoints=mount_points("/data", "/log/"))), tmp_path / "x.aci")
    assert survey.masked == {b"/data": b"rootfs/data/x/y"}


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_program_with_holes_is_read_and_so_is_what_follows(form: str, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    (layout / "rootfs/bin").mkdir(parents=True)
    (layout / "manifest").write_bytes(manifest())
    (layout / "rootfs/bin/a").write_bytes(b"#!/bin/b\n" + bytes(600) + b"x" * 100_000)
    os.truncate(layout / "rootfs/bin/a", 1 << 20)
    (layout / "rootfs/bin/b").write_bytes(b"#!/bin/nope\n")
    for name in "ab":
        (layout / "rootfs/bin" / name).chmod(0o755)
    words = ["tar", "--sparse", f"--format={form}", "--sort=name", "-C", str(layout), "-cf", "x.aci", "manifest", "rootfs"]
    subprocess.run(words, cwd=tmp_path, check=True)
    assert (tmp_path / "x.aci").stat().st_size < 1 << 19, "there are holes"
    for path in (tmp_path / "x.aci", layout):
        (found,) = validate(str(path)).diagnostics
        assert found.message == '"/bin/b" needs an interpreter, but "/bin/nope" is not in the rootfs'
