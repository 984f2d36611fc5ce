"""The command line of acfetch: which subcommand it is, found before Typer is imported, and the exit code.

`acfetch REF…` is short for `acfetch fetch REF…`; a first word that is a subcommand is the subcommand.
"""

from __future__ import annotations

import sys

from acfetch import VERSION
from acspec import SPEC_VERSION
from acspec.program import run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

COMMANDS = ("fetch", "trust", "images")


def main() -> int:
    """Run acfetch with the words of the command line and return its exit code. Source: spec/exit-codes.md."""
    words = sys.argv[1:]
    return run_program("acfetch", lambda: _main(words))


def _main(words: Sequence[str]) -> int:
    if list(words) in (["--version"], ["-V"]):
        print(f"acfetch {VERSION} (App Container specification {SPEC_VERSION})")
        return 0
    if not words or words[0] in ("--help", "-h", "help"):
        _invoke(COMMANDS, ["--help"])
        return 0 if words else 2
    if words[0] in COMMANDS:
        return _invoke((words[0],), words)
    return _invoke(("fetch",), ["fetch", *words])


def _invoke(commands: Sequence[str], words: Sequence[str]) -> int:
    """Hand *words* to Typer, which knows only *commands*: each subcommand's module is imported only when it is the one.

    Return the exit code: Typer's own (130 for Ctrl-C), or 0, since the commands return nothing.
    """
    import typer

    application = typer.Typer(
        name="acfetch",
        help="Discover, download and verify App Container Images into the store.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        epilog="acfetch NAME is short for acfetch fetch NAME; acfetch fetch --help shows its options. There is --version, too.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_no_options)
    for name in commands:
        _register(application, name)
    code = application(list(words), standalone_mode=False, prog_name="acfetch")
    return code if isinstance(code, int) else 0


def _no_options() -> None:
    """Discover, download and verify App Container Images."""


def _register(application: typer.Typer, name: str) -> None:
    if name == "fetch":
        from acfetch.command_fetch import fetch

        application.command("fetch")(fetch)
    elif name == "images":
        from acfetch.command_images import images

        application.command("images")(images)
    else:
        from acfetch.command_trust import trust

        application.add_typer(trust, name="trust")
