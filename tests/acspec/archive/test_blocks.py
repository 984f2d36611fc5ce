"""Streams cut into blocks: the same output from any pieces, any threads."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec.archive.blocks import BLOCK_BYTES, BlockWriter
from acspec.archive.compression import Compression
from acspec.archive.encoders import ENCODERS, LEVELS, GzipEncoder, default_encoder, new_encoder
from acspec.errors import UsageError

DATA = (b"some text that can be compressed " * 100_000)[: 3 * BLOCK_BYTES - 77]
DECOMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.NONE: bytes,
    Compression.GZIP: gzip.decompress,
    Compression.BZIP2: bz2.decompress,
    Compression.XZ: lzma.decompress,
}


def encode(pieces: list[bytes], compression: Compression, threads: int | None = None, encoder: str = "isal") -> bytes:
    output = bytearray()
    with BlockWriter(output.extend, new_encoder(compression, encoder), threads) as blocks:
        for piece in pieces:
            blocks.write(piece)
        image_id = blocks.finish()
    assert image_id == "sha512-" + hashlib.sha512(b"".join(pieces)).hexdigest()
    assert blocks.size == sum(map(len, pieces))
    return bytes(output)


@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(DATA)])
def test_what_is_written_is_read_back(compression: Compression, size: int) -> None:
    assert DECOMPRESS[compression](encode([DATA[:size]], compression)) == DATA[:size]


@pytest.mark.parametrize("encoder", ["isal", "zlib"])
def test_the_number_of_threads_changes_nothing(encoder: str) -> None:
    outputs = {encode([DATA], Compression.GZIP, threads, encoder) for threads in (1, 2, 3, 7)}
    assert len(outputs) == 1
    assert gzip.decompress(outputs.pop()) == DATA


@settings(max_examples=20)
@given(st.lists(st.integers(0, len(DATA)), max_size=12), st.sampled_from(Compression))
def test_the_pieces_change_nothing(cuts: list[int], compression: Compression) -> None:
    small = DATA[: BLOCK_BYTES + 999]
    edges = sorted({0, len(small), *(cut % len(small) for cut in cuts)})
    pieces = [small[first:last] for first, last in pairwise(edges)]
    assert encode(pieces, compression) == encode([small], compression)


def test_a_file_is_copied_without_being_read_twice(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    output = bytearray()
    with (tmp_path / "f").open("rb") as file, BlockWriter(output.extend, None) as blocks:
        blocks.write(b"before")
        assert blocks.copy(file.fileno(), len(DATA)) == 0
        assert blocks.copy(file.fileno(), 10) == 10
        blocks.finish()
    assert bytes(output) == b"before" + DATA


def test_gzip_says_nothing_of_the_machine_or_the_hour() -> None:
    assert encode([DATA], Compression.GZIP)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def test_a_failing_output_ends_all_threads() -> None:
    def full(data: bytes | bytearray) -> None:
        if len(data) > 100:
            raise OSError(28, "No space left on device")

    before = threading.active_count()
    with pytest.raises(OSError, match="No space"), BlockWriter(full, new_encoder(Compression.GZIP), 2) as blocks:
        blocks.write(os.urandom(20 * BLOCK_BYTES))
    assert threading.active_count() == before


def test_an_isal_that_makes_other_bytes_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acspec.archive.encoders._KNOWN_ANSWERS", dict.fromkeys(range(3), "other"))
    with pytest.raises(UsageError, match="--compression-encoder zlib"):
        GzipEncoder("isal", 2)
    GzipEncoder("zlib", 6)
    assert default_encoder() == "zlib"


def test_isal_is_who_compresses_when_nobody_is_named() -> None:
    assert default_encoder() == "isal"


@pytest.mark.parametrize("kind", LEVELS)
def test_every_level_of_an_encoder_is_read_again(kind: str) -> None:
    name, compression = (kind, Compression.GZIP) if kind in ENCODERS else ("isal", Compression(kind))
    least, most, _ = LEVELS[kind]
    data = DATA[: 1 << 17]
    for level in {least, least + 1, most}:
        output = bytearray()
        with BlockWriter(output.extend, new_encoder(compression, name, level), 2) as blocks:
            blocks.write(data)
            blocks.finish()
        assert DECOMPRESS[compression](bytes(output)) == data


WRONG_LEVELS = {
    "ISA-L's level whose bytes depend on the processor": (Compression.GZIP, "isal", 3, "isal has the levels 0 to 2 .*zlib"),
    "no compression by zlib": (Compression.GZIP, "zlib", 0, "zlib has the levels 1 to 9"),
    "a level that xz does not have": (Compression.XZ, "isal", 10, "xz has the levels 0 to 9"),
    "a level below all": (Compression.BZIP2, "isal", -1, "bzip2 has the levels 1 to 9"),
    "a level of nothing": (Compression.NONE, "isal", 1, "nothing to compress"),
}


@pytest.mark.parametrize(("compression", "name", "level", "message"), WRONG_LEVELS.values(), ids=WRONG_LEVELS)
def test_a_level_is_refused_that_is(compression: Compression, name: str, level: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        new_encoder(compression, name, level)


def test_a_higher_level_makes_less_of_it() -> None:
    sizes = []
    for level in (0, 2):
        encoder = new_encoder(Compression.GZIP, "isal", level)
        assert encoder is not None
        sizes.append(len(encoder.encode(DATA[: 1 << 20])))
    assert sizes[1] < sizes[0]
