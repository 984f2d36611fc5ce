"""Manifests and image IDs out of images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acspec.errors import FormatError, MissingInputError
from actool.read import get_image_id, get_manifest
from tests.support import images


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz"])
def test_the_image_id_is_that_of_the_uncompressed_tar(tmp_path: Path, compression: str) -> None:
    written = images.write_image(tmp_path / "x.aci", {"f": b"data"}, compression=compression)
    assert get_image_id(str(tmp_path / "x.aci")) == written


def test_a_manifest_comes_byte_for_byte(tmp_path: Path) -> None:
    odd = b'  {"acKind":"ImageManifest",\t"name":"x", "unknown": [1,2 , 3]}'
    images.write_image(tmp_path / "x.aci", manifest=odd)
    assert get_manifest(str(tmp_path / "x.aci"), pretty=False, for_terminal=False) == odd


def test_a_manifest_can_be_laid_out(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", manifest=b'{"b":1,"a":["x"]}')
    shown = get_manifest(str(tmp_path / "x.aci"), pretty=True, for_terminal=False)
    assert shown == b'{\n    "b": 1,\n    "a": [\n        "x"\n    ]\n}\n'


def test_a_manifest_of_a_layout_is_shown_as_well(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(b"{}")
    assert get_manifest(str(tmp_path), pretty=False, for_terminal=False) == b"{}"


@pytest.mark.parametrize("pretty", [False, True])
def test_a_terminal_is_not_moved_by_a_manifest(tmp_path: Path, pretty: bool) -> None:
    text = "\x9b2J \u202e \x7f \U000e0001 ü"
    manifest = json.dumps({"name": text}, ensure_ascii=False).encode()
    images.write_image(tmp_path / "x.aci", manifest=manifest)
    shown = get_manifest(str(tmp_path / "x.aci"), pretty=pretty, for_terminal=True).decode()
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert json.loads(shown) == {"name": text}
    assert get_manifest(str(tmp_path / "x.aci"), pretty=False, for_terminal=False) == manifest


def test_what_is_no_json_is_not_printed(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", manifest=b"\x1b[2J")
    with pytest.raises(FormatError, match=r"x\.aci: manifest:1:1: not JSON"):
        get_manifest(str(tmp_path / "x.aci"), pretty=False, for_terminal=False)


def test_what_is_not_there_or_no_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        get_image_id(str(tmp_path / "nowhere"))
    with pytest.raises(FormatError, match="a directory, not an image archive"):
        get_image_id(str(tmp_path))
    with pytest.raises(FormatError, match="not an image layout"):
        get_manifest(str(tmp_path), pretty=False, for_terminal=False)
