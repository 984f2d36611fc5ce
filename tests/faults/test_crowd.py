"""Many processes at once: on one image, on one tree, and gc among them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import images
from tests.support.userland import BUSYBOX

CROWD = 16


def program(name: str, *words: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; from {name}.cli import main; sys.exit(main())", *words]


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    manifest = images.manifest_bytes(app={"exec": ["/bin/busybox", "echo", "ran"], "user": "0", "group": "0"})
    path = tmp_path / "hello.aci"
    path.write_bytes(images.image({"bin/busybox": images.Node(BUSYBOX.read_bytes(), mode=0o755)}, manifest))
    return path


def at_once(*commands: list[str]) -> list[tuple[int, str, str]]:
    """Start all *commands*, then wait for them; return exit code, stdout and stderr of each."""
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for words in commands]
    ended = [process.communicate() for process in started]
    return [(process.returncode, out, err) for process, (out, err) in zip(started, ended, strict=True)]


def test_a_crowd_that_fetches_one_image_ends_with_one_good_file(image: Path, tmp_path: Path) -> None:
    ended = at_once(*(program("acfetch", "-q", "--insecure-options=image", str(image)) for _ in range(CROWD)))
    assert len(set(ended)) == 1, ended
    code, out, err = ended[0]
    assert (code, err) == (0, "")
    path = Path(out.strip())
    assert path.name == f"sha512-{hashlib.sha512(path.read_bytes()).hexdigest()}.aci"
    assert len(os.listdir(path.parent)) == 2
    assert os.listdir(tmp_path / "data" / "tmp") == []


def test_a_crowd_that_runs_one_image_renders_one_tree_while_gc_runs_all_the_time(image: Path, tmp_path: Path) -> None:
    gc = program("acrun", "gc", "--grace-period", "0")
    with subprocess.Popen(["sh", "-c", 'while "$@"; do :; done', "gc", *gc], stdout=subprocess.DEVNULL) as collector:
        try:
            ended = at_once(*(program("acrun", str(image)) for _ in range(CROWD)))
        finally:
            collector.terminate()
    assert set(ended) == {(0, "ran\n", "")}
    (tree,) = (tmp_path / "data" / "trees").iterdir()
    assert json.loads((tree / "tree.json").read_text())["complete"] is True
    subprocess.run(gc, capture_output=True, check=True)
    assert os.listdir(tmp_path / "data" / "tmp") == []
    assert list((tmp_path / "data" / "pods").glob("*/*-*")) == []
