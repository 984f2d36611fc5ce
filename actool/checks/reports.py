"""What is said of a file that was validated, as values: a report, and in it a diagnostic for all that is wrong or odd.

How a report looks to a person or to a program is the business of the modules `report_…`.

Source: docs/validation.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum

from acspec import limits
from acspec.errors import EntryError, FormatError, MissingInputError, ToolError
from acspec.escape import escape
from acspec.values import Value, replace

STANDARD_INPUT = "-"
MAX_WARNINGS = 100

_AT_FAULT = 1
_LINE = 2000


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


class FileKind(StrEnum):
    """What a file is, by its content."""

    IMAGE = "image"
    LAYOUT = "layout"
    IMAGE_MANIFEST = "image-manifest"
    POD_MANIFEST = "pod-manifest"


class Diagnostic(Value):
    """One thing that is wrong or odd: the rule that finds it, what it says, and where.

    *entry* is a name in the archive or layout, `manifest` for what is in an image's manifest; *place* the path inside a manifest,
    `app.exec[0]`. Line and column count from 1 and are 0 where they are not known.
    """

    rule: str
    severity: Severity
    message: str
    entry: str = ""
    place: str = ""
    hint: str | None = None
    line: int = 0
    column: int = 0

    @property
    def text(self) -> str:
        """The message and the hint."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Report(Value):
    """All that is said of one file; *failure* is the exit code of what kept it from being read, 0 for nothing."""

    file: str
    kind: FileKind | None
    diagnostics: tuple[Diagnostic, ...] = ()
    image_id: str = ""
    entries: int = 0
    failure: int = 0

    @property
    def name(self) -> str:
        """The file as people are told of it."""
        return {STANDARD_INPUT: "standard input", "": '""'}.get(self.file, self.file)

    def locate(self, diagnostic: Diagnostic) -> tuple[str, int, int]:
        """Return the file on the disk that a *diagnostic* is about, with line and column there, 0 where there are none."""
        if self.kind is FileKind.IMAGE:
            return os.path.normpath(self.file), 0, 0
        path = os.path.join(self.file, diagnostic.entry) if diagnostic.entry else self.file
        return os.path.normpath(path) if path else self.name, diagnostic.line, diagnostic.column

    @property
    def exit_code(self) -> int:
        """What this file alone makes of the exit code."""
        at_fault = any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)
        return self.failure or (_AT_FAULT if at_fault else 0)

    def made_strict(self) -> Report:
        """Return the report with errors in place of warnings."""
        return replace(self, diagnostics=tuple(replace(diagnostic, severity=Severity.ERROR) for diagnostic in self.diagnostics))

    def without(self, rules: frozenset[str]) -> Report:
        """Return the report without what *rules* find."""
        return replace(self, diagnostics=tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.rule not in rules))

    def made_quiet(self) -> Report:
        """Return the report without warnings."""
        errors = (diagnostic for diagnostic in self.diagnostics if diagnostic.severity is Severity.ERROR)
        return replace(self, diagnostics=tuple(errors))


class Tally:
    """The exit code of several files, one report after another."""

    def __init__(self) -> None:
        self._codes: set[int] = set()

    def add(self, report: Report) -> None:
        """Take in what *report* says."""
        self._codes.add(report.exit_code)

    @property
    def exit_code(self) -> int:
        """66 when a file was not there, else the code of what else kept one from being read, else 1 for a fault, else 0.

        Source: spec/exit-codes.md.
        """
        order = (MissingInputError.exit_code, *sorted(self._codes - {0, _AT_FAULT}), _AT_FAULT)
        return next((code for code in order if code in self._codes), 0)


def show(text: str) -> str:
    """Return *text*, which may hold anything, as one printable line that every format of reports can take."""
    return escape(text, _LINE)


def show_name(name: str) -> str:
    """Return the *name* of a file or an entry, which may hold anything, as printable text, whole."""
    return escape(name, limits.NAME_BYTES)


def warning(rule: str, message: str, *, entry: str | bytes = "", place: str = "", hint: str | None = None) -> Diagnostic:
    """Return what is odd without being wrong."""
    name = entry.decode("utf-8", "surrogateescape") if isinstance(entry, bytes) else entry
    return Diagnostic(rule, Severity.WARNING, message, name, place, hint)


def limited(warnings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the first hundred of *warnings*, and one that says how many more there are."""
    found = tuple(warnings)
    rest = len(found) - MAX_WARNINGS
    return (*found[:MAX_WARNINGS], warning("more-warnings", f"and {rest:,} more")) if rest > 0 else found


def failed(file: str, error: ToolError) -> Report:
    """Return the report on a file that could not be read, for the reason that *error* says."""
    report = Report(file, None, failure=error.exit_code)
    line = str(error).removeprefix(f"{report.name}: ")
    entry, within = error.what.removeprefix(f"{file}/"), error.what.startswith(f"{file}/")
    fault = Diagnostic("input", Severity.ERROR, error.why if within else line, entry if within else "")
    return replace(report, diagnostics=(fault,))


def archive_fault(error: FormatError, name: str, rule: str) -> Diagnostic:
    """Return what is wrong with the archive or layout *name*, by *rule*, at the entry that it is about."""
    if isinstance(error, EntryError):
        return Diagnostic(rule, Severity.ERROR, error.fault, error.entry, hint=error.hint)
    return Diagnostic(rule, Severity.ERROR, error.why, error.what.removeprefix(name).lstrip(":/ "), hint=error.hint)
