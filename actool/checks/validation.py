"""The sequence over all files of one command line: each validated, each reported, and one exit code in the end.

What a file is and what is wrong with it, `validate` knows; how that looks, the modules `report_…`.

Source: spec/exit-codes.md; docs/validation.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Literal

from acspec.durable import NewFile, umasked
from acspec.errors import FormatError, ToolError, UsageError
from acspec.program import os_error
from acspec.values import Value
from actool.checks.report_text import describe, format_lines
from actool.checks.reports import STANDARD_INPUT, Report, Tally, archive_fault, failed, show, show_name
from actool.checks.validate import validate
from actool.passphrase import Passphrase

ReportFormat = Literal["text", "json", "junit", "sarif", "github"]


class ValidationRequest(Value):
    """What `actool validate` was asked for; without *output*, a report goes to standard output, and text to people.

    What the rules *ignored* find is left out.
    """

    files: tuple[str, ...]
    format: ReportFormat = "text"
    output: str | None = None
    strict: bool = False
    quiet: bool = False
    verbose: bool = False
    passphrase: Passphrase | None = None
    ignored: frozenset[str] = frozenset()


def run_validation(request: ValidationRequest, write: Callable[[bytes], object], tell: Callable[[str], object]) -> int:
    """Validate the files of *request* and return the exit code.

    A report goes to *write*, unless it has a file of its own, which then appears whole or not at all. Text goes to *tell*, a
    line each, and what good files are to *write*.

    Raises: UsageError; OutputError; StorageError; OSError.
    Source: spec/exit-codes.md.
    """
    tally = Tally()
    reports = _make_reports(request, tally)
    if request.output not in (None, STANDARD_INPUT):
        _write_file(request, _render(request, reports, tally), str(request.output))
    elif request.format == "text":
        for report in reports:
            for line in format_lines(report, verbose=request.verbose):
                tell(line)
            if request.verbose and not report.exit_code:
                write(_describe(report).encode())
    else:
        for piece in _render(request, reports, tally):
            write(piece.encode())
    return tally.exit_code


def parse_ignored(words: Sequence[str] | None) -> frozenset[str]:
    """Return the rules that *words* name, each of them one or more with commas between. Raises: UsageError.

    Source: docs/validation.md, Rules.
    """
    if not words:
        return frozenset()
    from actool.checks import rules  # as many rules as there are take time to make

    return rules.parse_ignored(words)


def _make_reports(request: ValidationRequest, tally: Tally) -> Iterator[Report]:
    """Return a report on each file when it has been read, as strict and as quiet as it was asked for."""
    for file in request.files:
        report = _validate_one(file, request).without(request.ignored)
        if request.strict:
            report = report.made_strict()
        elif request.quiet:
            report = report.made_quiet()
        tally.add(report)
        yield report


def _validate_one(file: str, request: ValidationRequest) -> Report:
    """Return the report on one file, also when it cannot be read. Raises: nothing of the file's own."""
    try:
        return validate(file, request.passphrase, positions=request.format != "text")
    except FormatError as error:
        return Report(file, None, (archive_fault(error, file, "archive"),))
    except ToolError as error:
        return failed(file, error)
    except OSError as error:
        return failed(file, os_error(error))


def _render(request: ValidationRequest, reports: Iterable[Report], tally: Tally) -> Iterator[str]:
    """Return *reports* in the format of *request*, piece by piece."""
    if request.format == "text":
        return _render_text(reports, verbose=request.verbose)
    pieces: Iterator[str] = import_module(f"actool.checks.report_{request.format}").render(reports, tally)
    return pieces


def _render_text(reports: Iterable[Report], *, verbose: bool) -> Iterator[str]:
    for report in reports:
        yield from (show(line) + "\n" for line in format_lines(report, verbose=verbose))
        if verbose and not report.exit_code:
            yield _describe(report)


def _describe(report: Report) -> str:
    return f"{show_name(report.file)}: {describe(report)}\n"


def _write_file(request: ValidationRequest, pieces: Iterable[str], output: str) -> None:
    for file in request.files:
        if file != STANDARD_INPUT and (_is_same(file, output) or _is_same(file, os.path.dirname(output) or ".")):
            raise UsageError(f"--output {output}", "is one of the files to be validated, or in one of the layouts")
    if os.path.exists(output) and not os.path.isfile(output):
        raise UsageError(f"--output {output}", "is there, and not a regular file", "without --output it goes to stdout")
    with NewFile(output, mode=umasked(0o666)) as new:
        for piece in pieces:
            new.write(piece.encode())
        new.commit(overwrite=True)


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except (OSError, ValueError):
        return False
