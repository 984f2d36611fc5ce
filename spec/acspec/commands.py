"""The command line of a tool with subcommands: version, help and the way to each of them, alike in every tool.

The only module with Typer in this package, which is imported when a command line has options, or help is asked for. What the
subcommands do, and which options they have, is their tool's business.

Source: spec/exit-codes.md; docs/decisions, typer.
"""

from __future__ import annotations

import sys
from importlib import import_module

from acspec.direct_calls import find_direct_call
from acspec.errors import UsageError
from acspec.program import version_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_HELP = ("-h", "--help")


def run_command(
    tool: str,
    summary: str,
    commands: Mapping[str, str],
    words: Sequence[str],
    *,
    default: str | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> int:
    """Run the subcommand of *tool* that *words* begin with, and return its exit code.

    *commands* says where each is, as `module:name`: a function, or a Typer with subcommands of its own. *default* is the one that
    is meant when the first word is none; *settings* are what Typer is told of one beside its name.

    Raises: Typer's errors, UsageErrors by their shape; whatever the subcommand raises.
    Source: spec/exit-codes.md.
    """
    if list(words) in (["--version"], ["-V"]):
        print(version_line(tool))
        return 0
    if words and words[0] == "help":
        if default is not None and words[1:] and words[1] not in commands and not words[1].startswith("-"):
            raise UsageError(words[1], "no such command", f"{tool} --help shows the commands")
        words = [*words[1:], "--help"]
    if words and words[0] not in commands and words[0] not in _HELP and default is not None:
        words = [default, *words]
    if words and words[0] in commands and (call := find_direct_call(commands[words[0]], words[1:])) is not None:
        return _as_code(call())
    meant = words[:1] if words and words[0] in commands else commands
    short = f"{tool} … is short for {tool} {default} …, whose options {tool} {default} --help shows. " if default else ""
    epilogue = f"{short}{tool} --version shows the version."
    code = _invoke(tool, summary, epilogue, {name: commands[name] for name in meant}, words, settings or {})
    return code if words else UsageError.exit_code


def _invoke(
    tool: str,
    summary: str,
    epilogue: str,
    commands: Mapping[str, str],
    words: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
) -> int:
    """Hand *words* to Typer, which knows only *commands*: a subcommand's module is imported only when it is the one."""
    from contextlib import nullcontext, redirect_stdout

    import typer

    application = typer.Typer(
        name=tool,
        help=summary,
        epilog=epilogue,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": list(_HELP)},
    )
    application.callback()(lambda: None)  # without one, Typer makes a program of a single subcommand
    unfinished = not words
    for name, place in commands.items():
        module, _, attribute = place.partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            application.add_typer(command, name=name)
            unfinished = unfinished or list(words) == [name]
        else:
            application.command(name, **settings.get(name, {}))(command)
    # Help that nobody asked for must not become the input of the next program in a pipe.
    with redirect_stdout(sys.stderr) if unfinished else nullcontext():
        return _as_code(application(list(words) or ["--help"], standalone_mode=False, prog_name=tool))


def _as_code(returned: object) -> int:
    return returned if isinstance(returned, int) else 0  # commands that return nothing; Typer's own is 130 for Ctrl-C
