"""Reports as one SARIF 2.1.0 log, which code scanning services read, written while the files are read. All of it is ASCII.

Source: docs/validation.md; OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from urllib.parse import quote

from acspec import VERSION
from actool.checks.report_text import format_place
from actool.checks.reports import STANDARD_INPUT, Diagnostic, Report, Tally, show
from actool.checks.rules import RULES, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_DONE = (0, 1)
_FINGERPRINT = "primaryLocationLineHash"  # the one that GitHub goes by; it cannot make one of an archive


def render(reports: Iterable[Report], tally: Tally) -> Iterator[str]:
    """Return *reports* as pieces of one SARIF log with one run; *tally* has the exit code when all are through.

    Source: docs/validation.md, SARIF.
    """
    rules = [_rule(rule) for rule in RULES]
    driver = {"name": "actool", "version": VERSION, "semanticVersion": VERSION, "rules": rules}
    yield f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{"tool": {json.dumps({"driver": driver})},\n'
    yield '"columnKind": "unicodeCodePoints", "results": ['
    numbers = {rule.id: number for number, rule in enumerate(RULES)}
    separator = "\n"
    for report in reports:
        seen: Counter[str] = Counter()
        for diagnostic in report.diagnostics:
            seen[place := _fingerprint(diagnostic)] += 1
            result = _result(report, diagnostic, numbers[diagnostic.rule], f"{place}:{seen[place]}")
            yield separator + json.dumps(result)
            separator = ",\n"
    code = tally.exit_code
    invocation = {"executionSuccessful": code in _DONE, "exitCode": code}
    yield f'\n], "invocations": [{json.dumps(invocation)}]}}]}}\n'


def _rule(rule: Rule) -> dict[str, object]:
    text = {"text": rule.summary}
    todo = f"{rule.remedy[:1].upper()}{rule.remedy[1:]}." if rule.remedy else rule.summary
    return {
        "id": rule.id,
        "shortDescription": text,
        "fullDescription": text,
        "help": {"text": todo.replace("`", ""), "markdown": todo},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(report: Report, diagnostic: Diagnostic, number: int, fingerprint: str) -> dict[str, object]:
    where = format_place(report, diagnostic)
    message = show(f"{where}: {diagnostic.text}" if where else diagnostic.text)
    return {
        "ruleId": diagnostic.rule,
        "ruleIndex": number,
        "level": diagnostic.severity,
        "message": {"text": message},
        "locations": [_location(report, diagnostic)],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }


def _fingerprint(diagnostic: Diagnostic) -> str:
    """Return what makes the *diagnostic* the same one in the next build: the rule and the place, not the words and not the line."""
    parts = (diagnostic.rule, diagnostic.entry, diagnostic.place)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _location(report: Report, diagnostic: Diagnostic) -> dict[str, object]:
    path, line, column = report.locate(diagnostic)
    physical: dict[str, object] = {"artifactLocation": {"uri": "stdin" if report.file == STANDARD_INPUT else make_uri(path)}}
    # Of an archive there are no lines; but services show nothing without one.
    physical["region"] = {"startLine": line, "startColumn": column} if line else {"startLine": 1}
    location: dict[str, object] = {"physicalLocation": physical}
    name = show(": ".join(part for part in (diagnostic.entry, diagnostic.place) if part))
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "value" if diagnostic.place else "resource"}]
    return location


def make_uri(path: str) -> str:
    """Return *path* as a URI: relative as it is, or `file:///…`.

    Source: RFC 3986; RFC 8089.
    """
    text = quote(os.fsencode(path))
    return f"file://{text}" if text.startswith("/") else text
