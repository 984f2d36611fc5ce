"""Outputs of actool on disks that take nothing, or too little: one line that names what was to be made, and nothing left."""

from __future__ import annotations

import os

import pytest

from tests.support.desk import Desk, app_image

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


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_called_that_however_python_writes_to_it(unbuffered: str, plain_desk: Desk) -> None:
    (plain_desk.path / "app.aci").write_bytes(app_image(files=FILES))
    for line in ("actool ls app.aci", "actool cat app.aci /big", "actool id app.aci"):
        ended = plain_desk.shell(f"PYTHONUNBUFFERED={unbuffered} {line} > /dev/full")
        assert (ended.code, ended.stderr) == (74, "actool: standard output: no space left on device\n")
