"""ELF files for tests, made byte by byte: a header, and one segment that names a loader where one is wanted."""

from __future__ import annotations

import struct

EXEC, DYN, REL = 2, 3, 1
X86_64, I386, AARCH64 = 62, 3, 183


def make_elf(
    machine: int = X86_64, *, bits: int = 64, little: bool = True, abi: int = 0, kind: int = EXEC, loader: bytes = b""
) -> bytes:
    """Return the first bytes of an ELF file; *loader* is the path of its loader, without the zero byte."""
    order = "<" if little else ">"
    wide = bits == 64
    header = struct.Struct(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"))
    segment = struct.Struct(order + ("IIQQQQQQ" if wide else "IIIIIIII"))
    start = 16 + header.size
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if little else 2, 1, abi]).ljust(12, b"\0")
    fields = header.pack(kind, machine, 1, 0, start if loader else 0, 0, 0, start, segment.size, 1 if loader else 0, 0, 0, 0)
    if not loader:
        return ident + fields
    text = loader + b"\0"
    place = start + segment.size
    if wide:
        described = segment.pack(3, 4, place, place, place, len(text), len(text), 1)
    else:
        described = segment.pack(3, place, place, place, len(text), len(text), 4, 1)
    return ident + fields + described + text
