"""Inputs that are read more than once, whatever they are."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from acspec import limits
from acspec.errors import FormatError, MissingInputError, StorageError
from actool.reusable_inputs import reusable
from tests.support.images import image

DATA = image({"f": os.urandom(100_000)})


def read_twice(path: str) -> list[bytes]:
    found = []
    with reusable(path) as source:
        for _ in range(2):
            with source.opened() as opened:
                assert opened.name == path
                found.append(os.pread(opened.descriptor, 1 << 20, 0))
    return found


def coming_from(source: str | Path, pipe: str) -> subprocess.Popen[bytes]:
    """Start to send a file through a pipe."""
    return subprocess.Popen(["dd", f"if={source}", f"of={pipe}", "bs=64k"], stderr=subprocess.DEVNULL)


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


def test_a_file_and_a_directory_are_opened_again(tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(DATA)
    assert read_twice(str(tmp_path / "x.aci")) == [DATA, DATA]
    with reusable(str(tmp_path)) as source:
        for _ in range(2):
            with source.opened() as opened:
                assert opened.is_directory


def test_what_comes_through_a_pipe_is_kept_without_a_name(pipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "kept"))
    (tmp_path / "x.aci").write_bytes(DATA)
    with coming_from(tmp_path / "x.aci", pipe):
        assert read_twice(pipe) == [DATA, DATA]
    assert os.listdir(tmp_path / "kept") == []


def test_an_encrypted_image_is_kept_as_it_came(pipe: str, tmp_path: Path) -> None:
    data = b"-----BEGIN PGP MESSAGE-----\n\n" + b"x" * 1000
    (tmp_path / "x.aci").write_bytes(data)
    with coming_from(tmp_path / "x.aci", pipe):
        assert read_twice(pipe) == [data, data]


def test_what_no_image_begins_with_is_not_kept(pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with coming_from("/dev/zero", pipe), pytest.raises(FormatError, match="without entries"):
        read_twice(pipe)


def test_a_pipe_has_the_limit_of_all_images(pipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAGE_SERVED_BYTES", 65_536)
    (tmp_path / "x.aci").write_bytes(DATA)
    with (
        coming_from(tmp_path / "x.aci", pipe),
        pytest.raises(FormatError, match="pipe: larger than the limit of 65536 bytes"),
    ):
        read_twice(pipe)


def test_no_place_to_keep_it_is_told(pipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    (tmp_path / "x.aci").write_bytes(DATA)
    with coming_from(tmp_path / "x.aci", pipe), pytest.raises(StorageError, match=r"temporary file: no such file.*TMPDIR"):
        read_twice(pipe)


def test_what_is_not_there_is_told_when_it_is_opened(tmp_path: Path) -> None:
    with reusable(str(tmp_path / "nope")) as source, pytest.raises(MissingInputError, match="no such file"), source.opened():
        pass
