"""Images named on standard input."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.inputs import is_image_list, read_images
from acspec import limits
from acspec.errors import FormatError, ToolError, UsageError


def feed(tmp_path: Path, data: bytes) -> list[str]:
    (tmp_path / "input").write_bytes(data)
    with open(tmp_path / "input", "rb") as file:
        return read_images(file.fileno())


def test_paths_and_json_lines_are_both_read(tmp_path: Path) -> None:
    assert feed(tmp_path, b'/a/b.aci\n\n{"id": "sha512-0", "path": "/c d.aci"}\n/e\n') == ["/a/b.aci", "/c d.aci", "/e"]


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    assert feed(tmp_path, b"/a/b.aci") == ["/a/b.aci"]


@pytest.mark.parametrize("data", [b"", b"\n", b"  \n\n"])
def test_an_input_that_names_no_image_says_so(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UsageError, match="names no image"):
        feed(tmp_path, data)


BAD = {
    "too many lines": (b"/a\n" * (limits.IMAGE_LINES + 1), "limit of 1024 lines"),
    "a line that is too long": (b"/" + b"a" * limits.IMAGE_LINE_BYTES, "limit of 4096 bytes"),
    "endless bytes": (b"\0" * (limits.IMAGE_LINES * limits.IMAGE_LINE_BYTES + 1), "is this a list of images"),
    "an object without a path": (b'{"id": "x"}\n', "line 1: the object has no"),
    "JSON that is none": (b"/a\n{bad\n", "line 2"),
    "a zero byte": (b"/a\0b\n", "zero byte"),
}


@pytest.mark.parametrize("case", BAD)
def test_nonsense_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    data, words = BAD[case]
    with pytest.raises(FormatError, match=words):
        feed(tmp_path, data)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_images_or_one_of_our_errors(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try:
        images = feed(tmp_path_factory.mktemp("any"), data)
    except ToolError:
        return
    assert images
    assert all(images)


def test_only_what_can_carry_a_list_is_read() -> None:
    reader, writer = os.pipe()
    left, right = socket.socketpair()
    with open(os.devnull) as null, open(__file__) as regular, left, right:
        assert is_image_list(reader)
        assert is_image_list(regular.fileno())
        assert is_image_list(left.fileno())
        assert not is_image_list(null.fileno())
        assert not is_image_list(9999)
    os.close(reader)
    os.close(writer)
