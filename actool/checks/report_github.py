"""Reports as workflow commands, which GitHub Actions shows beside the file in question.

Source: docs/validation.md; GitHub's documentation, Workflow commands, Setting an error message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actool.checks.report_text import format_place
from actool.checks.reports import STANDARD_INPUT, Diagnostic, Report, Tally, show, show_name

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(reports: Iterable[Report], _: Tally) -> Iterator[str]:
    """Return a command for each diagnostic of *reports*, a line each.

    Source: docs/validation.md, GitHub.
    """
    for report in reports:
        for diagnostic in report.diagnostics:
            yield _command(report, diagnostic)


def _command(report: Report, diagnostic: Diagnostic) -> str:
    properties = {"title": f"{diagnostic.rule} (actool validate)"}
    if report.file != STANDARD_INPUT:
        path, line, column = report.locate(diagnostic)
        properties = {"file": show_name(path), **({"line": str(line), "col": str(column)} if line else {}), **properties}
    words = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    where = format_place(report, diagnostic)
    message = show(f"{where}: {diagnostic.text}" if where else diagnostic.text)
    return f"::{diagnostic.severity} {words}::{message.translate(_DATA)}\n"
