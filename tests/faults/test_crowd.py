"""Many processes at once: on one image, on one tree, and gc among them."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acspec.errors import UnavailableError
from tests.support import images
from tests.support.stores import check_store
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


@contextmanager
def again_and_again(*commands: list[str]) -> Iterator[None]:
    """Run each of *commands* in a loop of its own meanwhile; each must end well every time."""
    script = 'while "$@"; do test -e "$0" || exit 0; done; exit 1'
    with tempfile.TemporaryDirectory() as directory:
        sign = Path(directory, "go-on")
        sign.touch()
        loops = [subprocess.Popen(["sh", "-c", script, str(sign), *command], stdout=subprocess.DEVNULL) for command in commands]
        try:
            yield
        finally:
            sign.unlink()
            codes = [loop.wait() for loop in loops]
    assert codes == [0] * len(commands)


@pytest.fixture
def second(tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an image that depends on the other one and pins it: it is found in the store, or nowhere at all."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    pinned = images.image_id(gzip.decompress(image.read_bytes()))
    wanted = [{"imageName": "example.com/hello", "imageID": pinned}]
    path = tmp_path / "second.aci"
    path.write_bytes(images.image({"file": b"x"}, images.manifest_bytes(name="example.com/second", dependencies=wanted)))
    return path


def test_a_crowd_that_fetches_is_not_disturbed_by_collections(image: Path, tmp_path: Path) -> None:
    fetch = program("acfetch", "-q", "--insecure-options=image", str(image))
    with again_and_again(program("acfetch", "gc"), program("acfetch", "gc", "--json")):
        ended = at_once(*(fetch for _ in range(CROWD)))
    assert len(set(ended)) == 1, ended
    assert (ended[0][0], ended[0][2]) == (0, "")
    assert {Path(ended[0][1].strip()).stem} == check_store(tmp_path / "data")
    assert os.listdir(tmp_path / "data" / "tmp") == []


def test_what_goes_as_soon_as_nobody_uses_it_goes_whole(image: Path, second: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fetch = program("acfetch", "-q", "--insecure-options=image")
    with again_and_again(*(program("acfetch", "gc", "--keep-for", "0") for _ in range(2))):
        ended = at_once(*([*fetch, str(path)] for path in [image, second] * (CROWD // 2)))
    assert {(code, err) for code, _, err in ended[::2]} == {(0, "")}
    assert {code for code, _, _ in ended[1::2]} <= {0, UnavailableError.exit_code}, "unless what it needs was there, it fails"
    check_store(data)
    assert {path.suffix for path in (data / "images").iterdir()} <= {".aci", ".json"}
    assert os.listdir(data / "tmp") == []
    subprocess.run(program("acfetch", "gc", "--keep-for", "0"), capture_output=True, check=True)
    assert os.listdir(data / "images") == []


def test_a_crowd_that_runs_one_image_renders_one_tree_while_gc_runs_all_the_time(image: Path, tmp_path: Path) -> None:
    gc = program("acrun", "gc", "--grace-period", "0")
    with again_and_again(gc):
        ended = at_once(*(program("acrun", str(image)) for _ in range(CROWD)))
    assert set(ended) == {(0, "ran\n", "")}
    (tree,) = (tmp_path / "data" / "trees").iterdir()
    assert json.loads((tree / "tree.json").read_text())["complete"] is True
    subprocess.run(gc, capture_output=True, check=True)
    assert os.listdir(tmp_path / "data" / "tmp") == []
    assert list((tmp_path / "data" / "pods").glob("*/*-*")) == []
