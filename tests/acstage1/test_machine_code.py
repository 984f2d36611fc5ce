"""The bytes of the smallest programs are those of their sources, assembled for the machine that the tests run on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import acstage1
from acstage1 import terminal_guard, trampoline

SOURCES = {"trampoline.S": trampoline._CODE, "terminal_guard.S": terminal_guard._CODE}


@pytest.mark.parametrize("name", SOURCES)
def test_machine_code_is_that_of_its_source(name: str, tmp_path: Path) -> None:
    source, compiled, plain = Path(acstage1.__file__).with_name(name), tmp_path / "x.o", tmp_path / "x"
    subprocess.run(["cc", "-c", "-o", compiled, source], check=True)
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.text", compiled, plain], check=True)
    _, code = SOURCES[name][os.uname().machine]
    assert plain.read_bytes().hex() == code.hex()
