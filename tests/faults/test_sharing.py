"""A tree made with a donor, killed and failed at its system calls one by one, and made in a crowd while the donor is collected.

The donor stays as it was, and what is made in the end is what would have been made without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.test_crowd import again_and_again, at_once
from tests.faults.test_faults import (
    ACFETCH,
    ANSWERS,
    check_message,
    fingerprint,
    fresh,
    left_overs,
    note_cgroups,
    program,
    selection,
)
from tests.support import images
from tests.support.faults import run_with_fault
from tests.support.userland import BUSYBOX

GC = program("acrun", "gc", "--grace-period", "0")
CROWD = 6
BASE: images.Files = {
    "bin/busybox": images.Node(BUSYBOX.read_bytes(), mode=0o755),
    "bin/true": "busybox",
    "lib/a": b"a" * 1000,
    "lib/b": images.hard_link("lib/a"),
    "lib/c": b"c" * 200_000,
}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Return a data directory with images upon one base, whose tree is there already, and old."""
    data = tmp_path / "stored"
    (tmp_path / "base.aci").write_bytes(images.image(BASE, _manifest("base")))
    for number in range(CROWD):
        manifest = _manifest(f"app{number}", dependencies=[{"imageName": "example.com/base"}])
        (tmp_path / f"app{number}.aci").write_bytes(images.image({"name": b"%d" % number}, manifest))
    for name in ("base", *(f"app{number}" for number in range(CROWD))):
        subprocess.run([*ACFETCH, "--offline", "--dir", str(data), str(tmp_path / f"{name}.aci")], capture_output=True, check=True)
    subprocess.run(program("acrun", "--rm", "--dir", str(data), "example.com/base"), capture_output=True, check=True)
    shutil.rmtree(data / "plans", ignore_errors=True)
    return data


def _manifest(name: str, **more: object) -> bytes:
    return images.manifest_bytes(name=f"example.com/{name}", app={"exec": ["/bin/true"], "user": "0", "group": "0"}, **more)


def copy(place: Path, template: Path) -> tuple[Path, Path]:
    """Return a copy of the data directory, and its one tree."""
    data = fresh(place, template)
    (tree,) = (data / "trees").iterdir()
    return data, tree


@pytest.mark.parametrize("family", ["link", "unlink", "openat", "rename"])
def test_a_fault_changes_nothing_in_the_donor_and_the_tree_is_made_the_next_time(tmp_path: Path, stored: Path, family: str) -> None:
    command = program("acrun", "example.com/app0")
    environment = {"APPC_DIR": str(tmp_path / "data")}
    assert family in ANSWERS
    wanted = ""
    for call, fault in selection(command, family, copy(tmp_path, stored)[0]):
        what = f"{fault} at {call}"
        data, donor = copy(tmp_path, stored)
        before = fingerprint(donor)
        result = run_with_fault(command, call, fault, environment)
        if fault != "signal=KILL":
            check_message(result, what)
        note_cgroups(data)
        assert fingerprint(donor) == before, what
        again = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", ""), what
        note_cgroups(data)
        swept = subprocess.run(GC, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
        assert (swept.returncode, swept.stderr) == (0, ""), what
        assert left_overs(data) == [], what
        assert fingerprint(donor) == before, what
        (tree,) = set((data / "trees").iterdir()) - {donor}
        wanted = wanted or fingerprint(tree / "rootfs")
        assert fingerprint(tree / "rootfs") == wanted, what


def test_a_crowd_shares_with_a_tree_that_is_being_collected(tmp_path: Path, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, donor = copy(tmp_path, stored)
    monkeypatch.setenv("APPC_DIR", str(data))
    os.utime(donor, (1, 1))
    with again_and_again(GC):
        ended = at_once(*(program("acrun", f"example.com/app{number}") for number in range(CROWD)))
    assert set(ended) == {(0, "", "")}
    trees = set((data / "trees").iterdir()) - {donor}
    assert sorted((tree / "rootfs/name").read_bytes() for tree in trees) == [b"%d" % number for number in range(CROWD)]
    for tree in trees:
        assert (tree / "rootfs/bin/busybox").read_bytes() == BUSYBOX.read_bytes()
        assert os.path.samefile(tree / "rootfs/lib/a", tree / "rootfs/lib/b")
        assert (tree / "rootfs/lib/c").read_bytes() == b"c" * 200_000
    subprocess.run(GC, capture_output=True, check=True)
    assert not donor.exists()
    assert os.listdir(data / "tmp") == []
