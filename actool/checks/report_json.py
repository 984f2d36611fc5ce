"""Reports as one JSON document for programs, a file a line, written while the files are read. All of it is printable ASCII.

Source: docs/validation.md; RFC 8259.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from acspec import VERSION
from actool.checks.reports import Diagnostic, Report, Tally, show, show_name

FORMAT_VERSION = 1

_VERDICTS = {0: "good", 1: "fault"}


def render(reports: Iterable[Report], tally: Tally) -> Iterator[str]:
    """Return *reports* as pieces of one JSON document; *tally* has the exit code when all are through.

    Source: docs/validation.md, JSON.
    """
    yield f'{{"version": {FORMAT_VERSION}, "tool": {json.dumps({"name": "actool", "version": VERSION})}, "files": ['
    for number, report in enumerate(reports):
        yield f"{',' if number else ''}\n{json.dumps(_report(report))}"
    yield f'\n], "exitCode": {tally.exit_code}}}\n'


def _report(report: Report) -> dict[str, object]:
    value: dict[str, object] = {
        "file": show_name(report.file),
        "verdict": "unreadable" if report.failure else _VERDICTS[report.exit_code],
        "kind": report.kind,
        "imageID": report.image_id,
        "entries": report.entries,
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in report.diagnostics],
    }
    return {key: item for key, item in value.items() if item or key == "diagnostics"}


def _diagnostic(diagnostic: Diagnostic) -> dict[str, object]:
    value: dict[str, object] = {
        "severity": diagnostic.severity,
        "rule": diagnostic.rule,
        "entry": show_name(diagnostic.entry),
        "place": show(diagnostic.place),
        "line": diagnostic.line,
        "column": diagnostic.column,
        "message": show(diagnostic.message),
        "hint": show(diagnostic.hint or ""),
    }
    return {key: item for key, item in value.items() if item}
