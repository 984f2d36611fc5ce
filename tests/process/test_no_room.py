"""Disks that take nothing, or too little, beneath outputs of actool and pods of acrun: one line that names what, nothing left."""

from __future__ import annotations

import os

import pytest

from tests.support.desk import Desk, app_image, assert_refused, probe_files

FILES = {"big": os.urandom(400_000)}
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of its own")

# A command line, what its message names, and how a read-only disk is told.
OUTPUTS: dict[str, tuple[str, str, str]] = {
    "build": ("actool build --no-compression layout disk/x.aci", "disk/x.aci", "cannot be created"),
    "extract": ("actool extract app.aci disk/x", "disk/x", "cannot be made"),
    "render into a directory": ("actool render app.aci disk/x", "disk/x", "cannot be made"),
    "render into an image": ("actool render app.aci disk/x.aci", "disk/x.aci", "cannot be created"),
    "patch-manifest": ("actool patch-manifest --name example.com/y app.aci disk/x.aci", "disk/x.aci", "cannot be created"),
}


def _on_disk(desk: Desk, options: str, line: str) -> tuple[int, str, str]:
    """Return code, standard error and what is left, of a line beside a small or read-only file system at `disk`."""
    (desk.path / "app.aci").write_bytes(app_image(files=FILES))
    before = "mkdir disk && mount -t tmpfs tmpfs disk && actool extract app.aci layout"
    script = f"{before} && mount -o remount,{options} disk && {{ {line}; code=$?; ls -A disk; exit $code; }}"
    ended = desk.run("unshare", "--mount", "sh", "-c", script)
    return ended.code, ended.stderr, ended.stdout


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_read_only_disk_is_told_by_the_name_that_was_typed(command: str, plain_desk: Desk) -> None:
    line, what, why = OUTPUTS[command]
    assert _on_disk(plain_desk, "ro", line) == (73, f"actool: {what}: {why}: read-only file system\n", "")


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_full_disk_is_told_by_the_name_that_was_typed(command: str, plain_desk: Desk) -> None:
    line, what, _ = OUTPUTS[command]
    code, error, left = _on_disk(plain_desk, "size=64k", line)
    assert (code, left, error.count("\n")) == (74, "", 1)
    assert error.startswith(f"actool: {what}")
    assert error.endswith(": no space left on device\n")


# How large the disk is on which RUN is, what has been done there, and what finds no room.
RUNS = {
    "the copy of a tree": ("10m", "true", "--no-overlay"),
    "the files of a pod": ("20m", "acrun prepare ./app.aci > id && cat /dev/zero > disk/rest 2> said", ""),
}


@pytest.mark.parametrize("title", RUNS)
def test_a_full_disk_beneath_a_pod_is_named_and_not_the_file_that_had_no_room(title: str, plain_desk: Desk) -> None:
    size, before, options = RUNS[title]
    (plain_desk.path / "app.aci").write_bytes(app_image(files={"big": os.urandom(6 << 20), **probe_files()}))
    mount = f"mkdir disk && mount -t tmpfs -o mode=755,size={size} tmpfs disk && export APPC_DIR=$PWD/disk"
    ended = plain_desk.run("unshare", "--mount", "sh", "-c", f"{mount} && {{ {before}; acrun {options} ./app.aci -- exit 0; }}")
    assert_refused(ended, 125, "/disk: no space left on device (acrun gc and acfetch gc make room)", "acrun")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_called_that_however_python_writes_to_it(unbuffered: str, plain_desk: Desk) -> None:
    (plain_desk.path / "app.aci").write_bytes(app_image(files=FILES))
    for line in ("actool ls app.aci", "actool cat app.aci /big", "actool id app.aci"):
        ended = plain_desk.shell(f"PYTHONUNBUFFERED={unbuffered} {line} > /dev/full")
        assert (ended.code, ended.stderr) == (74, "actool: standard output: no space left on device\n")
