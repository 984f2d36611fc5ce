"""One pass over an image as it comes: honest servers, lying ones, and files on this machine."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from acfetch.download import DownloadRequest, Served, download, read_signature
from acfetch.errors import HTTPStatusError, MismatchError, MissingSignatureError, TransportRefusedError, UnreachableError
from acfetch.http import Client
from acfetch.progress import Progress
from acfetch.request import Place
from acfetch.settings import Settings
from acspec import limits
from acspec.errors import FormatError, MissingInputError, ProtocolError, ToolError
from tests.acfetch.customer import app, id_of, manifest
from tests.support import images
from tests.support.server import Answer, Server, endless, redirect

URL = "https://example.com/app.aci"
PLACE = Place(URL, f"{URL}.asc")
DATA = app()
TAR = images.tar({"file": b"content"}, manifest())


def take(place: Place = PLACE, size: int | None = None) -> tuple[Served, bytes, bytes]:
    """Download, and return what came out: the image, the tar, the bytes as served."""
    tar, served = bytearray(), bytearray()
    with Client() as client:
        image = download(DownloadRequest(place, tar.extend, [served.extend], Progress(quiet=True), size), client)
    return image, bytes(tar), bytes(served)


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz"])
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "in chunks"])
def test_every_byte_goes_where_it_belongs(compression: str, chunked: bool, server: Server) -> None:
    data = images.compress(TAR, compression)
    server.answers[URL] = Answer([data[:50], data[50:]], chunked=True) if chunked else Answer(data)
    image, tar, served = take()
    assert (tar, served) == (TAR, data)
    assert (image.size, image.digest) == (len(data), f"sha512-{hashlib.sha512(data).hexdigest()}")
    assert image.image_id == images.image_id(TAR)
    assert image.manifest.name == "example.com/app"


def test_zeros_behind_the_end_of_a_tar_are_a_part_of_it(server: Server) -> None:
    data = TAR + bytes(10_240)
    server.answers[URL] = Answer(data)
    image, tar, _ = take()
    assert tar == data
    assert image.digest == image.image_id == images.image_id(data)


def test_a_file_is_read_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(DATA)
    path = str(tmp_path / "x.aci")
    image, tar, served = take(Place(path, f"{path}.asc", is_local=True))
    assert (tar, served, image.image_id) == (TAR, DATA, id_of(DATA))


PAGE = b"<!doctype html><title>Log in</title>" + b"<p>Please log in.</p>" * 20_000
BODIES: dict[str, tuple[Answer, type[ToolError], str]] = {
    "an empty one": (Answer(b""), FormatError, "an empty file"),
    "a page": (Answer(PAGE[:100]), FormatError, "not an image archive"),
    "a long page, refused at its beginning": (Answer(PAGE), FormatError, "not an image archive"),
    "a signature": (Answer(b"-----BEGIN PGP SIGNATURE-----\n\n"), FormatError, "a PGP signature, not an image"),
    "part of an image, announced as such": (Answer(DATA[:-9]), FormatError, "truncated"),
    "part of an image, announced as a whole": (
        Answer(DATA[:-9], length=len(DATA)),
        UnreachableError,
        "connection ended early, after",
    ),
    "part of a plain one, announced as a whole": (Answer(TAR[:1024], length=len(TAR)), UnreachableError, "of 3584 bytes"),
    "chunks that break off": (Answer([DATA[:-9]], chunked=True, cut=True), UnreachableError, "the connection ended early"),
    "an image announced as shorter": (Answer(DATA, length=len(DATA) - 9), FormatError, "truncated"),
    "an image and more": (Answer(DATA + b"more"), FormatError, "data after the end"),
    "an image twice": (Answer(TAR + TAR), FormatError, "data after the end of the archive"),
    "one bit of it flipped": (Answer(DATA[:60] + bytes([DATA[60] ^ 1]) + DATA[61:]), FormatError, "gzip data is damaged"),
    "an image without a manifest": (Answer(images.archive([images.member("rootfs", kind="5")])), FormatError, "manifest"),
    "an image with a bad manifest": (Answer(images.image({}, b"{}")), FormatError, "manifest"),
    "an image that is packed on the way": (Answer(DATA, headers={"Content-Encoding": "gzip"}), ProtocolError, "nobody asked for"),
    "one announced as enormous": (Answer(DATA, length=2**62), ProtocolError, "limit of 17179869184 bytes"),
    "nothing": (Answer(status=404), HTTPStatusError, "the server answered 404"),
    "a way to plain http": (redirect("http://example.com/app.aci"), TransportRefusedError, "is plain http"),
}


@pytest.mark.parametrize(("answer", "error", "message"), BODIES.values(), ids=BODIES)
def test_an_image_is_refused_when_the_server_sends(answer: Answer, error: type[ToolError], message: str, server: Server) -> None:
    server.answers[URL] = answer
    with pytest.raises(error, match=message) as caught:
        take()
    assert caught.value.what.startswith(("https://example.com/app.aci", "http://example.com/app.aci"))


def test_an_endless_image_ends_at_the_limit(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAGE_SERVED_BYTES", 2_000_000)
    start = images.member("manifest", manifest()) + images.member("rootfs", kind="5") + images.header("rootfs/big", size=2**33 - 1)

    def body() -> object:
        yield start
        yield from endless()

    server.answers[URL] = Answer(body(), length=None)  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match="larger than the limit of 2000000 bytes"):
        take()


def test_the_size_of_a_dependency_is_held_to(server: Server) -> None:
    server.answers[URL] = Answer(DATA)
    assert take(size=len(DATA))[0].size == len(DATA)
    for answer in (Answer(DATA), Answer([DATA], chunked=True)):
        server.answers[URL] = answer
        with pytest.raises(MismatchError, match=f"has {len(DATA)} bytes, the dependency's size says {len(DATA) + 1}"):
            take(size=len(DATA) + 1)
        with pytest.raises(MismatchError, match=f"larger than the {len(DATA) - 1} bytes that the dependency's size says"):
            take(size=len(DATA) - 1)


def test_a_disk_that_is_full_ends_a_download_that_stalls(server: Server) -> None:
    silent = threading.Event()
    server.answers[URL] = Answer(TAR[:1024], length=len(TAR), silent=silent)
    failures: list[BaseException] = []

    def full(_: bytes) -> None:
        silent.wait(60)
        raise OSError(errno.ENOSPC, "full")

    def work() -> None:
        try:
            with Client(settings=Settings(silence_seconds=3600)) as client:
                download(DownloadRequest(PLACE, full, [], Progress(quiet=True)), client)
        except OSError as error:
            failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(120)  # a thirtieth of what it would wait for the next byte
    assert not worker.is_alive()
    assert isinstance(failures[0], OSError)


def signature(place: Place = PLACE) -> bytes:
    with Client() as client:
        return read_signature(place, client)


def test_a_signature_is_read_as_it_is(server: Server, tmp_path: Path) -> None:
    server.answers[PLACE.signature] = Answer(b"whatever")
    assert signature() == b"whatever"
    (tmp_path / "x.asc").write_bytes(b"whatever")
    assert signature(Place(str(tmp_path / "x"), str(tmp_path / "x.asc"), is_local=True)) == b"whatever"


@pytest.mark.parametrize("status", [404, 410])
def test_a_missing_signature_is_told_from_a_missing_image(status: int, server: Server) -> None:
    server.answers[PLACE.signature] = Answer(status=status)
    with pytest.raises(HTTPStatusError, match=r"app\.aci: the server answered 404"):
        signature()
    server.answers[URL] = Answer(DATA)
    with pytest.raises(MissingSignatureError, match=r"app\.aci\.asc: there is no signature") as caught:
        signature()
    assert caught.value.hint == "--insecure-options=image goes without"


def test_a_server_that_fails_is_not_a_missing_signature(server: Server) -> None:
    server.answers[URL] = Answer(DATA)
    for status in (403, 500):
        server.answers[PLACE.signature] = Answer(status=status)
        with pytest.raises(HTTPStatusError, match=f"app.aci.asc: the server answered {status}"):
            signature()


@pytest.mark.parametrize(
    "answer", [Answer(endless(), length=None), Answer(b"", length=2**62)], ids=["endless", "announced as enormous"]
)
def test_a_signature_has_a_limit(answer: Answer, server: Server) -> None:
    server.answers[PLACE.signature] = answer
    with pytest.raises(ProtocolError, match="limit of 65536 bytes"):
        signature()


def test_files_that_are_missing_or_no_files(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "x"), str(tmp_path / "x.asc"), is_local=True)
    with pytest.raises(MissingInputError, match="x: no such file"):
        signature(place)
    (tmp_path / "x").write_bytes(DATA)
    with pytest.raises(MissingSignatureError, match=r"x\.asc: there is no signature"):
        signature(place)
    (tmp_path / "x.asc").mkdir()
    with pytest.raises(FormatError, match=r"x\.asc: a directory, not a signature"):
        signature(place)
    with pytest.raises(FormatError, match="a directory, not an image archive"):
        take(Place(str(tmp_path), str(tmp_path / "x.asc"), is_local=True))
    with pytest.raises(MissingInputError):
        take(Place(str(tmp_path / "y"), "", is_local=True))


def test_a_fifo_is_read_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(DATA,))
    writer.start()
    assert take(Place(str(path), "", is_local=True))[2] == DATA
    writer.join()
