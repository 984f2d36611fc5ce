"""The network is left alone, and not even loaded, by a run that asks nothing of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import images

PROGRAM = """
import sys
from acfetch.cli import main
code = main()
print(*sorted({"httpx", "ssl", "socket"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, "--quiet", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "APPC_DIR": str(data)}, check=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "hello.aci").write_bytes(images.image({}))
    assert run("--insecure-options=image", str(tmp_path / "hello.aci"), data=tmp_path / "data").returncode == 0
    return tmp_path / "data"


def test_a_file_takes_no_network(data: Path, tmp_path: Path) -> None:
    result = run("--insecure-options=image", str(tmp_path / "hello.aci"), data=data)
    assert (result.returncode, result.stderr) == (0, "\n")


def test_a_pinned_image_that_is_there_takes_no_network(data: Path) -> None:
    (image,) = (data / "images").glob("*.aci")
    result = run("--insecure-options=image", f"example.com/hello@{image.stem}", data=data)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{image}\n", "\n")


def test_a_name_takes_the_network(data: Path) -> None:
    result = run("--insecure-options=image", "nowhere.invalid/hello", data=data)
    assert result.returncode == 69
    assert "httpx" in result.stderr.splitlines()[-1]
