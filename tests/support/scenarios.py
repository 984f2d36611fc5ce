"""Scenarios: what a person types into a shell, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.desk import Desk


@dataclass(frozen=True)
class Scenario:
    """A line of shell, and what it ends with: standard output, exit code, and words of standard error (none: it must be empty)."""

    line: str
    out: str
    code: int = 0
    said: str = ""


def play(shelf: Desk, scenario: Scenario) -> None:
    """Type a scenario and compare."""
    ended = shelf.shell(scenario.line)
    assert (ended.stdout, ended.code) == (scenario.out, scenario.code), ended.stderr
    assert scenario.said in ended.stderr, ended.stderr
    assert scenario.said or ended.stderr == "", ended.stderr
