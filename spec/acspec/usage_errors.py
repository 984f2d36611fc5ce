"""Typer's errors as UsageErrors of this suite: what, why, and what to do.

Source: spec/exit-codes.md.
"""

from __future__ import annotations

import re

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ALIKE = 0.6
_HELP = "--help shows the {}s"

# Typer's sentences, and the why that stands for each; `{…}` is a group of the pattern. Those it may learn later pass as they are.
_SENTENCES = (
    (r"Missing (?P<kind>argument|option|parameter) '(?P<what>.+)'", "missing {kind}"),
    (r"No such (?P<kind>option): (?P<what>.+?)(?: \((?:Possible options:|Did you mean) (?P<near>.+)\))?", "no such {kind}"),
    (r"No such (?P<kind>command) '(?P<what>.+?)'(?:\. Did you mean (?P<near>.+)\?)?", "no such {kind}"),
    (r"Invalid value for '(?P<what>.+?)'(?: / '.+?')*: (?P<kind>.+)", "{kind}"),
    (r"Option '(?P<what>.+)' (?P<kind>requires an argument|does not take a value)", "{kind}"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<what>.+)\)(?P<kind>)", "more than the command takes"),
)


def explain_usage(sentence: str) -> UsageError:
    """Return the UsageError for a *sentence* of Typer's about the command line.

    Source: spec/exit-codes.md.
    """
    text = sentence.rstrip(".")
    for pattern, why in _SENTENCES:
        if found := re.fullmatch(pattern, text, re.DOTALL):
            parts = found.groupdict()
            near = " or ".join(_find_near(parts["what"], (parts.get("near") or "").replace("'", "").split(", ")))
            kind = parts["kind"]
            return UsageError(parts["what"], why.format(kind=kind), f"did you mean {near}?" if near else _format_help(kind))
    return UsageError("", text[:1].lower() + text[1:], _format_help(""))


def _format_help(kind: str) -> str:
    return _HELP.format("command" if kind == "command" else "option")


def _find_near(typed: str, offered: Sequence[str]) -> list[str]:
    """Return what is like *typed* among what is *offered*, which may have no more in common with it than its dashes."""
    from difflib import SequenceMatcher

    wanted = typed.strip("-")
    return [word for word in offered if SequenceMatcher(None, wanted, word.strip("-")).ratio() >= _ALIKE]
