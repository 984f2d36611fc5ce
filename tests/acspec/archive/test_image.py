"""Whole images, read in one pass."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from acspec import limits
from acspec.archive.compression import Compression
from acspec.archive.entry import Kind
from acspec.archive.image import ImageReader, read_image, read_manifest
from acspec.errors import FormatError
from tests.support import images

FILES: images.Files = {
    "bin": None,
    "bin/hello": images.Node(b"hello" * 1000, mode=0o755),
    "bin/hi": "hello",
    "bin/hey": images.hard_link("bin/hello"),
}
COMPRESSIONS = ["none", "gzip", "bzip2", "xz"]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_one_pass_tells_all_about_an_image(compression: str) -> None:
    copy = bytearray()
    scanned = read_image(io.BytesIO(images.image(FILES, compression=compression)), "x.aci", on_tar=copy.extend)
    assert bytes(copy) == images.tar(FILES)
    assert scanned.image_id == images.image_id(bytes(copy))
    assert scanned.manifest_bytes == images.manifest_bytes()
    assert scanned.manifest.name == "example.com/hello"
    assert scanned.tar_size == len(copy)
    assert scanned.entry_count == 6
    assert scanned.unpacked_size == 5000 + len(images.manifest_bytes())
    assert scanned.compression is Compression(compression)
    assert scanned.warnings == ()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("hashed", [False, True])
def test_entries_come_in_order_with_their_data(tmp_path: Path, compression: str, hashed: bool) -> None:
    path = tmp_path / "x.aci"
    images.write_image(path, FILES, compression=compression)
    with path.open("rb") as file, ImageReader(file.fileno(), "x.aci", hashed=hashed) as reader:
        seen = [(entry.name, entry.kind, b"".join(reader.read_chunks(entry))) for entry in reader]
    assert seen == [
        (b"manifest", Kind.FILE, images.manifest_bytes()),
        (b"rootfs", Kind.DIRECTORY, b""),
        (b"rootfs/bin", Kind.DIRECTORY, b""),
        (b"rootfs/bin/hello", Kind.FILE, b"hello" * 1000),
        (b"rootfs/bin/hi", Kind.SYMLINK, b""),
        (b"rootfs/bin/hey", Kind.HARD_LINK, b""),
    ]


def test_reading_a_file_leaves_its_descriptor_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.aci"
    images.write_image(path)
    with path.open("rb") as file:
        assert read_manifest(file.fileno(), "x.aci") == images.manifest_bytes()
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_a_manifest_at_the_end_is_found_without_reading_the_data_before_it(tmp_path: Path) -> None:
    parts = [images.member("rootfs", kind="5"), images.member("rootfs/big", bytes(8 << 20)), images.member("manifest", b"{}")]
    path = tmp_path / "x.aci"
    path.write_bytes(images.archive(parts))
    with path.open("rb") as file:
        assert read_manifest(file.fileno(), "x.aci") == b"{}"


def test_a_pipe_is_read_as_a_file_is() -> None:
    reading, writing = os.pipe()
    content = images.image(FILES)
    os.write(writing, content)
    os.close(writing)
    try:
        assert read_image(reading, "-").image_id == images.image_id(images.tar(FILES))
    finally:
        os.close(reading)


def test_a_reader_closed_early_leaves_no_thread_behind() -> None:
    big = images.image({f"file{number}": os.urandom(1 << 20) for number in range(12)})
    before = threading.active_count()
    with ImageReader(io.BytesIO(big), "x.aci") as reader:
        next(iter(reader))
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_reader_of_a_silent_pipe_can_be_given_up() -> None:
    reading, writing = os.pipe()
    os.write(writing, images.image({"noise": os.urandom(9000)})[:2000])
    before = threading.active_count()
    try:
        with ImageReader(reading, "-"):
            assert threading.active_count() == before + 1
        assert threading.active_count() == before
    finally:
        os.close(reading)
        os.close(writing)


def test_a_failure_of_the_source_comes_out_where_the_entries_are_asked_for() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 1 << 20:
                raise ConnectionResetError("gone")
            return super().read(size)

    big = images.image({f"file{number}": os.urandom(1 << 20) for number in range(4)})
    with pytest.raises(ConnectionResetError, match="gone"):
        read_image(Broken(big), "x.aci")


def test_a_failure_of_the_copy_ends_the_reading() -> None:
    def full(chunk: bytes) -> None:
        raise OSError(28, "No space left on device")

    before = threading.active_count()
    with pytest.raises(OSError, match="No space"):
        read_image(io.BytesIO(images.image(FILES)), "x.aci", on_tar=full)
    assert threading.active_count() == before


def test_limits_on_served_and_unpacked_bytes_are_named() -> None:
    content = images.image({"zeros": bytes(1 << 20)})
    with pytest.raises(FormatError, match="larger than the limit of 100 bytes as served"):
        read_image(io.BytesIO(content), "x.aci", served_limit=100)
    with pytest.raises(FormatError, match="larger than the limit of 100000 bytes uncompressed"):
        read_image(io.BytesIO(content), "x.aci", unpacked_limit=100_000)


def test_a_file_beyond_the_limit_is_refused_at_its_header() -> None:
    beyond = images.header("rootfs/large", size=images.base256(2**36, 12))
    with pytest.raises(FormatError, match=r"limit of 68719476736 bytes uncompressed"):
        read_image(io.BytesIO(images.archive([images.member("manifest", b"{}"), beyond], end=b"")), "x.aci")


def test_extended_headers_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAX_HEADERS_BYTES", 1000)
    many = [images.pax({"comment": "x" * 100}, "g") for _ in range(20)]
    with pytest.raises(FormatError, match="together larger than the limit of 1000 bytes"):
        read_image(io.BytesIO(images.archive(many)), "x.aci")
