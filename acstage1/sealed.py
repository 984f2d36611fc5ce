"""Programs of a few bytes of machine code, in sealed memory files: for what no interpreter should be there for, or stay for.

Source: memfd_create(2), F_ADD_SEALS; elf(5).
"""

from __future__ import annotations

import fcntl
import os

from acspec.errors import name_call

_F_ADD_SEALS = 1033
_SEAL_EVERYTHING = 0x1 | 0x2 | 0x4 | 0x8
_LOAD_ADDRESS = 0x400000
_HEADERS = 64 + 56


def make_sealed_program(name: str, machine: int, code: bytes) -> int:
    """Return a close-on-exec descriptor of a program that is *code* for the ELF *machine*, called *name* where files are shown.

    Raises: OSError.
    Source: memfd_create(2), F_ADD_SEALS.
    """
    try:
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise name_call(error, "memfd_create") from None
    os.write(descriptor, _elf(machine, code))
    fcntl.fcntl(descriptor, _F_ADD_SEALS, _SEAL_EVERYTHING)
    return descriptor


def _elf(machine: int, code: bytes) -> bytes:
    """Return a static 64-bit little-endian ELF program of one segment. Source: elf(5)."""
    size = _HEADERS + len(code)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += _pack((2, 2), (machine, 2), (1, 4), (_LOAD_ADDRESS + _HEADERS, 8), (64, 8), (0, 8), (0, 4))
    header += _pack((64, 2), (56, 2), (1, 2), (0, 2), (0, 2), (0, 2))
    segment = _pack((1, 4), (5, 4), (0, 8), (_LOAD_ADDRESS, 8), (_LOAD_ADDRESS, 8), (size, 8), (size, 8), (0x1000, 8))
    return header + segment + code


def _pack(*fields: tuple[int, int]) -> bytes:
    return b"".join(value.to_bytes(size, "little") for value, size in fields)
