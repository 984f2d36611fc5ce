"""The header of an ELF file: which machine it is for, and which loader it asks for.

The bytes come from outside: every offset is checked, and nothing beyond the first bytes of a file is looked at. Which loader is
named further on, is not known here, and nobody may conclude that there is none.

Source: elf(5); System V ABI, Object Files and Program Loading.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from acspec.typed import NamedTuple

MAGIC = b"\x7fELF"

_IDENT = 16
_BITS = {1: 32, 2: 64}
_BYTE_ORDERS = {1: True, 2: False}  # is it little-endian?
_RUNNABLE = (2, 3)  # ET_EXEC and ET_DYN, which a position-independent program is, too
_PT_INTERP = 3
_LONGEST_LOADER = 255

# By bits and byte order: the header behind its ident, and a program header.
_HEADERS = {
    (bits, little): Struct(("<" if little else ">") + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"))
    for bits in _BITS.values()
    for little in _BYTE_ORDERS.values()
}
_SEGMENTS = {
    (bits, little): Struct(("<" if little else ">") + ("IIQQQQQQ" if bits == 64 else "IIIIIIII"))
    for bits in _BITS.values()
    for little in _BYTE_ORDERS.values()
}


class Machine(NamedTuple):
    """What code is for: the number of a machine, its bits, and whether it is little-endian."""

    number: int
    bits: int
    little: bool


class ELF(NamedTuple):
    """What the header says: the machine, the system's byte EI_OSABI, whether it can be run, and the loader if that is seen."""

    machine: Machine
    abi: int
    runnable: bool
    loader: bytes = b""


_I386 = Machine(3, 32, True)
_AMD64 = Machine(62, 64, True)
_ARM = Machine(40, 32, True)

# The values of the label arch, each with the machine that it means.
MACHINES: Mapping[str, Machine] = {
    "amd64": _AMD64,
    "x86_64": _AMD64,
    "i386": _I386,
    "aarch64": Machine(183, 64, True),
    "aarch64_be": Machine(183, 64, False),
    "arm": _ARM,
    "armv6l": _ARM,
    "armv7l": _ARM,
    "armv7b": Machine(40, 32, False),
    "ppc64": Machine(21, 64, False),
    "ppc64le": Machine(21, 64, True),
    "s390x": Machine(22, 64, False),
}
_NAMES = {machine: name for name, machine in reversed(tuple(MACHINES.items()))} | {
    Machine(62, 32, True): "x32",
    Machine(243, 64, True): "riscv64",
    Machine(258, 64, True): "loongarch64",
}

# What the byte EI_OSABI says of the system; 0, as most linkers leave it, says nothing.
SYSTEMS: Mapping[int, str] = {3: "linux", 9: "freebsd"}


def find_elf(head: bytes) -> ELF | None:
    """Return what the first bytes of a file say, None when they are no header of an ELF file.

    Source: elf(5), Elf32_Ehdr and Elf64_Ehdr.
    """
    if len(head) < _IDENT or head[:4] != MAGIC or head[6] != 1:
        return None
    bits, little = _BITS.get(head[4]), _BYTE_ORDERS.get(head[5])
    if bits is None or little is None:
        return None
    header = _HEADERS[bits, little]
    if len(head) < _IDENT + header.size:
        return None
    kind, number, version, _, start, _, _, _, size, count, _, _, _ = header.unpack_from(head, _IDENT)
    if version != 1:
        return None
    segment = _SEGMENTS[bits, little]
    loader = _read_loader(head, segment, start, count) if size == segment.size else b""
    return ELF(Machine(number, bits, little), head[7], kind in _RUNNABLE, loader)


def _read_loader(head: bytes, segment: Struct, start: int, count: int) -> bytes:
    """Return the text of the segment PT_INTERP, `b""` when it is not among the first bytes."""
    count = min(count, (len(head) - start) // segment.size)  # below zero for a table further on
    for number in range(count):
        fields = segment.unpack_from(head, start + number * segment.size)
        if fields[0] == _PT_INTERP:
            # 64-bit headers have the flags second; then come offset, two addresses and the size.
            offset, length = (fields[2], fields[5]) if segment.size == 56 else (fields[1], fields[4])
            text = head[offset : offset + length] if length <= _LONGEST_LOADER else b""
            return text[:-1] if len(text) == length and text.endswith(b"\0") and b"\0" not in text[:-1] else b""
    return b""


def name_machine(machine: Machine) -> str:
    """Return a machine by its label arch, or by its number.

    Source: aci.md, labels: os, arch.
    """
    order = "little" if machine.little else "big"
    return _NAMES.get(machine) or f"machine {machine.number} ({machine.bits} bits, {order}-endian)"
