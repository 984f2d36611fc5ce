"""What the first bytes of an executable file say of how it is run: by a loader, by an interpreter, or not at all.

Source: execve(2), Interpreter scripts; elf(5).
"""

from __future__ import annotations

from enum import Enum

from acspec.typed import NamedTuple
from actool.checks.elf import MAGIC, Machine, find_elf

HEAD = 4096  # linkers put the header, the segments and the loader's name here

_SCRIPT_LINE = 256  # what the kernel reads of the line behind #!
_TEXT = bytes(code for code in range(256) if code >= 0x20 or code in b"\t\n\r")


class Form(Enum):
    """How a file is run."""

    ELF = "elf"
    SCRIPT = "script"
    TEXT = "text without a #! line"
    EMPTY = "empty"
    OTHER = "unknown"


class Program(NamedTuple):
    """An executable file: for which machine and system, which loader or interpreter it names, and what it hands to that."""

    form: Form
    machine: Machine | None = None
    abi: int = 0
    interpreter: bytes = b""
    argument: bytes = b""


def parse_program(head: bytes) -> Program:
    """Return what the first bytes of a file, 4 KiB if there are as many, say of it as a program.

    Source: execve(2).
    """
    if head[:4] == MAGIC:
        elf = find_elf(head)
        if elf is None or not elf.runnable:
            return Program(Form.OTHER)
        return Program(Form.ELF, elf.machine, elf.abi, elf.loader)
    if head[:2] == b"#!":
        return _parse_script(head)
    if not head:
        return Program(Form.EMPTY)
    return Program(Form.TEXT if _is_text(head) else Form.OTHER)


def _parse_script(head: bytes) -> Program:
    line, end, _ = head[2:_SCRIPT_LINE].partition(b"\n")
    if not end and len(head) >= _SCRIPT_LINE:  # cut by the kernel, which then runs it or not
        return Program(Form.OTHER)
    interpreter, _, argument = line.strip(b" \t").replace(b"\t", b" ").partition(b" ")
    if not interpreter or b"\0" in line:
        return Program(Form.OTHER)
    return Program(Form.SCRIPT, interpreter=interpreter, argument=argument.strip(b" "))


def _is_text(head: bytes) -> bool:
    """Tell text from what some other program may be registered to run: no control code in the first line or so."""
    return not head[:_SCRIPT_LINE].translate(None, _TEXT)
