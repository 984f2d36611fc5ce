"""Images copied out of the store: what they are by their ID, whole or not at all, with a signature that is over them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acfetch.export import ExportRequest, export_image
from acspec.errors import FormatError, MissingInputError, OutputError, ToolError, UsageError
from acspec.store import Store
from tests.support.stores import add_image


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(place: Path, image: str, output: str = "out.aci", *, compression: str = "none", overwrite: bool = False) -> str | None:
    return export_image(Store.open(str(place / "data")), ExportRequest(image, output, compression, overwrite))


def test_an_export_is_the_tar_of_the_store(place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app", content=os.urandom(3_000_000))
    assert export(place, "example.com/app") is None
    assert f"sha512-{hashlib.sha512((place / 'out.aci').read_bytes()).hexdigest()}" == image_id
    assert sorted(os.listdir(place)) == ["data", "out.aci"]


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
}


@pytest.mark.parametrize(("compression", "unpack"), UNPACK.items())
def test_a_compressed_export_unpacks_to_that(compression: str, unpack: Callable[[bytes], bytes], place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app", content=bytes(100_000))
    export(place, image_id[:20], compression=compression)
    content = (place / "out.aci").read_bytes()
    assert f"sha512-{hashlib.sha512(unpack(content)).hexdigest()}" == image_id
    assert (len(content) < 10_000) is (compression != "none")


def test_the_signature_goes_along_when_the_tar_itself_was_served(place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app")
    add_image(place / "data", "example.com/app", signature=b"signature", signer="f" * 40, served_digest=image_id)
    assert export(place, image_id) is None
    assert (place / "out.aci.asc").read_bytes() == b"signature"


@pytest.mark.parametrize(("served", "compression"), [("sha512-" + "0" * 128, "none"), (None, "gzip")])
def test_else_it_stays_behind_and_that_is_told(served: str | None, compression: str, place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app")
    add_image(place / "data", "example.com/app", signature=b"s", signer="f" * 40, served_digest=served or image_id)
    note = export(place, image_id, compression=compression)
    assert note == "out.aci: without the signature, which is over the file as it was served"
    assert sorted(os.listdir(place)) == ["data", "out.aci"]


def test_a_damaged_image_becomes_no_file(place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app", signature=b"s")
    path = place / "data" / "images" / f"{image_id}.aci"
    os.truncate(path, 1000)
    with pytest.raises(FormatError, match=r"example\.com/app: its content is that of another image \(acfetch images verify"):
        export(place, "example.com/app")
    assert os.listdir(place) == ["data"]


def test_what_is_there_is_replaced_only_when_asked(place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app")
    (place / "out.aci").write_bytes(b"old")
    with pytest.raises(OutputError, match="already exists"):
        export(place, image_id)
    assert (place / "out.aci").read_bytes() == b"old"
    export(place, image_id, overwrite=True)
    assert (place / "out.aci").read_bytes() != b"old"


def test_a_signature_that_is_there_is_not_replaced_unasked(place: Path) -> None:
    image_id = add_image(place / "data", "example.com/app")
    add_image(place / "data", "example.com/app", signature=b"new", signer="f" * 40, served_digest=image_id)
    (place / "out.aci.asc").write_bytes(b"old")
    with pytest.raises(OutputError, match="already exists"):
        export(place, image_id)
    assert (sorted(os.listdir(place)), (place / "out.aci.asc").read_bytes()) == (["data", "out.aci.asc"], b"old")


BAD: dict[str, tuple[tuple[str, str], type[ToolError]]] = {
    "an image that is not there": (("example.com/nowhere", "out.aci"), MissingInputError),
    "an output that is called otherwise": (("example.com/app", "out.tar"), UsageError),
    "an output in no directory": (("example.com/app", "nowhere/out.aci"), OutputError),
    "a URL": (("https://example.com/app.aci", "out.aci"), UsageError),
}


@pytest.mark.parametrize(("words", "error"), BAD.values(), ids=BAD)
def test_nothing_is_written_for(words: tuple[str, str], error: type[ToolError], place: Path) -> None:
    add_image(place / "data", "example.com/app")
    with pytest.raises(error):
        export(place, *words)
    assert os.listdir(place) == ["data"]
