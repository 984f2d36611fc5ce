"""From an image to a layout directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.archive.write import ImageSettings
from acspec.errors import FormatError, MissingInputError, OutputError, TrustError
from actool.build import BuildRequest, build
from actool.extract import extract
from actool.sources import SourceRequest
from tests.support import images
from tests.support.users import as_ordinary_user, place_of_everybody
from tests.support.waiting import wait_for

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())"]
FILES: images.Files = {"bin": None, "bin/hello": images.Node(b"hello", mode=0o755, mtime="1.25"), "bin/hi": "hello"}


def test_what_is_extracted_builds_to_the_same_image(tmp_path: Path) -> None:
    extract_of_build = tmp_path / "layout"
    images.write_image(tmp_path / "x.aci", FILES)
    extract(str(tmp_path / "x.aci"), str(extract_of_build))
    first = build(BuildRequest(SourceRequest(str(extract_of_build)), str(tmp_path / "y.aci"), False, ImageSettings()))
    extract(str(tmp_path / "y.aci"), str(tmp_path / "again/"))
    second = build(BuildRequest(SourceRequest(str(tmp_path / "again")), str(tmp_path / "z.aci"), False, ImageSettings()))
    assert first == second
    assert (tmp_path / "layout/manifest").read_bytes() == images.manifest_bytes()
    assert (tmp_path / "layout/rootfs/bin/hello").stat().st_mtime_ns == 1_250_000_000


def test_the_directory_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", FILES)
    before = os.umask(0o027)
    try:
        extract(str(tmp_path / "x.aci"), str(tmp_path / "layout"))
    finally:
        os.umask(before)
    assert (tmp_path / "layout").stat().st_mode & 0o777 == 0o750


SIZES = (0, 1, 511, 65_535, 65_536, 65_537, 512 * 1024 - 1, 512 * 1024 + 1, 3_000_000)


@pytest.mark.parametrize("compression", ["none", "gzip", "xz"])
def test_files_of_all_sizes_are_whole_and_dated_when_it_is_done(compression: str, tmp_path: Path) -> None:
    contents = {f"f{number}": os.urandom(size) for number, size in enumerate(SIZES * 3)}
    files = {name: images.Node(data, mode=0o640, mtime=1_000_000_000) for name, data in contents.items()}
    (tmp_path / "x.aci").write_bytes(images.image(files, compression=compression))
    extract(str(tmp_path / "x.aci"), str(tmp_path / "layout"))
    for name, data in contents.items():
        path = tmp_path / "layout/rootfs" / name
        assert path.read_bytes() == data
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o640, 10**18)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(compression: str, tmp_path: Path) -> None:
    files = {"a": b"small", "big": bytes(5_000_000), **{f"z{number}": b"small" for number in range(500)}}
    (tmp_path / "x.aci").write_bytes(images.image(files, compression=compression))
    limited = ["sh", "-c", 'ulimit -f 2000; exec "$@"', "sh", *PROGRAM, "extract", "x.aci", "layout"]
    result = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (74, "actool: layout/rootfs/big: file too large\n")
    assert [path.name for path in tmp_path.iterdir()] == ["x.aci"]


@pytest.mark.parametrize("taken", ["file", "directory", "link"])
def test_a_directory_that_exists_is_left_alone(tmp_path: Path, taken: str) -> None:
    target = tmp_path / "layout"
    if taken == "file":
        target.write_text("mine")
    elif taken == "directory":
        target.mkdir()
    else:
        target.symlink_to("nowhere")
    images.write_image(tmp_path / "x.aci", FILES)
    with pytest.raises(OutputError, match="already exists"):
        extract(str(tmp_path / "x.aci"), str(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layout", "x.aci"]
    assert not (target.is_dir() and any(target.iterdir()))


BROKEN = {
    "a duplicate at its end": images.compress(
        images.archive([images.tar(FILES)[:-1024], images.member("rootfs/bin/hi", kind="2", link="x")]), "gzip"
    ),
    "a wrong checksum at its end": images.image(FILES)[:-8] + bytes(8),
    "an invalid manifest": images.image(FILES, b"{}"),
    "nothing in it": b"",
    "a name too long for any file system": images.image({"n" * 300: b""}),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_nothing_is_left_of_an_image_with(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(content)
    with pytest.raises(FormatError):
        extract(str(tmp_path / "x.aci"), str(tmp_path / "layout"))
    assert [path.name for path in tmp_path.iterdir()] == ["x.aci"]


def test_names_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"x\.aci"):
        extract(str(tmp_path / "x.aci"), str(tmp_path / "layout"))
    images.write_image(tmp_path / "x.aci", FILES)
    with pytest.raises(OutputError, match=r"nowhere/layout: cannot be made: no such file"):
        extract(str(tmp_path / "x.aci"), str(tmp_path / "nowhere/layout"))


def test_a_loss_is_an_error_when_strict_and_leaves_nothing() -> None:
    with place_of_everybody() as place:
        images.write_image(place / "x.aci", {"f": images.Node(uid=12345)})

        def strictly() -> object:
            return extract(str(place / "x.aci"), str(place / "layout"), strict=True)

        with pytest.raises(TrustError, match="cannot be kept: 3 owners"):
            as_ordinary_user(strictly)
        assert os.listdir(place) == ["x.aci"]
        lost = as_ordinary_user(lambda: str(extract(str(place / "x.aci"), str(place / "layout"))))
        assert lost == "3 owners"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    command = [*PROGRAM, "extract", "-", "layout"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(images.image({f"f{n}": os.urandom(100_000) for n in range(10)})[:900_000])
        process.stdin.flush()
        wait_for(lambda: list(tmp_path.glob(".layout.*/rootfs/*")), "the first file")
        process.send_signal(number)
        process.wait(60)
        process.stdin.close()
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
