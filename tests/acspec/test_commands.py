"""Subcommands of a tool: which one is meant, what is imported for it, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = '''
import typer

def one() -> None:
    """Do one."""
    print("one")

def two(word: str) -> int:
    """Do two."""
    print("two", word)
    return 3

group = typer.Typer(help="A group.", rich_markup_mode=None)

@group.command("inner")
def inner() -> None:
    """Do the inner one."""
    print("inner")

@group.command("other")
def other() -> None:
    """Do the other one."""
'''
MAIN = """
import sys
from acspec.commands import run_command
from acspec.program import run_program
COMMANDS = {"one": "sample:one", "two": "sample:two", "group": "sample:group"}
sys.exit(run_program("tool", lambda: run_command("tool", "Does things.", COMMANDS, sys.argv[2:], default=sys.argv[1] or None)))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "sample.py").write_text(SAMPLE)
    return tmp_path


def run(place: Path, *words: str, default: str = "", main: str = MAIN) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *sys.path])}
    command = [sys.executable, "-c", main, default, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_a_subcommand_is_run_and_its_code_is_the_programs(place: Path) -> None:
    ended = run(place, "one")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "one\n", "")
    ended = run(place, "two", "x")
    assert (ended.returncode, ended.stdout) == (3, "two x\n")
    assert run(place, "group", "inner").stdout == "inner\n"


def test_a_word_that_is_no_subcommand_is_the_first_of_the_default_one(place: Path) -> None:
    assert run(place, "x", default="two").stdout == "two x\n"
    ended = run(place, "x")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "tool: x: no such command (--help shows the commands)\n"


def test_help_names_all_subcommands_and_explains_one(place: Path) -> None:
    ended = run(place, "--help")
    assert ended.returncode == 0
    assert [word in ended.stdout for word in ("Does things.", "Do one.", "Do two.", "A group.")] == [True] * 4
    for words in (["-h"], ["help"], ["--help"]):
        assert run(place, *words).stdout == ended.stdout
    assert "is short for tool two" in run(place, "--help", default="two").stdout
    assert "Do two." in run(place, "help", "two").stdout
    assert run(place, "help", "two").stdout == run(place, "two", "-h").stdout


def test_help_for_what_is_no_command_is_an_error_where_a_first_word_may_be_none(place: Path) -> None:
    ended = run(place, "help", "x", default="two")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "tool: x: no such command (tool --help shows the commands)\n")
    assert run(place, "help", "-h", default="two").returncode == 0


def test_no_word_at_all_is_help_and_2(place: Path) -> None:
    ended = run(place)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", run(place, "--help").stdout)


def test_only_the_module_of_the_one_that_is_meant_is_imported(place: Path) -> None:
    (place / "broken.py").write_text("raise RuntimeError")
    main = MAIN.replace('"sample:two"', '"broken:two"')
    assert run(place, "one", main=main).stdout == "one\n"
    assert run(place, "two", main=main).returncode == 70


@pytest.mark.parametrize("word", ["-V", "--version"])
def test_the_version_is_a_line_and_takes_no_option_parser(place: Path, word: str) -> None:
    ended = run(place, word, main=MAIN.replace("sys.exit(", "code = (") + "print('typer' in sys.modules)")
    assert ended.stdout == "tool 0.1.0 (App Container specification 0.8.11)\nFalse\n"
