"""Compressed streams by the dozen around one good tar: in pieces, cut, damaged, nested, greedy."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Iterator

from tests.support.images import Case, compress


def stream_cases(good: bytes) -> Iterator[tuple[str, Case]]:
    """Yield *good*, the tar of an image, compressed in right ways and in wrong ones, each under a sentence."""
    half = len(good) // 2
    for name in ("gzip", "bzip2", "xz"):
        packed = compress(good, name)
        two = compress(good[:half], name) + compress(b"", name) + compress(good[half:], name)
        yield f"{name}", Case(packed)
        yield f"{name} in three streams", Case(two)
        yield f"{name} cut after its magic", Case(packed[:6], "truncated")
        for cut in (1, 4, 8, len(packed) // 2):
            yield f"{name} without its last {cut} bytes", Case(packed[:-cut], "truncated")
        for place in range(1, 13, 3):
            flipped = bytearray(packed)
            flipped[-place] ^= 0x55
            yield f"{name} with a fault {place} bytes before its end", Case(bytes(flipped), name)
        yield f"{name} with text after it", Case(packed + b"text", f"data after the end of the {name}")
        yield f"{name} with its own magic after it", Case(packed + packed[:3], name)
        yield f"{name} inside {name}", Case(compress(packed, name), "header at byte 0")
        other = compress(good, "gzip" if name != "gzip" else "xz")
        yield f"{name}, then another compression", Case(packed + other, f"data after the end of the {name}")
        yield f"{name} of nothing", Case(compress(b"", name), "no manifest")
    packed = compress(good, "gzip")
    yield "gzip with zeros after it", Case(packed + bytes(1000))
    yield "gzip with zeros between members", Case(packed + bytes(8) + packed, "data after the end")
    yield "gzip with a reserved flag", Case(packed[:3] + b"\x20" + packed[4:], "unknown flags")
    yield "gzip with every field", Case(_gzip_fields(packed, b"\x1e"))
    yield "gzip that is called text", Case(packed[:3] + b"\x01" + packed[4:])
    yield "bzip2 with a zero after it", Case(compress(good, "bzip2") + b"\0", "data after the end")
    packed = compress(good, "xz")
    yield "xz with four zeros after it", Case(packed + bytes(4))
    yield "xz with three zeros after it", Case(packed + bytes(3), "data after the end")
    yield "xz with zeros between streams", Case(lzma.compress(good[:half]) + bytes(8) + lzma.compress(good[half:]))
    checks = {"none": lzma.CHECK_NONE, "CRC32": lzma.CHECK_CRC32, "CRC64": lzma.CHECK_CRC64, "SHA-256": lzma.CHECK_SHA256}
    for word, check in checks.items():
        yield f"xz with the check {word}", Case(lzma.compress(good, check=check))
    filters = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 1}]
    yield "xz with a filter", Case(lzma.compress(good, filters=filters))
    unknown = packed[:7] + b"\x02" + struct.pack("<I", zlib.crc32(b"\0\x02")) + packed[12:]
    yield "xz with an unknown check", Case(unknown, "unknown integrity")
    yield "xz that asks for a dictionary of 1.5 GiB", Case(_xz_dictionary(packed, 37), "268435456 bytes")
    yield "a swarm of empty gzip members", Case(gzip.compress(b"", mtime=0) * 3000 + compress(good, "gzip"))
    yield "a bomb of bzip2 inside a gzip", Case(gzip.compress(bz2.compress(bytes(10_000_000)), mtime=0), "header at byte 0")


def _gzip_fields(packed: bytes, flags: bytes) -> bytes:
    fields = packed[:3] + flags + packed[4:10] + struct.pack("<H", 6) + b"AB\x02\0xy" + b"name\0" + b"comment\0"
    return fields + struct.pack("<H", zlib.crc32(fields) & 0xFFFF) + packed[10:]


def _xz_dictionary(packed: bytes, size: int) -> bytes:
    """Return an xz file whose first block asks for another dictionary: its header is 12 bytes after the 12 of the stream."""
    block = bytearray(packed[12:20])
    block[4] = size
    return packed[:12] + bytes(block) + struct.pack("<I", zlib.crc32(bytes(block))) + packed[24:]
