"""The second run of an image: from the note of its plan, by few modules, and never from a note that no longer holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import images
from tests.support.userland import BUSYBOX

ACRUN = [sys.executable, "-c", "import sys; from acrun.cli import main; sys.exit(main())"]
HEAVY = {
    "argparse",
    "dataclasses",
    "enum",
    "inspect",
    "json",
    "re",
    "subprocess",
    "typer",
    "typing",
    "hashlib",
    "pathlib",
    "socket",
}


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    path = tmp_path / "hello.aci"
    write(path, "one")
    return path


def write(path: Path, word: str) -> None:
    manifest = images.manifest_bytes(app={"exec": ["/bin/busybox", "echo", word], "user": "0", "group": "0"})
    path.write_bytes(images.image({"bin/busybox": images.Node(BUSYBOX.read_bytes(), mode=0o755)}, manifest))


def acrun(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ACRUN, *words], capture_output=True, text=True, check=True, env={**os.environ, **environment})


def run_until_noted(image: Path, data: Path, *options: str) -> None:
    """Run the image until its plan is noted: the first run may find the file too young for that."""
    while not (data / "plans").exists():
        assert acrun(*options, str(image)).stdout == "one\n"


OPTIONS = {
    "no option": (),
    "a pod that leaves nothing": ("--rm",),
    "a name, a volume and a limit": ("--rm", "--name", "web", "--volume", "data,kind=empty", "--memory", "64Mi", "--quiet"),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_warm_start_imports_little(image: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    run_until_noted(image, tmp_path / "data", *options)
    result = acrun(*options, str(image), PYTHONPROFILEIMPORTTIME="1")
    assert result.stdout == "one\n"
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "acrun.launch" in imported
    assert imported & HEAVY == set()
    assert not any(name.startswith("acspec.archive") for name in imported)


def test_a_warm_start_dates_an_image_of_the_store(image: Path, tmp_path: Path) -> None:
    fetch = [sys.executable, "-c", "import sys; from acfetch.cli import main; sys.exit(main())", "-q", "--insecure-options=image"]
    stored = Path(subprocess.run([*fetch, str(image)], capture_output=True, text=True, check=True).stdout.strip())
    run_until_noted(stored, tmp_path / "data")
    os.utime(stored.with_suffix(".json"), (0, 0))
    result = acrun(str(stored), PYTHONPROFILEIMPORTTIME="1")
    assert "acrun.resolve" not in result.stderr
    assert stored.with_suffix(".json").stat().st_mtime > 0


def test_a_warm_start_takes_arguments(image: Path, tmp_path: Path) -> None:
    run_until_noted(image, tmp_path / "data")
    assert acrun(str(image), "--", "two", "--three").stdout == "one two --three\n"
    assert acrun(str(image)).stdout == "one\n"


def test_an_image_that_was_replaced_is_the_one_that_runs(image: Path, tmp_path: Path) -> None:
    run_until_noted(image, tmp_path / "data")
    write(image, "new")
    assert acrun(str(image)).stdout == "new\n"


def test_a_tree_that_is_gone_is_rendered_again(image: Path, tmp_path: Path) -> None:
    run_until_noted(image, tmp_path / "data")
    for tree in (tmp_path / "data" / "trees").iterdir():
        tree.rename(tmp_path / tree.name)
    assert acrun(str(image)).stdout == "one\n"
