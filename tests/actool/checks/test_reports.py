"""Reports in every format: what they say, and that nothing in a file can break out of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import EntryError, FormatError, MissingInputError, StorageError
from acspec.values import replace
from actool.checks import report_github, report_json, report_junit, report_sarif
from actool.checks.report_text import describe, format_lines
from actool.checks.reports import Diagnostic, FileKind, Report, Severity, Tally, archive_fault, failed, limited, warning
from actool.checks.rules import RULES
from actool.checks.validate import validate
from tests.support import images

ID = "sha512-" + "0" * 128
FAULT = Diagnostic("manifest-schema", Severity.ERROR, "is required", "manifest", "app.group", "add it", 3, 7)
ODD = warning("setuid-file", "is setuid or setgid", entry=b"rootfs/bin/su")
REPORTS = (
    Report("good.aci", FileKind.IMAGE, (), ID, 3),
    Report("./bad, 100%: x", FileKind.LAYOUT, (FAULT, ODD)),
    Report("odd.aci", FileKind.IMAGE, (ODD,), ID, 3),
    Report("pod.json", FileKind.POD_MANIFEST, (Diagnostic("manifest-json", Severity.ERROR, "not JSON", line=2, column=1),)),
    failed("gone.aci", MissingInputError("gone.aci", "no such file")),
)


def render(module: Any, reports: Iterable[Report] = REPORTS) -> str:
    """Return *reports* in the format of *module*, each counted when it has been asked for."""
    tally = Tally()

    def counted() -> Iterable[Report]:
        for report in reports:
            tally.add(report)
            yield report

    return "".join(module.render(counted(), tally))


def test_text_is_a_line_for_each_finding() -> None:
    assert [line for report in REPORTS for line in format_lines(report)] == [
        "./bad, 100%: x: manifest: app.group: is required (add it)",
        './bad, 100%: x: warning: "rootfs/bin/su": is setuid or setgid',
        'odd.aci: warning: entry "rootfs/bin/su": is setuid or setgid',
        "pod.json:2:1: not JSON",
        "gone.aci: no such file",
    ]


def test_verbose_text_names_the_rules_that_can_be_ignored() -> None:
    lines = [line for report in REPORTS[:3] for line in format_lines(report, verbose=True)]
    assert lines[-1] == 'odd.aci: warning: entry "rootfs/bin/su": is setuid or setgid [setuid-file]'


def test_a_good_file_is_described_in_a_few_words() -> None:
    kinds = {kind: describe(Report("x", kind, (), ID, 1234)) for kind in FileKind}
    assert list(kinds.values()) == [f"image, {ID}", "image layout, 1,234 entries", "image manifest", "pod manifest"]


def test_json_says_it_all() -> None:
    value = json.loads(render(report_json))
    assert (value["version"], value["tool"]["name"], value["exitCode"]) == (1, "actool", 66)
    assert [file["verdict"] for file in value["files"]] == ["good", "fault", "good", "fault", "unreadable"]
    assert value["files"][0] == {
        "file": "good.aci",
        "verdict": "good",
        "kind": "image",
        "imageID": ID,
        "entries": 3,
        "diagnostics": [],
    }
    assert value["files"][1]["diagnostics"] == [
        {
            "severity": "error",
            "rule": "manifest-schema",
            "entry": "manifest",
            "place": "app.group",
            "line": 3,
            "column": 7,
            "message": "is required",
            "hint": "add it",
        },
        {"severity": "warning", "rule": "setuid-file", "entry": "rootfs/bin/su", "message": "is setuid or setgid"},
    ]


def test_no_file_is_a_document_all_the_same() -> None:
    assert json.loads(render(report_json, []))["files"] == []
    assert json.loads(render(report_sarif, []))["runs"][0]["results"] == []
    assert len(ElementTree.fromstring(render(report_junit, []))) == 0
    assert render(report_github, []) == ""


def test_junit_has_a_test_for_each_file() -> None:
    root = ElementTree.fromstring(render(report_junit))
    assert root.tag == "testsuites"
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == [report.file for report in REPORTS]
    counts = [(suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in suites]
    assert counts == [("1", "0", "0"), ("1", "1", "0"), ("1", "0", "0"), ("1", "1", "0"), ("1", "0", "1")]
    inside = [[child.tag for child in suite[0]] for suite in suites]
    assert inside == [[], ["failure", "system-out"], ["system-out"], ["failure"], ["error"]]
    failure = suites[1].find("testcase/failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("manifest-schema", "is required (add it)")
    assert failure.text == "./bad, 100%: x: manifest: app.group: is required (add it)"
    assert suites[1][0].get("classname") == "actool.layout"


def test_sarif_has_the_structure_that_services_ask_for() -> None:
    log = json.loads(render(report_sarif))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    assert run["invocations"] == [{"executionSuccessful": False, "exitCode": 66}]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "warning", "error", "error"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert re.fullmatch(r"[A-Za-z0-9%./_-]+", result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    first, second, third, fourth, _ = (result["locations"][0] for result in run["results"])
    assert first["physicalLocation"] == {
        "artifactLocation": {"uri": "bad%2C%20100%25%3A%20x/manifest"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert first["logicalLocations"] == [{"fullyQualifiedName": "manifest: app.group", "kind": "value"}]
    assert second["physicalLocation"]["artifactLocation"]["uri"].endswith("/rootfs/bin/su")
    assert third["physicalLocation"] == {"artifactLocation": {"uri": "odd.aci"}, "region": {"startLine": 1}}
    assert third["logicalLocations"] == [{"fullyQualifiedName": "rootfs/bin/su", "kind": "resource"}]
    assert fourth["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 1}


def test_sarif_says_of_each_rule_what_to_do_and_of_each_result_what_makes_it_the_same_again() -> None:
    twice = Report("x.aci", FileKind.IMAGE, (ODD, FAULT, replace(ODD, message="is setuid, as are 2 others")))
    (run,) = json.loads(render(report_sarif, [twice]))["runs"]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["fullDescription"]["text"]
        assert rule["help"]["markdown"].replace("`", "") == rule["help"]["text"]
    first, other, second = (result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"])
    assert re.fullmatch("[0-9a-f]{16}:1", first)
    assert second == first[:-1] + "2"
    assert other[:16] != first[:16]


def test_a_path_is_a_uri_that_leads_back_to_it() -> None:
    path = "/x y/\udcff%é"
    assert report_sarif.make_uri(path) == "file:///x%20y/%FF%25%C3%A9"
    assert unquote_to_bytes(report_sarif.make_uri(path).removeprefix("file://")) == b"/x y/" + b"\xff%\xc3\xa9"


def test_github_has_a_command_for_each_finding() -> None:
    assert render(report_github).splitlines() == [
        "::error file=bad%2C 100%25%3A x/manifest,line=3,col=7,title=manifest-schema (actool validate)"
        "::manifest: app.group: is required (add it)",
        '::warning file=bad%2C 100%25%3A x/rootfs/bin/su,title=setuid-file (actool validate)::"rootfs/bin/su": is setuid or setgid',
        '::warning file=odd.aci,title=setuid-file (actool validate)::entry "rootfs/bin/su": is setuid or setgid',
        "::error file=pod.json,line=2,col=1,title=manifest-json (actool validate)::not JSON",
        "::error file=gone.aci,title=input (actool validate)::no such file",
    ]


def test_standard_input_is_no_file_for_github() -> None:
    assert render(report_github, [Report("-", FileKind.IMAGE, (ODD,))]).startswith("::warning title=setuid-file")


BREAKS = ["\0\x1b[31m", "\ufffe\uffff", "]]>", "-->", "%0A::error::", "\n::error::x", "a,b:c=d%", "\u202e\u2028", "&<>\"'", "\\"]
HOSTILE = st.text(st.characters(codec=None), max_size=20) | st.sampled_from([*BREAKS, "\udcff\ud800"])
NAMES = st.binary(max_size=20).map(os.fsdecode) | st.sampled_from([*BREAKS, "\udcff"])


@given(NAMES, HOSTILE, NAMES, HOSTILE, st.sampled_from([*FileKind, None]))
def test_nothing_breaks_out_of_a_report(file: str, message: str, entry: str, place: str, kind: FileKind | None) -> None:
    faults = (
        Diagnostic("archive", Severity.ERROR, message, entry, place, message),
        Diagnostic("setuid-file", Severity.WARNING, message, entry, place),
    )
    reports = [Report(file, kind, faults)] * 2
    for module in (report_json, report_sarif, report_junit, report_github):
        text = render(module, reports)
        text.encode("utf-8")
        assert all(line.isprintable() for line in text.split("\n"))
    assert len(json.loads(render(report_json, reports))["files"]) == 2
    assert len(json.loads(render(report_sarif, reports))["runs"][0]["results"]) == 4
    assert len(ElementTree.fromstring(render(report_junit, reports))) == 2
    commands = render(report_github, reports).splitlines()
    assert len(commands) == 4
    for command in commands:
        assert re.fullmatch(r"::(error|warning) ([a-z]+=[^:,]*,?)+::.*", command)


CODES: dict[str, tuple[list[int], int]] = {
    "all are good": ([0, 0], 0),
    "one is at fault": ([0, 1], 1),
    "one cannot be read": ([1, 74], 74),
    "one is missing": ([74, 66, 1], 66),
    "one is missing, and one is a terminal": ([2, 66], 66),
    "two reasons": ([77, 74], 74),
}


@pytest.mark.parametrize("case", CODES)
def test_the_exit_code_of_several_files(case: str) -> None:
    codes, expected = CODES[case]
    tally = Tally()
    for code in codes:
        tally.add(Report("x", None, (FAULT,) if code == 1 else (ODD,), failure=code if code > 1 else 0))
    assert tally.exit_code == expected


def test_strict_makes_errors_of_warnings_and_quiet_leaves_them_out() -> None:
    report = Report("x", FileKind.IMAGE, (FAULT, ODD))
    assert [found.severity for found in report.made_strict().diagnostics] == [Severity.ERROR, Severity.ERROR]
    assert report.made_quiet().diagnostics == (FAULT,)
    assert Report("x", FileKind.IMAGE, (ODD,)).made_strict().exit_code == 1


def test_a_hundred_warnings_are_kept_and_the_rest_is_counted() -> None:
    assert limited([ODD] * 100) == (ODD,) * 100
    assert limited([ODD] * 1200)[100:] == (warning("more-warnings", "and 1,100 more"),)


def test_the_entry_that_the_reader_stands_at_is_told_apart_from_what_is_wrong_with_it() -> None:
    of_image = archive_fault(EntryError("x.aci", "rootfs/a", 'hard link to "b": no'), "x.aci", "archive")
    of_layout = archive_fault(EntryError("lay", "rootfs/a", "a socket", ""), "lay", "layout")
    of_manifest = archive_fault(FormatError("lay/manifest", "must be a regular file"), "lay", "layout")
    assert [(found.entry, found.message) for found in (of_image, of_layout, of_manifest)] == [
        ("rootfs/a", 'hard link to "b": no'),
        ("rootfs/a", "a socket"),
        ("manifest", "must be a regular file"),
    ]
    assert list(format_lines(Report("x.aci", FileKind.IMAGE, (of_image,)))) == ['x.aci: entry "rootfs/a": hard link to "b": no']


def test_a_file_inside_a_layout_that_cannot_be_read_is_an_entry_of_it() -> None:
    report = failed("lay", StorageError("lay/rootfs/a", "input/output error"))
    assert (report.exit_code, report.diagnostics[0].entry, report.diagnostics[0].message) == (74, "rootfs/a", "input/output error")
    other = failed("lay", StorageError("pass", "empty"))
    assert list(format_lines(other)) == ["lay: pass: empty"]


def test_each_format_has_a_module_of_its_own() -> None:
    from actool.checks.validation import ReportFormat

    names = {path.stem.removeprefix("report_") for path in Path(report_json.__file__).parent.glob("report_*.py")}
    assert names == set(ReportFormat.__args__)


def test_the_name_of_an_entry_cannot_pass_for_words_of_the_report(tmp_path: Path) -> None:
    odd = 'rootfs/a": all good, size'
    parts = [images.member("manifest", images.manifest_bytes()), images.header(odd, size=2**33 - 1)]
    (tmp_path / "x.aci").write_bytes(images.archive(parts))
    (found,) = [item for item in validate(str(tmp_path / "x.aci")).diagnostics if item.rule == "archive"]
    assert found.entry == odd
    assert "all good" not in found.message
