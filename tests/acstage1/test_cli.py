"""The command line of stage1: what people ask of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "import sys; from acstage1.cli import main; sys.exit(main())"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["help", "run"], ["run", "--help"], ["stop", "-h"]])
def test_help_is_one_page(words: list[str]) -> None:
    ended = run(*words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Usage: acstage1 run ")


def test_help_behind_two_dashes_is_the_commands_own() -> None:
    ended = run("enter", "nowhere", "app", "--", "ls", "--help")
    assert (ended.returncode, ended.stdout) == (125, "")


def test_no_word_is_a_usage_error_with_the_page() -> None:
    ended = run()
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", run("--help").stdout)


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_the_version_is_printed(words: list[str]) -> None:
    assert run(*words).stdout == "acstage1 0.1.0 (App Container specification 0.8.11)\n"
