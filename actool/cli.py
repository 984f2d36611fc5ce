"""The command line of actool: which subcommand it is, found before Typer is imported, and the exit code."""

from __future__ import annotations

import sys
from importlib import import_module

from acspec import SPEC_VERSION
from acspec.program import Unwinding, run_program
from actool import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import typer

# Each subcommand with the module that holds it; the function is named after it: `cat_manifest_command`.
COMMANDS = {
    "build": "actool.command_build",
    "validate": "actool.command_validate",
    "cat-manifest": "actool.command_read",
    "id": "actool.command_read",
    "extract": "actool.command_extract",
}


def main() -> int:
    """Run actool with the words of the command line and return its exit code.

    Source: spec/exit-codes.md.
    """
    return run_program("actool", lambda: _main(sys.argv[1:]))


def _main(words: Sequence[str]) -> int:
    if list(words) in (["--version"], ["-V"]):
        print(f"actool {VERSION} (App Container specification {SPEC_VERSION})")
        return 0
    if words and words[0] == "help":
        words = [*words[1:], "--help"]
    if words and words[0] in COMMANDS:
        return _invoke(words[:1], words)
    return _invoke(COMMANDS, words or ["--help"])


def _invoke(commands: Iterable[str], words: Sequence[str]) -> int:
    """Hand *words* to Typer, which knows only *commands*: a subcommand's module is imported only when it is the one."""
    import typer

    application = typer.Typer(
        name="actool",
        help="Build, validate, inspect and unpack App Container Images.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_no_options)
    for name in commands:
        _register(application, name)
    with Unwinding():
        code = application(list(words), standalone_mode=False, prog_name="actool")
    return code if isinstance(code, int) else 0


def _no_options() -> None:
    """Build, validate, inspect and unpack App Container Images."""


def _register(application: typer.Typer, name: str) -> None:
    function = getattr(import_module(COMMANDS[name]), name.replace("-", "_") + "_command")
    application.command(name)(function)
