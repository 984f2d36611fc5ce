"""Compressors of a stream cut into blocks of 1 MiB, whose output depends on nothing but the stream and the encoder's name.

gzip's blocks are compressed apart from each other, so in any number of threads: one member, each block ended by a sync flush.
The others are compressed in order. The promise across machines: the same bytes for the same version of the library that
compresses; for ISA-L at level 2 on any x86-64 with SSE4.2, which a known answer shows at the start.

Source: RFC 1951; RFC 1952; spec/image-archive.md, Compression.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from hashlib import sha512

from acspec.archive.compression import Compression
from acspec.errors import UsageError
from acspec.typed import NamedTuple, Protocol

ENCODERS = ("isal", "zlib")

_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no name, no time, no operating system
_LAST_BLOCK = b"\x03\0"
# What each level of ISA-L makes of the test vector: 2 is the highest whose output is the same from SSE4.2 to AVX-512.
_KNOWN_ANSWERS = {
    0: "fba8a72eac493058fdb4a81904cb131d",
    1: "2251a71c7f78491cae7cb89472e9a4c5",
    2: "f85ae7fc304b4a31f4192c5442a6e4dc",
}


class Levels(NamedTuple):
    """The levels of an encoder, and the one it takes by itself."""

    least: int
    most: int
    own: int


LEVELS = {
    "isal": Levels(0, 2, 2),
    "zlib": Levels(1, 9, 6),
    "bzip2": Levels(1, 9, 9),
    "xz": Levels(0, 9, 3),  # 32 MiB of memory; 4 takes 48, 6 takes 94, 9 takes 674
}


class _Compressor(Protocol):
    def compress(self, data: bytes | bytearray, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Encoder(Protocol):
    """Turns blocks into compressed bytes."""

    @property
    def parallel(self) -> bool:
        """True when `encode` may be called from several threads, in any order."""

    @property
    def start(self) -> bytes:
        """The bytes before the first block."""

    def encode(self, block: bytes | bytearray) -> bytes:
        """Return the compressed bytes of one block."""

    def end(self, checksum: int, size: int) -> bytes:
        """Return the bytes after the last block, given the CRC-32 and the length of all of them."""


class GzipEncoder:
    """One gzip member made of blocks that know nothing of each other."""

    parallel = True
    start = _GZIP_HEADER

    def __init__(self, name: str, level: int) -> None:
        """Compress with ISA-L ("isal") or with the zlib that Python has ("zlib").

        Raises: UsageError when ISA-L makes other bytes here than elsewhere.
        """
        self._deflate = _isal_deflate(level) if name == "isal" else _zlib_deflate(level)
        if name == "isal" and not _gives_known_answer(self._deflate, level):
            raise UsageError("isal", "makes other bytes on this processor than elsewhere", "--compression-encoder zlib")

    def encode(self, block: bytes | bytearray) -> bytes:
        """Return one raw deflate run that ends on a byte boundary."""
        return self._deflate(block)

    def end(self, checksum: int, size: int) -> bytes:
        """Return the empty last block and the trailer."""
        return _LAST_BLOCK + checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


class StreamEncoder:
    """bzip2 or xz: one stream, compressed in order."""

    parallel = False
    start = b""

    def __init__(self, compression: Compression, level: int) -> None:
        if compression is Compression.BZIP2:
            from bz2 import BZ2Compressor

            self._compressor: _Compressor = BZ2Compressor(level)
        else:
            from lzma import LZMACompressor

            self._compressor = LZMACompressor(preset=level)

    def encode(self, block: bytes | bytearray) -> bytes:
        """Return what the compressor gives out for the next block."""
        return self._compressor.compress(block)

    def end(self, checksum: int, size: int) -> bytes:  # noqa: ARG002 - gzip's trailer needs them
        """Return the rest of the stream, its own checksum in it."""
        return self._compressor.flush()


def default_encoder() -> str:
    """Return who makes gzip's bytes where nobody is named: "isal", or "zlib" on a processor on which ISA-L makes other bytes."""
    level = LEVELS["isal"].own
    return "isal" if _gives_known_answer(_isal_deflate(level), level) else "zlib"


def new_encoder(compression: Compression, name: str = "isal", level: int | None = None) -> Encoder | None:
    """Return an encoder for one image, None for no compression; *name* is one of ENCODERS and counts for gzip only.

    *level* None stands for the encoder's own.

    Raises: UsageError.
    """
    if compression is Compression.NONE:
        if level is not None:
            raise UsageError(f"compression level {level}", "there is nothing to compress")
        return None
    kind = name if compression is Compression.GZIP else compression.value
    level = _check_level(kind, level)
    return GzipEncoder(name, level) if compression is Compression.GZIP else StreamEncoder(compression, level)


def _check_level(kind: str, level: int | None) -> int:
    least, most, own = LEVELS[kind]
    if level is None:
        return own
    if not least <= level <= most:
        further = "--compression-encoder zlib has higher ones" if kind == "isal" and level > most else None
        raise UsageError(f"compression level {level}", f"{kind} has the levels {least} to {most}", further)
    return level


def _isal_deflate(level: int) -> Callable[[bytes | bytearray], bytes]:
    from isal import isal_zlib

    def deflate(block: bytes | bytearray) -> bytes:
        compressor = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
        return compressor.compress(block) + compressor.flush(isal_zlib.Z_SYNC_FLUSH)

    return deflate


def _zlib_deflate(level: int) -> Callable[[bytes | bytearray], bytes]:
    def deflate(block: bytes | bytearray) -> bytes:
        compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
        return compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)

    return deflate


def _gives_known_answer(deflate: Callable[[bytes], bytes], level: int) -> bool:
    """Tell whether ISA-L makes the bytes on this processor that it makes elsewhere."""
    return sha512(deflate(_test_vector())).hexdigest()[:32] == _KNOWN_ANSWERS[level]


def _test_vector() -> bytes:
    return b"".join(b"%d %x\n" % (number * number, number) for number in range(6000))[:65536]
