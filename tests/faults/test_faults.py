"""acfetch from a file and acrun, killed and failed at their system calls one by one.

After every fault the same command is run again without one: it must give the same image and the same tree, and after `acrun gc`
nothing may be left of the run that failed. A fault that is an error is told in one line. With APPC_FAULTS=all every call is
tried, else a selection.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support import images
from tests.support.faults import Call, every, find_calls, run_with_fault
from tests.support.userland import BUSYBOX

PROGRAM = "import sys; from {0}.cli import main; sys.exit(main())"
FAMILIES = ("write", "rename", "link", "unlink", "mkdir", "fsync", "openat")

# What the kernel can answer to each; the others would only show that strace can lie.
ANSWERS = {
    "write": ("error=ENOSPC", "error=EIO"),
    "rename": ("error=ENOSPC", "error=EIO"),
    "link": ("error=ENOSPC", "error=EIO"),
    "unlink": ("error=EIO",),
    "mkdir": ("error=ENOSPC", "error=EIO"),
    "fsync": ("error=EIO", "error=ENOSPC"),
    "openat": ("error=EMFILE", "error=ENOSPC"),
}
MOST = 6


def program(name: str, *words: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM.format(name), *words]


ACFETCH = program("acfetch", "--insecure-options=image", "--quiet")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    files = {
        "bin/busybox": images.Node(BUSYBOX.read_bytes(), mode=0o755),
        "bin/true": "busybox",
        "etc/hosts": b"",
        "empty": None,
    }
    manifest = images.manifest_bytes(app={"exec": ["/bin/true"], "user": "0", "group": "0"})
    (tmp_path / "hello.aci").write_bytes(images.image(files, manifest))
    return tmp_path


def fingerprint(directory: Path) -> str:
    """Return one digest of every name below *directory* with its kind, mode, owner, times and content."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else os.fsencode(path.readlink()) if path.is_symlink() else b""
        row = (str(path.relative_to(directory)), status.st_mode, status.st_uid, status.st_size * bool(content), status.st_mtime_ns)
        digest.update(repr((row, hashlib.sha256(content).hexdigest())).encode())
    return digest.hexdigest()


def left_overs(data: Path) -> list[str]:
    """Return what a run may leave behind and gc may not: pods, and things half made."""
    found = [path for name in ("tmp", "partial") for path in (data / name).glob("*")]
    found += [path for path in (data / "pods").glob("*/*") if path.is_dir() or path.parent.name == "names"]
    return [str(path.relative_to(data)) for path in found] + [path for path in sorted(_CGROUPS) if os.path.exists(path)]


_CGROUPS: set[str] = set()


def note_cgroups(data: Path) -> None:
    """Remember the cgroups of the pods that are there: later nothing else names them."""
    for listing in (data / "pods").glob("*/*/cgroups"):
        _CGROUPS.update(listing.read_text().splitlines())


def fresh(place: Path, template: Path | None) -> Path:
    """Return an empty data directory, or a copy of *template*."""
    data = place / "data"
    if data.exists():
        shutil.rmtree(data)
    if template is not None:
        shutil.copytree(template, data, symlinks=True)
    return data


def selection(command: Sequence[str], family: str, data: Path) -> Iterator[tuple[Call, str]]:
    for call in every(find_calls(command, family, about=data, environment={"APPC_DIR": str(data)}), MOST):
        for fault in ("signal=KILL", *ANSWERS[family]):
            yield call, fault


def check_message(result: subprocess.CompletedProcess[str], what: str) -> None:
    lines = result.stderr.splitlines()
    assert len(lines) <= 1, f"{what}: {result.stderr}"
    assert result.returncode == 0 or lines, f"{what}: exit code {result.returncode} and not a word"
    assert "is a bug" not in result.stderr, what


@pytest.mark.parametrize("family", FAMILIES)
def test_acfetch_leaves_nothing_and_does_it_the_next_time(place: Path, family: str) -> None:
    command = [*ACFETCH, str(place / "hello.aci")]
    for call, fault in selection(command, family, fresh(place, None)):
        data = fresh(place, None)
        what = f"{fault} at {call}"
        result = run_with_fault(command, call, fault, {"APPC_DIR": str(data)})
        if fault != "signal=KILL":
            check_message(result, what)
        if result.returncode != 0:
            assert result.stdout == "", what
        again = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "APPC_DIR": str(data)}, check=False)
        assert (again.returncode, again.stderr) == (0, ""), what
        image = Path(again.stdout.strip())
        assert image.name == f"sha512-{hashlib.sha512(image.read_bytes()).hexdigest()}.aci", what
        assert left_overs(data) == [], what
        assert sorted(path.suffix for path in (data / "images").iterdir()) == [".aci", ".json"], what


@pytest.fixture
def stored(place: Path) -> Path:
    """Return a data directory that holds the image."""
    data = place / "stored"
    subprocess.run([*ACFETCH, "--dir", str(data), str(place / "hello.aci")], capture_output=True, check=True)
    return data


@pytest.mark.parametrize("family", FAMILIES)
def test_acrun_leaves_nothing_and_runs_the_next_time(place: Path, stored: Path, family: str) -> None:
    command = program("acrun", "example.com/hello")
    environment = {"APPC_DIR": str(place / "data")}
    wanted = ""
    for call, fault in selection(command, family, fresh(place, stored)):
        data = fresh(place, stored)
        what = f"{fault} at {call}"
        result = run_with_fault(command, call, fault, environment)
        note_cgroups(data)
        if fault != "signal=KILL":
            check_message(result, what)
        again = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", ""), what
        note_cgroups(data)
        gc = program("acrun", "gc", "--grace-period", "0")
        swept = subprocess.run(gc, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
        assert (swept.returncode, swept.stderr) == (0, ""), what
        assert left_overs(data) == [], what
        (tree,) = (data / "trees").iterdir()
        wanted = wanted or fingerprint(tree / "rootfs")
        assert fingerprint(tree / "rootfs") == wanted, what
    assert str(place) not in Path("/proc/self/mounts").read_text()  # others mount elsewhere meanwhile
