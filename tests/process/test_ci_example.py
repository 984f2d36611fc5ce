"""The example of a CI job: what it calls, run as it would be."""

from __future__ import annotations

import json
import re
import shutil
from xml.etree import ElementTree

from tests.support.desk import Desk
from tests.support.machine import ROOT

CHECK = ROOT / "examples/ci/check.sh"


def _build(desk: Desk) -> None:
    shutil.copytree(ROOT / "examples/hello", desk.path / "hello", ignore=shutil.ignore_patterns("*.aci", "layout", ".gitignore"))
    assert desk.shell("make -s -C hello").code == 0


def test_a_good_image_passes(plain_desk: Desk) -> None:
    _build(plain_desk)
    ended = plain_desk.shell(f"{CHECK} hello/layout hello/hello.aci")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    suites = ElementTree.fromstring((plain_desk.path / "reports/images.xml").read_text()).iter("testcase")
    assert len(list(suites)) == 2


def test_a_bad_one_fails_and_the_reports_say_why(plain_desk: Desk) -> None:
    _build(plain_desk)
    ended = plain_desk.shell(
        f"cd hello && actool patch-manifest --replace hello.aci --exec /bin/gone && {CHECK} layout hello.aci r"
    )
    assert ended.code == 1
    assert "/bin/gone" in ended.stderr
    assert "manifest" in ended.stdout
    report = json.loads((plain_desk.path / "hello/r/images.sarif").read_text())
    assert "exec-missing" in {result["ruleId"] for result in report["runs"][0]["results"]}
    assert "/bin/gone" in (plain_desk.path / "hello/r/images.xml").read_text()


def test_the_jobs_call_what_is_there() -> None:
    for job in ("github.yml", "gitlab.yml"):
        text = (ROOT / "examples/ci" / job).read_text()
        paths = re.findall(r"(?:make -C |[ ,\[])(examples/[\w./-]+)", text)
        assert {"examples/hello", "examples/ci/check.sh"} <= set(paths)
        for path in paths:
            assert (ROOT / path).exists() or path.endswith((".aci", "/layout")), path
