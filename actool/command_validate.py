"""`actool validate`: one line for each fault of a manifest, one for any other file at fault, none for good ones unless asked."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.errors import FormatError, MissingInputError, ToolError
from acspec.program import os_error, tell
from actool.validate import get_faults, validate

_AT_FAULT = 1


def validate_command(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Images, layout directories, manifests, or - for stdin.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what each good file is.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave warnings out.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count a warning as a fault.")] = False,
) -> int:
    """Check images, layout directories and manifests, told apart by their content; exit 1 when one is at fault."""
    codes = {_validate_one(file, verbose, quiet, strict) for file in files}
    return next((code for code in (MissingInputError.exit_code, *sorted(codes - {0, 1}), 1) if code in codes), 0)


def _validate_one(file: str, verbose: bool, quiet: bool, strict: bool) -> int:
    """Check one file, print what is to be said of it, and return its part of the exit code."""
    try:
        finding = validate(file)
    except FormatError as error:
        for fault in get_faults(error):
            tell("actool", str(fault))
        return _AT_FAULT
    except ToolError as error:
        tell("actool", str(error))
        return error.exit_code
    except OSError as error:
        mapped = os_error(error)
        tell("actool", str(mapped))
        return mapped.exit_code
    for warning in finding.warnings:
        if strict or not quiet:
            tell("actool", f"{file}: {warning}" if strict else f"{file}: warning: {warning}")
    if verbose:
        print(f"{file}: {finding.kind}")
    return _AT_FAULT if strict and finding.warnings else 0
