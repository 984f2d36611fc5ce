"""Subcommands called without an option parser: exactly as with it, or not at all."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import typer

import acfetch.cli
import acrun.cli
import actool.cli
from acspec.direct_calls import find_direct_call

SAMPLE = """
from __future__ import annotations
from typing import Annotated
import typer

Level = Annotated[int, typer.Option("--level", "-l", help="How much.")]
Loud = Annotated[bool, typer.Option("--loud")]

def none(loud: Annotated[bool, typer.Option("--loud")] = False, level: Level = 3) -> int:
    print("none", loud, level)
    return level

def two(
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
    level: Level = 3,
) -> None:
    print("two", first, second, level)

def many(files: Annotated[list[str], typer.Argument(metavar="FILE")], loud: Loud = False) -> None:
    print("many", files, loud)

def some(files: Annotated[list[str] | None, typer.Argument(metavar="FILE")] = None, loud: Loud = False) -> None:
    print("some", files, loud)

def maybe(file: Annotated[str, typer.Argument(metavar="FILE")] = "x") -> None:
    print("maybe", file)

def number(count: Annotated[int, typer.Argument(metavar="N")]) -> None:
    print("number", count + 1)

def told(by: Annotated[str, typer.Option("--by", envvar="TOLD_BY")] = "nobody") -> None:
    print("told", by)

def needy(by: Annotated[str, typer.Option("--by")]) -> None:
    print("needy", by)

def curious() -> int:
    return typer.Exit(7).exit_code
"""
GROUP = """
import typer
group = typer.Typer(rich_markup_mode=None)

@group.command("inner")
def inner() -> None:
    print("inner")

@group.command("other")
def other() -> None:
    print("other")
"""
MIXED = """
from __future__ import annotations
from typing import Annotated
import typer
import foreign

def mixed(loud: Annotated[bool, typer.Option("--loud")] = False) -> None:
    print(foreign.unit(), loud)
"""
FOREIGN = """
from typing import Annotated, get_args
METRES = Annotated[int, "m"]

def unit() -> str:
    return get_args(METRES)[1]
"""
MAIN = """
import sys
from acspec.commands import run_command
from acspec.program import run_program
names = ("none", "two", "many", "some", "maybe", "number", "told", "needy", "curious")
commands = {"group": "sample_group:group", "mixed": "sample_mixed:mixed", **{name: f"sample_words:{name}" for name in names}}
code = run_program("tool", lambda: run_command("tool", "Does things.", commands, sys.argv[1:]))
print("typer" in sys.modules)
sys.exit(code)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "sample_words.py").write_text(SAMPLE)
    (tmp_path / "sample_group.py").write_text(GROUP)
    (tmp_path / "sample_mixed.py").write_text(MIXED)
    (tmp_path / "foreign.py").write_text(FOREIGN)
    return tmp_path


def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), *sys.path]), "TOLD_BY": "somebody"}
    return subprocess.run([sys.executable, "-c", MAIN, *words], capture_output=True, text=True, check=False, env=environment)


PLAIN = {
    "no words": (["none"], "none False 3"),
    "as many words as there are arguments": (["two", "a", "b"], "two a b 3"),
    "an empty word": (["two", "", "b"], "two  b 3"),
    "a dash, which is no option": (["two", "a", "-"], "two a - 3"),
    "any number of words, where none would do": (["some", "a", "-"], "some ['a', '-'] False"),
    "any number of words": (["many", "a", "-", "c"], "many ['a', '-', 'c'] False"),
}


@pytest.mark.parametrize(("words", "output"), PLAIN.values(), ids=PLAIN)
def test_typer_is_not_asked_about(words: list[str], output: str, place: Path) -> None:
    ended = run(place, *words)
    assert (ended.stdout.splitlines(), ended.stderr) == ([output, "False"], "")


ASKED = {
    "an option": (["none", "--loud"], "none True 3", 3),
    "an option in short": (["none", "-l", "4"], "none False 4", 4),
    "an option after the arguments": (["two", "a", "b", "--level=5"], "two a b 5", 0),
    "the end of options": (["many", "--", "-a"], "many ['-a'] False", 0),
    "no words where any number would do": (["some"], "some None False", 0),
    "an argument that may be left out": (["maybe"], "maybe x", 0),
    "an argument that is no text": (["number", "4"], "number 5", 0),
    "an option that the environment sets": (["told"], "told somebody", 0),
    "subcommands of a subcommand": (["group", "inner"], "inner", 0),
}


@pytest.mark.parametrize(("words", "output", "code"), ASKED.values(), ids=ASKED)
def test_typer_is_asked_about(words: list[str], output: str, code: int, place: Path) -> None:
    ended = run(place, *words)
    assert (ended.stdout.splitlines(), ended.returncode) == ([output, "True"], code)


WRONG = {
    "too few words": (["two", "a"], "tool: B: missing argument"),
    "too many words": (["two", "a", "b", "c"], "tool: c: more than the command takes"),
    "a word where none is wanted": (["none", "a"], "tool: a: more than the command takes"),
    "no word where one is wanted": (["many"], "tool: FILE: missing argument"),
    "an option that is wanted": (["needy"], "tool: --by: missing option"),
}


@pytest.mark.parametrize(("words", "why"), WRONG.values(), ids=WRONG)
def test_typer_says_what_is_wrong_with(words: list[str], why: str, place: Path) -> None:
    ended = run(place, *words)
    assert (ended.returncode, ended.stderr.partition(" (")[0].strip()) == (2, why)


def test_whoever_wants_more_of_typer_gets_it(place: Path) -> None:
    ended = run(place, "curious")
    assert (ended.returncode, ended.stdout) == (7, "True\n")


def test_whoever_else_describes_something_has_it_described(place: Path) -> None:
    ended = run(place, "mixed")
    assert (ended.stdout, ended.stderr) == ("m False\nFalse\n", "")


COMMANDS = {
    f"{tool} {name}": place
    for tool, commands in (("actool", actool.cli.COMMANDS), ("acfetch", acfetch.cli.COMMANDS), ("acrun", acrun.cli.COMMANDS))
    for name, place in commands.items()
}


@pytest.mark.parametrize("place", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("words", [[], ["a"], ["a", "b"], ["a", "-", "c"]], ids=len)
def test_a_subcommand_of_ours_gets_what_typer_would_give_it(place: str, words: list[str]) -> None:
    call = find_direct_call(place, words)
    if call is not None:
        given = inspect.signature(call.func).bind(*call.args)
        given.apply_defaults()
        assert given.arguments == _given_by_typer(call.func, words)


def _given_by_typer(function: Any, words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}

    @wraps(function)
    def note(**arguments: Any) -> None:
        found.update(arguments)

    application = typer.Typer(add_completion=False)
    application.callback()(lambda: None)
    application.command("it")(note)
    application(["it", *words], standalone_mode=False)
    return found


def test_what_is_typed_most_is_plain() -> None:
    for place, words in (("build", ["a", "b"]), ("validate", ["a"]), ("extract", ["a", "b"]), ("id", ["a"])):
        assert find_direct_call(actool.cli.COMMANDS[place], words) is not None, place
