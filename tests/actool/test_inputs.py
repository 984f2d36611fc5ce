"""Inputs, plain and encrypted, from files and from pipes: what comes of them, and when."""

from __future__ import annotations

import fcntl
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from acspec.archive.image import ImageReader
from acspec.archive.source import Source
from acspec.errors import FormatError, TrustError, UsageError
from actool.extract import extract
from actool.inputs import Input, glance, opened, recognised
from actool.listing import list_entries
from actool.passphrase import Passphrase
from actool.read import get_image_id, get_manifest
from tests.support import images
from tests.support.gpg import encrypt

SECRET = "sesam"
FILES: images.Files = {"bin": None, "bin/hello": os.urandom(400_000), "bin/hi": "hello"}
COMPRESSIONS = ["none", "gzip", "bzip2", "xz"]


@pytest.fixture
def passphrase(tmp_path: Path) -> Passphrase:
    (tmp_path / "secret").write_text(SECRET)
    return Passphrase(None, str(tmp_path / "secret"))


def write_encrypted(path: Path, *words: str, compression: str = "gzip") -> str:
    content = images.tar(FILES)
    path.write_bytes(encrypt(images.compress(content, compression), SECRET, *words))
    return images.image_id(content)


@contextmanager
def piped(data: bytes) -> Iterator[str]:
    """Give the path of a pipe that *data* comes through, in pieces, as long as somebody reads."""
    reading, writing = os.pipe()

    def write() -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(writing, view[:1000]) :]
        except BrokenPipeError:
            pass
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
        thread.join()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("armour", [[], ["--armor"]], ids=["binary", "armour"])
def test_an_encrypted_image_reads_as_what_it_is_decrypted(
    compression: str, armour: list[str], tmp_path: Path, passphrase: Passphrase
) -> None:
    path = tmp_path / "x.aci"
    identity = write_encrypted(path, *armour, compression=compression)
    assert get_image_id(str(path), passphrase) == identity
    assert get_manifest(str(path), passphrase, pretty=False, for_terminal=False) == images.manifest_bytes()
    assert [entry.name for entry in list_entries(str(path), passphrase)][:3] == [b"manifest", b"rootfs", b"rootfs/bin"]
    extract(str(path), str(tmp_path / "layout"), passphrase)
    assert (tmp_path / "layout/rootfs/bin/hello").read_bytes() == FILES["bin/hello"]
    with piped(path.read_bytes()) as pipe:
        assert get_image_id(pipe, passphrase) == identity


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_plain_image_reads_as_ever_when_there_is_a_passphrase(compression: str, tmp_path: Path, passphrase: Passphrase) -> None:
    path = tmp_path / "x.aci"
    identity = images.write_image(path, FILES, compression=compression)
    assert get_image_id(str(path), passphrase) == identity
    for entries in (list_entries, lambda path, passphrase: list_entries(path)):
        with piped(path.read_bytes()) as pipe:
            assert len(list(entries(pipe, passphrase))) == 5
    with piped(path.read_bytes()) as pipe:
        assert get_image_id(pipe, passphrase) == identity


