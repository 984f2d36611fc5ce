"""How an executable file is run, by its first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actool.checks.elf import Machine
from actool.checks.programs import Form, Program, parse_program
from tests.support.elf import REL, make_elf

CASES = {
    "a static program": (make_elf(), Program(Form.ELF, Machine(62, 64, True))),
    "a dynamic program": (make_elf(abi=3, loader=b"/ld"), Program(Form.ELF, Machine(62, 64, True), 3, b"/ld")),
    "an object file": (make_elf(kind=REL), Program(Form.OTHER)),
    "a damaged header": (b"\x7fELF\0\0", Program(Form.OTHER)),
    "a script": (b"#!/bin/sh\nexit\n", Program(Form.SCRIPT, interpreter=b"/bin/sh")),
    "a script without a second line": (b"#!/bin/sh", Program(Form.SCRIPT, interpreter=b"/bin/sh")),
    "a script with an argument": (b"#! \t/bin/sh \t -e x \n", Program(Form.SCRIPT, interpreter=b"/bin/sh", argument=b"-e x")),
    "a script without an interpreter": (b"#!\n", Program(Form.OTHER)),
    "a script with a zero byte": (b"#!/bin\0/sh\n", Program(Form.OTHER)),
    "a line as long as the kernel reads": (
        b"#!/" + b"x" * 252 + b"\n",
        Program(Form.SCRIPT, interpreter=b"/" + b"x" * 252),
    ),
    "a line longer than the kernel reads": (b"#!/" + b"x" * 253 + b"\n", Program(Form.OTHER)),
    "text": ("échö\r\n".encode(), Program(Form.TEXT)),
    "nothing": (b"", Program(Form.EMPTY)),
    "something else": (b"\xca\xfe\xba\xbe\0\0\0\x34", Program(Form.OTHER)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_program_is_told_by_its_first_bytes(case: str) -> None:
    data, program = CASES[case]
    assert parse_program(data) == program


@given(st.sampled_from([b"", b"#!", b"#! /", b"\x7fELF"]), st.binary(max_size=300))
def test_any_bytes_are_a_program_of_some_form(start: bytes, data: bytes) -> None:
    program = parse_program(start + data)
    assert len(program.interpreter) + len(program.argument) < 256
    assert (program.form in (Form.SCRIPT, Form.ELF)) or not program.interpreter
