"""The labels os and arch beside the ELF files in an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.elf import AARCH64, I386, make_elf
from tests.support.lints import BASE, Case, check, executable, in_bin, labels

SCRIPT = executable(b"#!/bin/sh\n")
ARM, I686 = executable(make_elf(AARCH64, kind=3)), executable(make_elf(I386, bits=32, kind=3))

CASES: dict[str, Case] = {
    "shared libraries of other machines": ({**in_bin(a=executable()), "arm.so": ARM, "x86.so": I686}, {}, []),
    "an object file of another machine": (
        in_bin(a=SCRIPT, sh=executable(b"MZ\0"), o=executable(make_elf(AARCH64, kind=1))),
        {},
        [],
    ),
    "half a header": (in_bin(a=executable(make_elf(AARCH64)[:40])), {}, []),
    "a script for any machine": (
        in_bin(a=SCRIPT, sh=executable()),
        {"labels": labels("linux", None)},
        [],
    ),
    "a label arch that says more than ELF": (
        in_bin(a=executable(make_elf(40, bits=32))),
        {"labels": labels("linux", "armv6l")},
        [],
    ),
    "a program branded for Linux": (in_bin(a=executable(make_elf(abi=3))), {}, []),
    "a shell for another machine": (
        in_bin(a=SCRIPT, sh=executable(make_elf(AARCH64))),
        {},
        [("app.exec[0]", '"/bin/sh" is a program for aarch64, but label arch is amd64')],
    ),
    "a program of 32 bits": (
        in_bin(a=executable(make_elf(I386, bits=32))),
        {},
        [("app.exec[0]", '"/bin/a" is a program for i386, but label arch is amd64')],
    ),
    "a program of the other byte order": (
        in_bin(a=executable(make_elf(21, little=False))),
        {"labels": labels("linux", "ppc64le")},
        [("app.exec[0]", '"/bin/a" is a program for ppc64, but label arch is ppc64le')],
    ),
    "a program of a machine that has no label": (
        in_bin(a=executable(make_elf(8, bits=32, little=False))),
        {},
        [("app.exec[0]", "is a program for machine 8 (32 bits, big-endian)")],
    ),
    "a program for another system": (
        in_bin(a=executable(make_elf(abi=9))),
        {},
        [("app.exec[0]", '"/bin/a" is a program for freebsd, but label os is linux')],
    ),
    "an ELF file where there are none": (
        in_bin(a=executable()),
        {"labels": labels("darwin", "x86_64")},
        [("app.exec[0]", '"/bin/a" is an ELF file, but label os is darwin')],
    ),
    "nothing but programs for another machine": (
        {"x.so": ARM, "y.so": ARM, "z.so": ARM, "i.so": I686},
        {"dependencies": BASE},
        [("rootfs/x.so", "is a program for aarch64, as are 2 others, and none is for amd64")],
    ),
    "one label of two": (
        in_bin(a=executable()),
        {"labels": labels("linux", None)},
        [("labels", 'without arch the image is for any machine, but "/bin/a" is a program for amd64')],
    ),
    "no label at all": (
        in_bin(a=executable()),
        {"labels": []},
        [("labels", "without os and arch the image is for any machine")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_labels_and_programs_are_compared(case: str, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
