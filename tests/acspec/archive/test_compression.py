"""gzip, bzip2 and xz, to their very end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec.archive.image import read_image
from acspec.errors import FormatError
from tests.support import images

TAR = images.tar({"f": bytes(range(256)) * 8, "zeros": bytes(3 << 20)})
ID = images.image_id(TAR)
Compress = Callable[[bytes], bytes]


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


COMPRESSORS: dict[str, Compress] = {"gzip": _gzip, "bzip2": bz2.compress, "xz": lzma.compress}
every_compressor = pytest.mark.parametrize("name", COMPRESSORS)


def read(data: bytes) -> str:
    return read_image(io.BytesIO(data), "x.aci").image_id


@every_compressor
@pytest.mark.parametrize("cuts", [[0], [0, 0, 1, 511, 600], list(range(0, 6000, 7))])
def test_concatenated_streams_are_one(name: str, cuts: list[int]) -> None:
    edges = [0, *cuts, len(TAR)]
    parts = [TAR[first:last] for first, last in pairwise(edges)]
    assert read(b"".join(map(COMPRESSORS[name], parts))) == ID


@every_compressor
def test_a_swarm_of_empty_streams_is_read(name: str) -> None:
    compress = COMPRESSORS[name]
    assert read(compress(TAR[:100]) + compress(b"") * 5000 + compress(TAR[100:])) == ID


@every_compressor
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_source_may_give_any_pieces(name: str, size: int) -> None:
    class Drip(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(size)

    assert read_image(Drip(COMPRESSORS[name](TAR)), "x.aci").image_id == ID


PADDED = {
    "gzip and zeros": _gzip(TAR) + bytes(100),
    "xz and four zeros": lzma.compress(TAR) + bytes(4),
    "xz, zeros and xz": lzma.compress(TAR[:999]) + bytes(200_000) + lzma.compress(TAR[999:]),
    "xz, xz and zeros": lzma.compress(TAR[:999]) + lzma.compress(TAR[999:]) + bytes(8),
    "gzip with all its fields": b"\x1f\x8b\x08\x1f\0\0\0\0\0\xff\x05\0hellon\0c\0"
    + (zlib.crc32(b"\x1f\x8b\x08\x1f\0\0\0\0\0\xff\x05\0hellon\0c\0") & 0xFFFF).to_bytes(2, "little")
    + _gzip(TAR)[10:],
    "xz without a check": lzma.compress(TAR, check=lzma.CHECK_NONE),
    "xz with a dictionary of 64 MiB": lzma.compress(TAR, preset=9),
}


@pytest.mark.parametrize("data", PADDED.values(), ids=PADDED)
def test_an_image_may_be(data: bytes) -> None:
    assert read(data) == ID


TRAILED = {
    "gzip and something": (_gzip(TAR) + b"x", "data after the end of the gzip stream"),
    "gzip, zeros and something": (_gzip(TAR) + bytes(9) + b"x", "data after the end of the gzip stream"),
    "gzip, zeros and gzip": (_gzip(TAR) + bytes(9) + _gzip(b""), "data after the end of the gzip stream"),
    "gzip and xz": (_gzip(TAR) + lzma.compress(b""), "data after the end of the gzip stream"),
    "gzip and half a header": (_gzip(TAR) + b"\x1f\x8b", "data after the end of the gzip stream"),
    "bzip2 and something": (bz2.compress(TAR) + b"x", "data after the end of the bzip2 stream"),
    "bzip2 and zeros": (bz2.compress(TAR) + bytes(4), "data after the end of the bzip2 stream"),
    "xz and something": (lzma.compress(TAR) + b"x", "data after the end of the xz stream"),
    "xz and five zeros": (lzma.compress(TAR) + bytes(5), "data after the end of the xz stream"),
    "gzip with unknown flags": (b"\x1f\x8b\x08\x80" + _gzip(TAR)[4:], "gzip data is damaged"),
    "a second gzip with unknown flags": (_gzip(TAR) + b"\x1f\x8b\x08\x80" + _gzip(b"")[4:], "gzip data is damaged"),
    "gzip with a wrong checksum": (_gzip(TAR)[:-8] + bytes(4) + _gzip(TAR)[-4:], "gzip data is damaged"),
    "gzip with a wrong length": (_gzip(TAR)[:-4] + bytes(4), "gzip data is damaged"),
    "bzip2 with a wrong checksum": (bz2.compress(TAR)[:-4] + b"\x55" * 4, "bzip2 data is damaged"),
    "xz with a wrong index": (lzma.compress(TAR)[:-20] + b"\xff" * 8 + lzma.compress(TAR)[-12:], "xz data is damaged"),
    "xz with an unknown check": (
        b"\xfd7zXZ\0\0\x02" + zlib.crc32(b"\0\x02").to_bytes(4, "little") + lzma.compress(TAR)[12:],
        "xz data",
    ),
}


@pytest.mark.parametrize(("data", "why"), TRAILED.values(), ids=TRAILED)
def test_an_image_is_refused_that_is(data: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        read(data)


@every_compressor
def test_a_stream_cut_anywhere_is_truncated(name: str) -> None:
    whole = COMPRESSORS[name](images.tar({"f": b"x"}))
    for length in range(11, len(whole)):
        with pytest.raises(FormatError, match=r"truncated|not an image archive|data after"):
            read(whole[:length])


@every_compressor
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_bit_is_refused_or_changes_nothing(name: str, data: st.DataObject) -> None:
    tar = images.tar({"f": b"some text, not long"})
    whole = bytearray(COMPRESSORS[name](tar))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert read(bytes(whole)) == images.image_id(tar)
    except FormatError:
        pass


def _xz_with_dictionary(mebibytes: int) -> bytes:
    # The size stands in the block header: 2n gives 2**(n+12) bytes, 2n+1 one and a half of that. The header's CRC is made anew.
    content = bytearray(lzma.compress(images.tar({}), preset=0))
    bits = (mebibytes << 20).bit_length() - 1
    content[16] = 2 * (bits - 12)
    content[20:24] = zlib.crc32(content[12:20]).to_bytes(4, "little")
    return bytes(content)


def test_an_xz_dictionary_larger_than_the_limit_is_refused_before_it_is_made() -> None:
    read(_xz_with_dictionary(256))
    with pytest.raises(FormatError, match="xz dictionary is larger than the limit of 268435456 bytes"):
        read(_xz_with_dictionary(512))


NAMED = {
    "an empty file": (b"", "an empty file"),
    "a short text": (b"hello\n", "neither tar nor gzip, bzip2 or xz"),
    "a web page": (b"<!DOCTYPE html>" + b" " * 1000, "neither tar nor gzip, bzip2 or xz"),
    "a text that begins with an umlaut": ("Äpfel".encode() * 200, "neither tar nor gzip, bzip2 or xz"),
    "zeros": (bytes(10240), "a tar archive without entries"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(600), "compressed with zstd, which the specification does not allow"),
    "lz4": (b"\x04\x22\x4d\x18" + bytes(600), "compressed with lz4"),
    "lzma": (lzma.compress(TAR, lzma.FORMAT_ALONE), "compressed with lzma"),
    "compress": (b"\x1f\x9d\x90" + bytes(600), "compressed with compress"),
    "zip": (b"PK\x03\x04" + bytes(600), "a zip file"),
    "an armoured PGP message": (b"-----BEGIN PGP MESSAGE-----\n\nhQ\n", "encrypted with PGP"),
    "a PGP signature": (b"-----BEGIN PGP SIGNATURE-----\n\niQ\n", "a PGP signature, not an image"),
    "a PGP key": (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n", "PGP data, not an image"),
    "PGP to a public key": (b"\x85\x01\x0c\x03" + bytes(600), "encrypted with PGP"),
    "PGP to a public key, in the new form": (b"\xc1\xc0\x4c\x03" + bytes(600), "encrypted with PGP"),
    "damaged tar": (b"x" + TAR[1:], "neither tar nor gzip, bzip2 or xz"),
}


@pytest.mark.parametrize(("data", "name"), NAMED.values(), ids=NAMED)
def test_what_is_no_image_is_called_what_it_is(data: bytes, name: str) -> None:
    with pytest.raises(FormatError, match=name):
        read(data)


@pytest.mark.parametrize("armour", [[], ["--armor"]])
@pytest.mark.parametrize("cipher", ["AES256", "3DES"])
def test_what_gpg_encrypts_is_recognised(tmp_path: Path, armour: list[str], cipher: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    words = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "secret", "--quiet"]
    words += ["--cipher-algo", cipher, *armour, "--symmetric"]
    encrypted = subprocess.run(words, input=_gzip(TAR), capture_output=True, check=True).stdout
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=True)
    with pytest.raises(FormatError, match=r"encrypted with PGP; decrypt it first with actool decrypt"):
        read(encrypted)
