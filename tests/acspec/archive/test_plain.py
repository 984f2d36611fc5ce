"""Tar archives that are no images: read strictly, whatever their names are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.archive.plain import PlainArchive
from acspec.archive.sparse import fill_holes
from acspec.errors import FormatError
from tests.support.images import archive, compress, member


def read(path: Path) -> dict[bytes, bytes]:
    """Read the archive at *path* to its end: the content of each entry."""
    with open(path, "rb") as file, PlainArchive(file.fileno(), "archive") as plain:
        return {entry.name: b"".join(fill_holes(plain.read_pieces(entry), entry.size)) for entry in plain}


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz"])
def test_an_archive_of_any_names_is_read(compression: str, tmp_path: Path) -> None:
    data = archive(
        [member("manifest", b"x" * (limits.MANIFEST_BYTES + 1)), member("etc/", kind="5"), member("./etc/conf", b"text")]
    )
    (tmp_path / "tar").write_bytes(compress(data, compression))
    found = read(tmp_path / "tar")
    assert list(found) == [b"manifest", b"etc", b"etc/conf"]
    assert found[b"etc/conf"] == b"text"


def test_what_tar_has_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / ("long" * 50)).write_text("text")
    subprocess.run(["tar", "-C", str(tmp_path), "-cf", str(tmp_path / "tar"), "dir"], check=True)
    assert read(tmp_path / "tar") == {b"dir": b"", b"dir/" + b"long" * 50: b"text"}


BAD = {
    "nothing": (b"", "an empty file"),
    "text": (b"text\n" * 200, "archive: "),
    "a way out": (archive([member("../x", b"")]), r"\.\."),
    "an absolute name": (archive([member("/etc/passwd", b"")]), "archive: "),
    "a header of a file that is cut": (member("x", b"text")[:600], "archive: "),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_what_is_no_archive_is_refused(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "tar").write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read(tmp_path / "tar")


def test_there_is_an_end_to_the_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tar").write_bytes(archive([member(f"{number}", b"") for number in range(4)]))
    monkeypatch.setattr(limits, "ARCHIVE_ENTRIES", 3)
    with pytest.raises(FormatError, match="more than the limit of 3 entries"):
        read(tmp_path / "tar")


@given(st.binary(max_size=2000))
def test_any_bytes_are_an_archive_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("tar") / "tar"
    path.write_bytes(archive([member("a", b"text")])[:512] + data)
    try:
        read(path)
    except FormatError:
        pass
