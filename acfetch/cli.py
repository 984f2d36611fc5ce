"""The command line of acfetch: its subcommands, and the exit code.

`acfetch REF…` is short for `acfetch fetch REF…`, `acfetch images` for `acfetch images list`; a first word that is a subcommand is
the subcommand.
"""

from __future__ import annotations

import sys

from acspec.commands import run_command
from acspec.program import run_program

COMMANDS = {
    "fetch": "acfetch.command_fetch:fetch",
    "discover": "acfetch.command_discover:discover",
    "trust": "acfetch.command_trust:trust",
    "images": "acfetch.command_images:images",
    "gc": "acfetch.command_gc:gc",
    "config": "acfetch.command_config:config",
}
_SUMMARY = "Discover, download and verify App Container Images into the store."


def main() -> int:
    """Run acfetch with the words of the command line and return its exit code. Source: spec/exit-codes.md."""
    words = _complete(sys.argv[1:])
    return run_program("acfetch", lambda: _main(words))


def _main(words: list[str]) -> int:
    try:
        return run_command("acfetch", _SUMMARY, COMMANDS, words, default="fetch")
    except Exception as exception:
        from acfetch.hints import advise

        raise advise(exception, words, COMMANDS) or exception from None


def _complete(words: list[str]) -> list[str]:
    """Return *words* with `list` behind `images`, where no other subcommand of it is meant."""
    rest = words[1:2]
    if words[:1] != ["images"] or rest in (["--help"], ["-h"]) or not all(word.startswith("-") for word in rest):
        return words
    return ["images", "list", *words[1:]]
