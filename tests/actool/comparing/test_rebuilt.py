"""The image of a layout, read while it is made."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from acspec.archive.compression import Compression
from acspec.archive.image import ImageReader
from acspec.archive.walk import LayoutWalk
from acspec.archive.write import ImageSettings
from acspec.errors import FormatError
from actool.comparing.rebuilt import Rebuilt
from tests.support.images import manifest_bytes
from tests.support.layouts import write_image

PLAIN = ImageSettings(Compression.NONE)
MIB = 1024 * 1024


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "rootfs/big").write_bytes(os.urandom(5 * MIB))
    (tmp_path / "manifest").write_bytes(manifest_bytes())
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)
    assert [thread.name for thread in threading.enumerate() if thread.name in ("build", "decompress")] == []


@pytest.mark.parametrize("settings", [PLAIN, ImageSettings(), ImageSettings(Compression.NONE, clamp_ns=5, owner_root=True)])
def test_what_is_read_is_what_build_writes(layout: int, settings: ImageSettings) -> None:
    parts: list[bytes] = []
    written = write_image(layout, "layout", lambda data: parts.append(bytes(data)), settings)
    read = b""
    with Rebuilt(LayoutWalk(layout, "layout"), settings) as rebuilt:
        while data := os.read(rebuilt.descriptor, MIB):
            read += data
    assert read == b"".join(parts)
    assert rebuilt.image_id == written.image_id


def test_whoever_stops_reading_ends_the_building(layout: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Rebuilt(LayoutWalk(layout, "layout"), PLAIN) as rebuilt:
        os.read(rebuilt.descriptor, 1)
    with pytest.raises(RuntimeError, match="once all of the image has been read"):
        _ = rebuilt.image_id
    assert len(os.listdir("/proc/self/fd")) == before


def read_all(layout: int) -> None:
    with Rebuilt(LayoutWalk(layout, "layout"), PLAIN) as rebuilt, ImageReader(rebuilt.descriptor, "layout") as reader:
        for _ in reader:
            pass


def test_what_is_wrong_with_the_layout_is_said_and_not_that_its_image_is_cut_short(layout: int, tmp_path: Path) -> None:
    (tmp_path / "third").touch()
    with pytest.raises(FormatError, match="a layout holds only manifest and rootfs"):
        read_all(layout)
    (tmp_path / "third").unlink()
    (tmp_path / "manifest").unlink()
    with pytest.raises(FormatError, match="not an image layout"):
        read_all(layout)


def test_an_interrupt_is_not_lost_in_a_failure_of_the_building(layout: int, tmp_path: Path) -> None:
    (tmp_path / "third").touch()
    with pytest.raises(KeyboardInterrupt), Rebuilt(LayoutWalk(layout, "layout"), PLAIN):
        raise KeyboardInterrupt
