"""The command line of acrun: which subcommand it is, found before Typer is imported, and the exit code.

`acrun IMAGE…` is short for `acrun run IMAGE…`; a first word that is a subcommand is the subcommand.
"""

from __future__ import annotations

import sys

from acrun import VERSION
from acrun.arguments import has_options
from acspec import SPEC_VERSION
from acspec.program import run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import typer

COMMANDS = ("run", "list", "status", "logs", "enter", "stop", "rm", "gc")
# Of these, the ones that end with the exit code of what they run.
_RUNNERS = ("run", "enter")


def main() -> int:
    """Run acrun with the words of the command line and return its exit code.

    Source: spec/exit-codes.md.
    """
    words = sys.argv[1:]
    runs_something = not words or words[0] in _RUNNERS or words[0] not in COMMANDS
    return run_program("acrun", lambda: _main(words), own_failure=lambda: runs_something)


def _main(words: Sequence[str]) -> int:
    if list(words) in (["--version"], ["-V"]):
        print(f"acrun {VERSION} (App Container specification {SPEC_VERSION})")
        return 0
    if words and words[0] in ("--help", "-h", "help"):
        return _invoke(COMMANDS, ["--help"])
    command, rest = (words[0], words[1:]) if words and words[0] in COMMANDS else ("run", words)
    if command == "run" and not has_options(rest):
        from acrun.command_run import run_plainly

        run_plainly(rest)
        return 0
    return _invoke((command,), [command, *rest])


def _invoke(commands: Sequence[str], words: Sequence[str]) -> int:
    """Hand *words* to Typer, which knows only *commands*: each subcommand's module is imported only when it is the one."""
    import typer

    application = typer.Typer(
        name="acrun",
        help="Run App Container Images: images from arguments or standard input, each pod isolated.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        epilog="acrun IMAGE is short for acrun run IMAGE; acrun run --help shows its options. There is --version, too.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_no_options)
    for name in commands:
        _register(application, name)
    try:
        code = application(list(words), standalone_mode=False, prog_name="acrun")
    except Exception as exception:
        raise _explain(exception, commands) or exception from None
    return code if isinstance(code, int) else 0  # Typer returns the code of an interruption


def _explain(exception: Exception, commands: Sequence[str]) -> Exception | None:
    """Return a better word for a mistake in the command line of a run, or None."""
    if tuple(commands) != ("run",):
        return None
    from acrun.command_run_options import find_misplaced

    return find_misplaced(exception)


def _no_options() -> None:
    """Run App Container Images."""


def _register(application: typer.Typer, name: str) -> None:
    settings: dict[str, object] = {"allow_interspersed_args": False} if name in _RUNNERS else {}
    application.command(name, context_settings=settings, epilog=_EPILOGUES.get(name))(_command(name))


def _command(name: str) -> Callable[..., None]:
    if name == "run":
        from acrun import command_run_options

        return command_run_options.run
    if name == "gc":
        from acrun import command_gc

        return command_gc.gc
    if name == "logs":
        from acrun import command_logs

        return command_logs.logs
    if name in ("enter", "stop"):
        from acrun import command_enter

        return command_enter.enter if name == "enter" else command_enter.stop
    from acrun import command_pods

    commands: dict[str, Callable[..., None]] = {
        "list": command_pods.list_pods,
        "status": command_pods.status,
        "rm": command_pods.remove,
    }
    return commands[name]


_EPILOGUES = {
    "run": "acrun [POD OPTIONS] IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]. `acrun run IMAGE --help` shows the options of an app."
}
