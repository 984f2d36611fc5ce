"""The headers of a file as they stand in an archive, made to announce data of another size; nothing else of them changes.

Names, owners, times and records that only their writer knows stay byte for byte, whatever the flavour of tar.

Source: POSIX.1-2017, pax, ustar Interchange Format and pax Extended Header.
"""

from __future__ import annotations

from zlib import adler32

from acspec.archive.encode import encode_record
from acspec.archive.extensions import EXTENSIONS, GNU_SPARSE, PAX
from acspec.archive.faults import Fault
from acspec.archive.header import BLOCK, parse_header
from acspec.archive.pax import parse_records
from acspec.archive.sparse import KEYWORDS

_SIZE = slice(124, 136)
_CHECKSUM = slice(148, 156)


def resize_headers(headers: bytes, size: int) -> bytes:
    """Return *headers*, all blocks of one regular file before its data, extended headers included, for data of *size* bytes.

    Raises: Fault for a sparse file, whose data is not its content.
    Source: POSIX.1-2017, pax, pax Extended Header.
    """
    parts: list[bytes] = []
    offset = 0
    while True:
        block = headers[offset : offset + BLOCK]
        header = parse_header(block)
        if header.type_flag == GNU_SPARSE:
            raise _sparse()
        if header.type_flag not in EXTENSIONS:
            return b"".join((*parts, _with_size(block, size)))
        end = offset + BLOCK + header.size
        data = headers[offset + BLOCK : end]
        padded = end + -end % BLOCK
        kept = _without_size(data) if header.type_flag == PAX else data
        parts.append(headers[offset:padded] if kept == data else _with_data(block, kept))
        offset = padded


def _without_size(data: bytes) -> bytes:
    """Return the records of an extended header without any that speaks of the size: that is the header block's to say."""
    kept = []
    for keyword, value in parse_records(data):
        if keyword.startswith(KEYWORDS):
            raise _sparse()
        if keyword != b"size":
            kept.append(encode_record(keyword, value))
    return b"".join(kept)


def _with_data(block: bytes, data: bytes) -> bytes:
    return _with_size(block, len(data)) + data + bytes(-len(data) % BLOCK) if data else b""


def _with_size(block: bytes, size: int) -> bytes:
    changed = bytearray(block)
    changed[_SIZE] = b"%011o\0" % size
    changed[_CHECKSUM] = b" " * 8
    changed[_CHECKSUM] = b"%06o\0 " % ((adler32(changed[:256]) & 0xFFFF) + (adler32(changed[256:]) & 0xFFFF) - 2)
    return bytes(changed)


def _sparse() -> Fault:
    return Fault("a sparse file, whose size cannot be changed")
