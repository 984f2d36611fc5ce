"""The header of an ELF file, well formed and not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.labels import KNOWN_PLATFORMS, host_architecture
from actool.checks.elf import MACHINES, Machine, find_elf, name_machine
from tests.support.elf import EXEC, REL, make_elf

SHAPES = [(bits, little) for bits in (32, 64) for little in (True, False)]


@pytest.mark.parametrize(("bits", "little"), SHAPES)
def test_a_header_is_read_in_every_shape(bits: int, little: bool) -> None:
    elf = find_elf(make_elf(40, bits=bits, little=little, abi=9, kind=EXEC, loader=b"/lib/ld.so"))
    assert elf is not None
    assert elf == (Machine(40, bits, little), 9, True, b"/lib/ld.so")


def test_an_object_file_cannot_be_run() -> None:
    elf = find_elf(make_elf(kind=REL))
    assert elf is not None
    assert not elf.runnable


def test_a_real_program_is_read_as_file_says() -> None:
    elf = find_elf(Path(sys.executable).resolve().read_bytes()[:4096])
    assert elf is not None
    assert name_machine(elf.machine) == host_architecture()
    said = subprocess.run(["readelf", "-lW", sys.executable], capture_output=True, text=True, check=True).stdout
    assert f"interpreter: {elf.loader.decode()}]" in said


GOOD = make_elf(loader=b"/lib/ld.so")
START = 64  # of the only segment


def _changed(at: int, data: bytes) -> bytes:
    return GOOD[:at] + data + GOOD[at + len(data) :]


NO_HEADER = {
    "nothing": b"",
    "half an ident": GOOD[:10],
    "half a header": GOOD[:63],
    "an unknown class": _changed(4, b"\3"),
    "an unknown byte order": _changed(5, b"\0"),
    "another version in the ident": _changed(6, b"\2"),
    "another version": _changed(20, b"\2"),
}


@pytest.mark.parametrize("data", NO_HEADER.values(), ids=NO_HEADER)
def test_what_is_no_header_is_none(data: bytes) -> None:
    assert find_elf(data) is None


NO_LOADER = {
    "segments of another size": _changed(54, b"\x37"),
    "segments beyond all files": _changed(32, b"\xff" * 8),
    "segments beyond the first bytes": _changed(32, (1 << 20).to_bytes(8, "little")),
    "half a segment": GOOD[: START + 55],
    "a loader beyond the first bytes": _changed(START + 8, (1 << 20).to_bytes(8, "little")),
    "a loader that is cut": GOOD[:-1],
    "a loader without an end": GOOD[:-1] + b"x",
    "a loader of no length": _changed(START + 32, bytes(8)),
    "a loader longer than all files": _changed(START + 32, b"\xff" * 8),
    "a loader with a zero byte inside": _changed(len(GOOD) - 3, b"\0"),
    "no segment": _changed(56, b"\0\0"),
}


@pytest.mark.parametrize("data", NO_LOADER.values(), ids=NO_LOADER)
def test_a_loader_that_cannot_be_seen_is_not_made_up(data: bytes) -> None:
    elf = find_elf(data)
    assert elf is not None
    assert elf.loader == b""


def test_a_loader_behind_sixty_thousand_segments_is_sought_no_further_than_the_first_bytes() -> None:
    elf = find_elf(_changed(56, b"\xff\xff") + bytes(4096 - len(GOOD)))
    assert elf is not None
    assert elf.loader == b"/lib/ld.so"


@given(st.sampled_from([*(make_elf(bits=bits, little=little, loader=b"/x") for bits, little in SHAPES)]), st.data())
def test_any_bytes_are_read_without_a_fault(elf: bytes, data: st.DataObject) -> None:
    damaged = bytearray(elf)
    for at in data.draw(st.lists(st.integers(0, len(elf) - 1), max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    found = find_elf(bytes(damaged[: data.draw(st.integers(0, len(elf)))]))
    assert found is None or (isinstance(found.loader, bytes) and len(found.loader) < 255)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_magic_number_are_read_without_a_fault(data: bytes) -> None:
    find_elf(b"\x7fELF" + data)


def test_every_arch_that_the_specification_knows_is_a_machine() -> None:
    assert {arch for machines in KNOWN_PLATFORMS.values() for arch in machines} == set(MACHINES)
    assert name_machine(Machine(1, 32, False)) == "machine 1 (32 bits, big-endian)"
