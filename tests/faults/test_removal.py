"""Images being removed, collected and set aside by a program that is killed, or failed, at its system calls one by one.

After every fault, each image that is in the store is whole and has all that it depends on; the same command without a fault, and a
collection, then leave nothing behind.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import Call, every, find_calls, run_with_fault
from tests.support.stores import DAY, PROGRAM, add_image, check_store

MOST = 5
FAMILIES = ("unlink", "rename", "fsync", "openat", "mkdir")
ANSWERS = {
    "unlink": ("error=EIO",),
    "rename": ("error=ENOSPC", "error=EIO"),
    "fsync": ("error=EIO",),
    "openat": ("error=EMFILE", "error=EACCES"),
    "mkdir": ("error=ENOSPC",),
}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return a store with an image that depends on two others, and a fourth that is damaged."""
    data = tmp_path / "template"
    base = add_image(data, "example.com/base", age=30 * DAY, signature=b"signature")
    middle = add_image(data, "example.com/middle", base, age=30 * DAY)
    add_image(data, "example.com/top", middle, base, age=30 * DAY)
    damaged = add_image(data, "example.com/damaged", age=30 * DAY, signature=b"signature")
    os.truncate(data / "images" / f"{damaged}.aci", 1000)
    return data


def fresh(template: Path) -> Path:
    data = template.parent / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(template, data)
    return data


def acfetch(*words: str) -> list[str]:
    return [*PROGRAM, *words]


COMMANDS = {
    "images rm": acfetch("images", "rm", "example.com/top", "example.com/base", "example.com/middle"),
    "gc": acfetch("gc"),
    "images verify": acfetch("images", "verify", "-q"),
}


def faults(command: list[str], family: str, template: Path) -> Iterator[tuple[Call, str]]:
    data = fresh(template)
    code = 1 if "verify" in command else 0
    for call in every(find_calls(command, family, about=data, environment={"APPC_DIR": str(data)}, code=code), MOST):
        for fault in ("signal=KILL", *ANSWERS[family]):
            yield call, fault


def check_whole(data: Path, what: str) -> set[str]:
    """Check what is left in the store; the damaged image may be there or not."""
    for path in (data / "images").glob("*.aci"):
        if path.stat().st_size == 1000:
            for suffix in (".json", ".asc", ".aci"):
                path.with_suffix(suffix).unlink(missing_ok=True)
    try:
        return check_store(data)
    except (AssertionError, OSError) as error:
        error.add_note(what)
        raise


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_fault_leaves_an_image_without_what_it_depends_on(command: list[str], family: str, template: Path) -> None:
    for call, fault in faults(command, family, template):
        data = fresh(template)
        what = f"{fault} at {call}"
        result = run_with_fault(command, call, fault, {"APPC_DIR": str(data)})
        if fault != "signal=KILL":
            most = 2 if "verify" in command else 1  # the damaged image, and a file that is left without a record
            assert len(result.stderr.splitlines()) <= most, f"{what}: {result.stderr}"
            assert "is a bug" not in result.stderr, what
        check_whole(data, what)
        environment = {**os.environ, "APPC_DIR": str(data)}
        last = subprocess.run(acfetch("gc", "--keep-for", "0"), capture_output=True, text=True, env=environment, check=False)
        assert (last.returncode, last.stderr) == (0, ""), what
        left = [str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()]
        assert sorted(left) == ["lock", "version"], what
