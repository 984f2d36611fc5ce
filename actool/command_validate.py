"""`actool validate`: options in, one call, the exit code out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acspec.program import tell
from actool.checks.file_lists import read_file_names
from actool.checks.validation import ReportFormat, ValidationRequest, parse_ignored, run_validation
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile


def validate_command(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="Images, layout directories, manifests, or - for stdin.")
    ] = None,
    files_from: Annotated[
        str | None,
        typer.Option("--files-from", metavar="LIST", help="Validate the files in LIST (- for stdin), a path a line, too."),
    ] = None,
    format_: Annotated[ReportFormat, typer.Option("--format", help="How to report: to people, or to which programs.")] = "text",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE, whole or not at all.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what each good file is, and name the rules.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave warnings out.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count a warning as a fault.")] = False,
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULE,…", help="Leave out what these rules warn of.")] = None,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Check images, layout directories and manifests. They are told apart by their content; exit 1 when one is at fault."""
    passphrase = Passphrase(passphrase_fd, passphrase_file)
    names = read_file_names(files or (), files_from)
    ignored = parse_ignored(ignore)
    request = ValidationRequest(names, format_, output, strict, quiet, verbose, passphrase, ignored)
    return run_validation(request, sys.stdout.buffer.write, lambda line: tell("actool", line))
