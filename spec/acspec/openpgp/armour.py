"""ASCII armour as gpg wants it: with the checksum that newer programs leave out.

RFC 9580 makes the checksum optional, and Sequoia, rPGP and others write none. gpg 2.2 then takes a block whose last line needs no
padding, every third, for one without data. So such a block gets its checksum here; everything else goes through as it is.

Source: RFC 4880, 6 (Radix-64 Conversions); RFC 9580, 6.1 (Optional Checksum).
"""

from __future__ import annotations

import base64
import binascii

_BEGIN, _END = b"-----BEGIN PGP ", b"-----END PGP "
_START, _POLYNOMIAL = 0xB704CE, 0x1864CFB


def add_checksums(data: bytes) -> bytes:
    """Return *data*, which may be anything, with a checksum at the end of each armoured block that has neither one nor padding.

    Source: RFC 4880, 6.2, Forming ASCII Armor.
    """
    if _BEGIN not in data:
        return data
    lines: list[bytes] = []
    body: int | None = None  # where the base64 text of a block begins, once its headers are over
    in_headers = False
    for line in data.splitlines(keepends=True):
        if line.startswith(_BEGIN):
            in_headers, body = True, None
        elif in_headers and not line.strip():
            in_headers, body = False, len(lines) + 1
        elif line.startswith(_END) and body is not None:
            lines += _missing_checksum(lines[body:])
            body = None
        lines.append(line)
    return b"".join(lines)


def _missing_checksum(body: list[bytes]) -> list[bytes]:
    text = b"".join(body).split()
    try:
        packets = base64.b64decode(b"".join(text), validate=True)
    except binascii.Error:  # a checksum follows already; or it is damaged, and gpg says so
        return []
    if not packets or text[-1].endswith(b"="):
        return []
    return [b"=%s\n" % base64.b64encode(checksum(packets).to_bytes(3, "big"))]


def checksum(data: bytes) -> int:
    """Return the CRC-24 of *data*. Source: RFC 4880, 6.1."""
    crc = _START
    for byte in data:
        crc = (crc << 8 & 0xFFFFFF) ^ _TABLE[crc >> 16 ^ byte]
    return crc


def _remainder(byte: int) -> int:
    crc = byte << 16
    for _ in range(8):
        crc = crc << 1 ^ (_POLYNOMIAL if crc & 0x800000 else 0)
    return crc


_TABLE = [_remainder(byte) for byte in range(256)]