def test_the_passphrase_of_a_plain_image_is_not_asked_for(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci")
    (tmp_path / "empty").touch()
    get_image_id(str(tmp_path / "x.aci"), Passphrase(None, str(tmp_path / "empty")))
    write_encrypted(tmp_path / "x.aci")
    with pytest.raises(UsageError, match="empty"):
        get_image_id(str(tmp_path / "x.aci"), Passphrase(None, str(tmp_path / "empty")))


def test_without_a_passphrase_it_is_refused_as_encrypted(tmp_path: Path) -> None:
    write_encrypted(tmp_path / "x.aci")
    with pytest.raises(FormatError, match=r"x\.aci: encrypted with PGP"):
        get_image_id(str(tmp_path / "x.aci"))


def test_a_wrong_passphrase_is_called_wrong_and_leaves_nothing(tmp_path: Path) -> None:
    write_encrypted(tmp_path / "x.aci")
    (tmp_path / "other").write_text("other")
    other = Passphrase(None, str(tmp_path / "other"))
    with pytest.raises(TrustError, match=r"x\.aci: the passphrase is wrong"):
        get_image_id(str(tmp_path / "x.aci"), other)
    with pytest.raises(TrustError, match=r"x\.aci: the passphrase is wrong"):
        extract(str(tmp_path / "x.aci"), str(tmp_path / "layout"), other)
    assert sorted(os.listdir(tmp_path)) == ["other", "x.aci"]


def changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("place", [300, 200_000, -30_000, -10], ids=["at its start", "within", "near its end", "at its end"])
def test_nothing_is_told_or_kept_of_an_image_that_somebody_changed(
    compression: str, place: int, tmp_path: Path, passphrase: Passphrase
) -> None:
    path = tmp_path / "x.aci"
    write_encrypted(path, "--compress-algo", "none", compression=compression)
    data = path.read_bytes()
    path.write_bytes(changed(data, place % len(data)))
    reason = r"x\.aci: the encrypted data is damaged, cut short or tampered with"
    with pytest.raises(FormatError, match=reason):
        get_image_id(str(path), passphrase)
    with pytest.raises(FormatError, match=reason):
        get_manifest(str(path), passphrase, pretty=False, for_terminal=False)
    with pytest.raises(FormatError, match=reason):
        list(list_entries(str(path), passphrase))
    with pytest.raises(FormatError, match=reason):
        extract(str(path), str(tmp_path / "layout"), passphrase)
    assert sorted(os.listdir(tmp_path)) == ["secret", "x.aci"]


def test_what_is_wrong_with_the_image_is_told_of_a_whole_message(tmp_path: Path, passphrase: Passphrase) -> None:
    (tmp_path / "x.aci").write_bytes(encrypt(images.image(FILES)[:-8] + bytes(8), SECRET))
    with pytest.raises(FormatError, match="gzip data is damaged"):
        get_image_id(str(tmp_path / "x.aci"), passphrase)
    (tmp_path / "x.aci").write_bytes(encrypt(b"no image", SECRET))
    with pytest.raises(FormatError, match="not an image archive"):
        get_image_id(str(tmp_path / "x.aci"), passphrase)


def test_a_reader_that_stops_early_learns_at_the_end_of_the_block(tmp_path: Path, passphrase: Passphrase) -> None:
    path = tmp_path / "x.aci"
    write_encrypted(path, "--compress-algo", "none", compression="none")
    path.write_bytes(path.read_bytes()[:-1])
    seen = []
    with (
        pytest.raises(FormatError, match="tampered"),
        opened(str(path), passphrase) as source,
        ImageReader(source.origin, source.name, hashed=False) as reader,
    ):
        seen += [next(iter(reader)).name]
    assert seen == [b"manifest"]


def test_a_reader_that_is_given_up_does_not_wait(tmp_path: Path, passphrase: Passphrase) -> None:
    """The pipe keeps silent after its first half: whoever has read that and closes the reader must not hang."""
    write_encrypted(tmp_path / "x.aci", "--compress-algo", "none", compression="none")
    data = (tmp_path / "x.aci").read_bytes()
    for hashed in (False, True):
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.write(writing, data[:300_000])
        with (
            suppress(KeyError),
            opened(f"/dev/fd/{reading}", passphrase) as source,
            ImageReader(source.origin, source.name, hashed=hashed) as reader,
        ):
            big = next(entry for entry in reader if entry.size > 300_000)
            size = 0
            for window in reader.read_chunks(big):
                if (size := size + len(window)) > 250_000:
                    raise KeyError
        os.close(reading)
        os.close(writing)


def test_an_input_tells_whether_it_is_encrypted(tmp_path: Path, passphrase: Passphrase) -> None:
    plain, secret = tmp_path / "x.aci", tmp_path / "y.aci"
    images.write_image(plain)
    write_encrypted(secret)
    for path, encrypted in ((plain, False), (secret, True)):
        with opened(str(path), passphrase) as source:
            assert source.is_encrypted is encrypted
        with piped(path.read_bytes()) as pipe, opened(pipe, passphrase) as source:
            assert source.is_encrypted is encrypted
        with opened(str(path)) as source:
            assert not source.is_encrypted


def read_all(source: Input) -> bytes:
    """Return all that is left of an input, as any reader gets it."""
    whole = Source(source.origin, source.name, head=source.head)
    try:
        return b"".join(iter(lambda: whole.read(1000), b""))
    finally:
        whole.close()


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 100_000])
def test_a_glance_takes_nothing_away(size: int, tmp_path: Path, passphrase: Passphrase) -> None:
    data = os.urandom(size)
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "secret.aci").write_bytes(encrypt(data, SECRET))
    for path in (tmp_path / "plain", tmp_path / "secret.aci"):
        with opened(str(path), passphrase) as source:
            head, rest = glance(source)
            assert head == data[:512]
            assert read_all(rest) == data
        with piped(path.read_bytes()) as pipe, opened(pipe, passphrase) as source:
            head, rest = glance(source)
            assert head == data[:512]
            again, rest = glance(rest)
            assert again == head
            assert read_all(rest) == data


def test_the_rest_of_a_plain_pipe_is_in_its_descriptor(passphrase: Passphrase) -> None:
    data = os.urandom(5000)
    with piped(data) as pipe, opened(pipe, passphrase) as source:
        _, rest = glance(source)
        with os.fdopen(os.dup(rest.descriptor), "rb") as file:
            assert rest.head + file.read() == data


def test_first_bytes_say_what_an_image_is(tmp_path: Path, passphrase: Passphrase) -> None:
    images.write_image(tmp_path / "x.aci", compression="xz")
    write_encrypted(tmp_path / "e.aci")
    (tmp_path / "text").write_text("text")
    with opened(str(tmp_path / "x.aci")) as source:
        assert getattr(recognised(source)[0], "value", None) == "xz"
    with opened(str(tmp_path / "e.aci")) as source:
        assert recognised(source)[0] is None
    with opened(str(tmp_path / "e.aci"), passphrase) as source:
        assert getattr(recognised(source)[0], "value", None) == "gzip"
    for name, why in (("text", "text: not an image archive"), (".", "a directory, not an image archive")):
        with pytest.raises(FormatError, match=why), opened(str(tmp_path / name), passphrase) as source:
            recognised(source)


def test_a_layout_directory_takes_no_passphrase(tmp_path: Path, passphrase: Passphrase) -> None:
    (tmp_path / "manifest").write_bytes(images.manifest_bytes())
    assert get_manifest(str(tmp_path), passphrase, pretty=False, for_terminal=False) == images.manifest_bytes()


def test_a_passphrase_is_not_read_out_of_the_image(tmp_path: Path) -> None:
    write_encrypted(tmp_path / "x.aci")
    with open(tmp_path / "x.aci", "rb") as file, pytest.raises(UsageError, match="the image is read from there"):
        Passphrase(file.fileno()).check_apart_from(file.fileno())


def test_a_source_gives_its_head_first() -> None:
    source = Source(io.BytesIO(b"world"), "x", head=b"hello ")
    assert source.skip(3) == 0
    assert b"".join(iter(lambda: source.read(4), b"")) == b"hello world"
