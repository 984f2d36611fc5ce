"""The command line of acfetch: its subcommands, and the exit code.

`acfetch REF…` is short for `acfetch fetch REF…`; a first word that is a subcommand is the subcommand.
"""

from __future__ import annotations

import sys

from acspec.commands import run_command
from acspec.program import run_program

COMMANDS = {
    "fetch": "acfetch.command_fetch:fetch",
    "trust": "acfetch.command_trust:trust",
    "images": "acfetch.command_images:images",
}
_SUMMARY = "Discover, download and verify App Container Images into the store."


def main() -> int:
    """Run acfetch with the words of the command line and return its exit code. Source: spec/exit-codes.md."""
    return run_program("acfetch", lambda: run_command("acfetch", _SUMMARY, COMMANDS, sys.argv[1:], default="fetch"))
