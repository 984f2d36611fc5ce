"""`actool render` as a program: pipes, crowds, signals and full disks."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.errors import OutputExistsError
from acspec.image_outputs import new_output
from tests.support import images
from tests.support.flattening import held, manifest, rendered
from tests.support.waiting import wait_for

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "render"]


@pytest.mark.usefixtures("render_place")
def test_it_stands_in_a_pipe() -> None:
    with open("app.aci", "rb") as file:
        result = subprocess.run([*PROGRAM, "-", "base.aci", "-", "--print-id"], stdin=file, capture_output=True, check=True)
    Path("piped.aci").write_bytes(result.stdout)
    assert result.stderr.decode().strip() == rendered("app.aci", "base.aci").image_id
    assert Path("piped.aci").read_bytes() == Path("out.aci").read_bytes()


@pytest.mark.usefixtures("render_place")
def test_what_goes_down_a_pipe_has_no_end_when_it_is_refused_at_the_end() -> None:
    images.write_image("x.aci", {"f": images.Node(os.urandom(1 << 22), xattrs={"trusted.a": b""})}, manifest("example.com/x"))
    result = subprocess.run([*PROGRAM, "--strict", "x.aci", "-"], capture_output=True, check=False)
    assert result.returncode == 77
    with pytest.raises(EOFError):
        gzip.decompress(result.stdout)


USAGE = {
    "one word": (["app.aci"], "OUTPUT.aci|DIR: missing argument (app.aci is what would be rendered)"),
    "another archive's suffix": (["app.aci", "out.tar.gz"], "out.tar.gz: the name of an image must end in .aci"),
    "overwriting a directory": (["--overwrite", "app.aci", "out"], "--overwrite: is for an image, and out would be a directory"),
    "the ID of a directory": (["--print-id", "app.aci", "out"], "--print-id: is for an image"),
    "a level for a directory": (["--compression-level", "1", "app.aci", "out"], "--compression-level: is for an image"),
    "a compressed directory": (["--compression", "gzip", "app.aci", "out"], "--compression: is for an image"),
    "a directory that is not compressed": (["--no-compression", "app.aci", "out"], "--no-compression: is for an image"),
    "owners of a directory": (["--owner-root", "app.aci", "out"], "--owner-root: is for an image"),
}


@pytest.mark.parametrize(("words", "message"), USAGE.values(), ids=USAGE)
@pytest.mark.usefixtures("render_place")
def test_a_usage_error_is_one_line(words: list[str], message: str) -> None:
    result = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"actool: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("render_place")
def test_warnings_are_lines_of_their_own_and_can_be_left_out() -> None:
    words = [*PROGRAM, "base.aci", "app.aci"]
    result = subprocess.run([*words, "out.aci"], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "actool: app.aci: warning: not used, nothing depends on it\n")
    result = subprocess.run([*words, "-q", "quiet.aci"], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize("output", ["out.aci", "out"])
@pytest.mark.usefixtures("render_place")
def test_of_a_crowd_with_one_output_one_wins(output: str) -> None:
    words = [*PROGRAM, "app.aci", "base.aci", output]
    crowd = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate()[1] for process in crowd]
    assert sorted(process.returncode for process in crowd) == [0, 73, 73, 73], said
    assert all("already exists" in line or "has appeared meanwhile" in line for line in said if line)
    assert sorted(os.listdir()) == sorted(["app.aci", "base.aci", output])


@pytest.mark.parametrize("output", ["out.aci", "out"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(render_place: Path, output: str, number: int) -> None:
    with subprocess.Popen([*PROGRAM, "-", output], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(images.image({f"f{n}": os.urandom(100_000) for n in range(10)})[:900_000])
        process.stdin.flush()
        wait_for(lambda: list(render_place.glob(".out*")), "the output")
        process.send_signal(number)
        process.wait(60)
        process.stdin.close()
    assert process.returncode == 128 + number
    assert sorted(os.listdir()) == ["app.aci", "base.aci"]


@pytest.mark.usefixtures("render_place")
def test_a_full_disk_leaves_nothing_and_is_one_line() -> None:
    images.write_image("big.aci", {"f": os.urandom(1 << 20)}, manifest("example.com/big"))
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
        "from actool.cli import main; sys.exit(main())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "render", "big.aci", "out.aci"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (74, "actool: out.aci: file too large\n")
    assert sorted(os.listdir()) == ["app.aci", "base.aci", "big.aci"]


@pytest.mark.usefixtures("render_place")
def test_the_manifest_of_an_image_is_json_that_others_read() -> None:
    rendered("app.aci", "base.aci")
    assert json.loads(held().files[b"manifest"][1]).keys() == json.loads(manifest("x")).keys()


@pytest.mark.usefixtures("render_place")
def test_whoever_is_second_is_told_so_and_replaces_nothing() -> None:
    output = new_output("out.aci", overwrite=False)
    output.__enter__().write(b"second")
    Path("out.aci").write_bytes(b"first")
    with pytest.raises(OutputExistsError, match=r"out\.aci: has appeared meanwhile \(--overwrite"):
        output.__exit__(None, None, None)
    assert Path("out.aci").read_bytes() == b"first"
    assert sorted(os.listdir()) == ["app.aci", "base.aci", "out.aci"]
