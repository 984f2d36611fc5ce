"""`actool render`, killed and failed at its system calls one by one: what it makes is there whole or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import images
from tests.support.faults import every, find_calls, run_with_fault

FAMILIES = ("write", "openat", "link", "rename", "unlink", "mkdir", "fsync")
ANSWERS = {"link": ("error=ENOSPC", "error=EIO"), "unlink": ("error=EIO",), "openat": ("error=EMFILE", "error=ENOSPC")}
FILES: images.Files = {"d/f": os.urandom(300_000), "d/g": images.hard_link("d/f"), "l": "d"}
INPUTS = ["app.aci", "base.aci"]
MOST = 5


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("output", ["out.aci", "out"])
def test_render_makes_all_of_it_or_nothing(tmp_path: Path, output: str, family: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    images.write_image(place / "base.aci", FILES, images.manifest_bytes(name="example.com/base"))
    wants = [{"imageName": "example.com/base"}]
    images.write_image(place / "app.aci", {"l/x": b""}, images.manifest_bytes(dependencies=wants), "none")
    words = [str(place / name) for name in (*INPUTS, output)]
    command = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "render", *words]
    environment = {"APPC_DIR": str(tmp_path / "data")}
    calls = find_calls(command, family, about=place, environment=environment)
    for call in every(calls, MOST):
        for fault in ("signal=KILL", *ANSWERS.get(family, ("error=ENOSPC", "error=EIO"))):
            what = f"{fault} at {call}"
            _remove(place)
            ended = run_with_fault(command, call, fault, environment)
            left = sorted(set(os.listdir(place)) - set(INPUTS))
            if fault != "signal=KILL":
                assert left in ([], [output]), what
                assert bool(left) or ended.returncode != 0, what
                assert len(ended.stderr.splitlines()) == (1 if ended.returncode else 0), f"{what}: {ended.stderr}"
                assert "is a bug" not in ended.stderr, what
            assert all(name == output or name.startswith(f".{output}.") for name in left), what
            _remove(place)
            again = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
            assert (again.returncode, again.stderr) == (0, ""), what


def _remove(place: Path) -> None:
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in INPUTS:
            path.unlink()
