"""The command line of acrun: its subcommands, and the exit code.

`acrun IMAGE…` is short for `acrun run IMAGE…`; a first word that is a subcommand is the subcommand. A run without options takes no
option parser, nor does one that is noted.
"""

from __future__ import annotations

import sys

from acspec.program import run_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "run": "acrun.command_run_options:run",
    "prepare": "acrun.command_prepare:prepare",
    "run-prepared": "acrun.command_prepare:run_prepared",
    "list": "acrun.command_pods:list_pods",
    "status": "acrun.command_status:status",
    "cat-manifest": "acrun.command_status:cat_manifest",
    "logs": "acrun.command_logs:logs",
    "top": "acrun.command_stats:stats",
    "stats": "acrun.command_stats:stats",
    "cp": "acrun.command_cp:cp",
    "export": "acrun.command_export:export",
    "enter": "acrun.command_enter:enter",
    "stop": "acrun.command_enter:stop",
    "rm": "acrun.command_pods:remove",
    "gc": "acrun.command_gc:gc",
}
# Beside `run`: they end with the exit code of what they run.
_RUN_AN_APP = ("run-prepared", "enter")
_EXIT_CODE = "--exit-code"
_SUMMARY = "Run App Container Images: images from arguments or standard input, each pod isolated."
# What comes behind an image or a pod is not acrun's.
_REST_IS_OTHERS = {"allow_interspersed_args": False}
_RUN_EPILOGUE = (
    "acrun [POD OPTIONS] IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]. `acrun run IMAGE --help` shows the options of an app."
)
_SETTINGS: dict[str, dict[str, object]] = {
    "prepare": {"context_settings": _REST_IS_OTHERS},
    "enter": {"context_settings": _REST_IS_OTHERS},
}


def main() -> int:
    """Run acrun with the words of the command line and return its exit code.

    Source: spec/exit-codes.md.
    """
    words = sys.argv[1:]
    return run_program("acrun", lambda: _main(words), own_failure=lambda: _ends_as_an_app(words))


def _is_run(words: Sequence[str]) -> bool:
    return not words or words[0] == "run" or words[0] not in (*COMMANDS, "help")


def _ends_as_an_app(words: Sequence[str]) -> bool:
    """Tell whether the exit code may be an app's, so that every failure of ours has to be 125."""
    return _is_run(words) or words[0] in _RUN_AN_APP or (words[0] == "status" and _EXIT_CODE in words)


def _main(words: Sequence[str]) -> int:
    try:
        return _run_command(words)
    except Exception as exception:
        raise _find_misplaced(exception, words) or exception from None


def _run_command(words: Sequence[str]) -> int:
    rest = words[1:] if words[:1] == ["run"] else words
    if _is_run(words):
        from acrun.command_run import run_without_parser

        code = run_without_parser(rest)
        if code is not None:
            return code
    from acspec.commands import run_command

    # What Typer hands on as the context's object: the words themselves, under which a run is noted.
    of_run = {"context_settings": {**_REST_IS_OTHERS, "obj": rest}, "epilog": _RUN_EPILOGUE}
    return run_command("acrun", _SUMMARY, COMMANDS, words, default="run", settings={**_SETTINGS, "run": of_run})


def _find_misplaced(exception: Exception, words: Sequence[str]) -> Exception | None:
    """Return what to say of an option or a command that stands where it does not belong, when that is what is wrong."""
    from acrun.hints import advise, advise_on_option

    if words[:1] == ["prepare"]:
        from acrun.command_prepare import find_early
        from acrun.command_run_options import find_misplaced

        return find_early(exception) or advise_on_option(exception) or find_misplaced(exception)
    if not _is_run(words):
        return advise_on_option(exception, words[0])
    if advice := advise(exception, words, COMMANDS) or advise_on_option(exception):
        return advice
    if not hasattr(exception, "option_name"):
        return None
    from acrun.command_run_options import find_misplaced

    return find_misplaced(exception)
