"""What a run makes of tests that failed in it (note 55)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = Path(__file__).parents[1] / "again.py"
PYTEST = [sys.executable, "-m", "pytest", "-q", "test_it.py"]
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
# How often each test has been run stands in a file of its own, in bytes.
COUNT = """
def count(name):
    with open(name, "a+") as file:
        file.write(".")
        return file.tell()
"""
ONCE = "def test_{0}(): assert count('{0}') != 1\n"
RUNS = {
    "three tests that fail once": ("".join(ONCE.format(name) for name in "abc"), 0, {"a": 11, "b": 11, "c": 11}, True),
    "a test that fails twice": ("def test_a(): assert count('a') not in (1, 4)\n", 1, {"a": 4}, False),
    "a test that always fails": ("def test_a(): assert not count('a')\n", 1, {"a": 2}, False),
    "one that always fails beside one that fails once": (
        ONCE.format("a") + "def test_b(): assert not count('b')\n", 1, {"a": 2, "b": 2}, False,
    ),
    "four that fail once": ("".join(ONCE.format(name) for name in "abcd"), 1, {"a": 1, "b": 1, "c": 1, "d": 1}, False),
    "a file that cannot be collected": ("1 / 0\n", 1, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("sentence", RUNS)
def test_a_run_tells_a_race_from_a_fault(tmp_path: Path, sentence: str) -> None:
    source, code, counts, race = RUNS[sentence]
    (tmp_path / "test_it.py").write_text(COUNT + source)
    environment = os.environ | QUICK
    assert subprocess.run(PYTEST, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode
    ended = subprocess.run([sys.executable, AGAIN], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stdout
    assert {name: len((tmp_path / name).read_text()) for name in counts} == counts
    last = ended.stdout.rstrip().rpartition("\n")[2]
    assert last.startswith("RACE, to be mended") is race
