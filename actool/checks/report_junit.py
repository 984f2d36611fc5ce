"""Reports as JUnit's XML, which CI servers read: a suite with one test for each file.

Servers look at the first failure of a test only, so that all errors of a file stand in one. Warnings are what the test wrote.

Source: docs/validation.md; XML 1.0, Characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actool.checks.report_text import format_diagnostic
from actool.checks.reports import Diagnostic, Report, Severity, Tally, show, show_name

_SPECIAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def render(reports: Iterable[Report], _: Tally) -> Iterator[str]:
    """Return *reports* as pieces of one XML document.

    Source: docs/validation.md, JUnit.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="actool validate">\n'
    for report in reports:
        yield _suite(report)
    yield "</testsuites>\n"


def _suite(report: Report) -> str:
    name = _escape(show_name(report.name))
    errors = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is Severity.ERROR]
    warnings = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is Severity.WARNING]
    parts = []
    if errors:
        element = "error" if report.failure else "failure"
        first = f'message="{_escape(show(errors[0].text))}" type="{errors[0].rule}"'
        parts.append(f"      <{element} {first}>{_lines(report, errors)}</{element}>\n")
    if warnings:
        parts.append(f"      <system-out>{_lines(report, warnings)}</system-out>\n")
    counts = f'tests="1" failures="{int(report.exit_code == 1)}" errors="{int(report.failure > 0)}"'
    kind = report.kind.value if report.kind is not None else "file"
    body = "".join(parts)
    case = f'    <testcase classname="actool.{kind}" name="{name}"' + (f">\n{body}    </testcase>\n" if body else "/>\n")
    return f'  <testsuite name="{name}" {counts}>\n{case}  </testsuite>\n'


def _lines(report: Report, diagnostics: Iterable[Diagnostic]) -> str:
    return _escape("\n".join(show(format_diagnostic(report, diagnostic)) for diagnostic in diagnostics))


def _escape(text: str) -> str:
    return text.translate(_SPECIAL)
