"""Names inside a rootfs, as the kernel resolves them there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acstage1.inroot import open_in_root

RENAME = """
import os, sys
os.chdir(sys.argv[1])
print("up", flush=True)
while True:
    os.rename("one", "two")
    os.rename("two", "one")
"""


@pytest.fixture
def renaming(tmp_path: Path) -> Iterator[None]:
    """Have somebody else rename something of their own all the time."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "one").touch()
    command = [sys.executable, "-c", RENAME, str(tmp_path / "elsewhere")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield
        process.kill()


@pytest.mark.usefixtures("renaming")
def test_a_link_that_leads_up_is_followed_whatever_others_rename_meanwhile(tmp_path: Path) -> None:
    """As /var/run does in many images. The kernel cannot tell, and says so: of some thousand times, dozens."""
    for name in ("run/app", "var"):
        (tmp_path / "root" / name).mkdir(parents=True)
    (tmp_path / "root" / "var" / "run").symlink_to("../run")
    root = os.open(tmp_path / "root", os.O_PATH)
    try:
        for _ in range(30_000):
            os.close(open_in_root(root, "/var/run/app"))
    finally:
        os.close(root)
