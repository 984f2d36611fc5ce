"""`actool validate` in pipes and in CI: lists of files, reports for programs, and what is left when it is interrupted."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.desk import Desk, app_image, app_manifest, assert_refused

FORMATS = ("text", "json", "junit", "sarif", "github")


@pytest.fixture
def desk(plain_desk: Desk) -> Desk:
    """Return a desk with a good image, one at fault, an odd one, and a layout."""
    (plain_desk.path / "good.aci").write_bytes(app_image())
    (plain_desk.path / "bad.aci").write_bytes(app_image(name="A"))
    (plain_desk.path / "odd.aci").write_bytes(app_image(words=["/bin/nope"]))
    (plain_desk.path / "layout/rootfs").mkdir(parents=True)
    (plain_desk.path / "layout/manifest").write_bytes(app_manifest())
    return plain_desk


# What is typed: its exit code, and how many lines there are on stdout and on stderr.
LINES = {
    "good.aci": (0, 0, 0),
    "-v good.aci": (0, 1, 0),
    "odd.aci": (0, 0, 1),
    "-q odd.aci": (0, 0, 0),
    "--strict odd.aci": (1, 0, 1),
    "--strict --quiet odd.aci": (1, 0, 1),
    "-v good.aci bad.aci odd.aci layout": (1, 3, 3),
    "good.aci nope.aci bad.aci": (66, 0, 2),
    "- < good.aci": (0, 0, 0),
    "-v - < layout/manifest": (0, 1, 0),
    "--format json good.aci": (0, 3, 0),
    "--format json --output report good.aci bad.aci": (1, 0, 0),
    "--output report odd.aci": (0, 0, 0),
    "--format github odd.aci bad.aci": (1, 2, 0),
    "--format github --strict -o - odd.aci": (1, 1, 0),
}


@pytest.mark.parametrize("words", LINES)
def test_what_is_said_goes_where_it_belongs(desk: Desk, words: str) -> None:
    ended = desk.shell(f"actool validate {words}")
    assert (ended.code, ended.stdout.count("\n"), ended.stderr.count("\n")) == LINES[words], ended


MISTAKES = {
    "two readers of standard input": ("ls | actool validate --files-from - -", 2, "standard input can be read only once"),
    "standard input twice": ("actool validate - - < good.aci", 2, "standard input can be read only once"),
    "an empty list": (": | actool validate --files-from -", 2, "names no file"),
    "a list that is not there": ("actool validate --files-from nope", 66, "nope: no such file"),
    "an image for a list": ("actool validate --files-from good.aci", 65, "good.aci, line"),
    "a list without end": ("yes | actool validate --files-from -", 65, "larger than the limit of 4194304 bytes"),
    "zeros without end": ("actool validate --files-from - < /dev/zero", 65, "larger than the limit"),
    "a format that there is not": ("actool validate --format xml good.aci", 2, "'xml' is not one of 'text', 'json'"),
    "an output that cannot be": (
        "actool validate --format json --output /nope/report good.aci",
        73,
        "/nope/report: cannot be created",
    ),
    "an output over an input": ("actool validate --format json --output ./good.aci layout good.aci", 2, "is one of the files"),
    "two passphrases": ("actool validate --passphrase-fd 3 --passphrase-file x good.aci", 2, "exclude each other"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(desk: Desk, case: str) -> None:
    line, code, words = MISTAKES[case]
    before = sorted(os.listdir(desk.path)), (desk.path / "good.aci").read_bytes()
    assert_refused(desk.shell(line), code, words, "actool")
    assert (sorted(os.listdir(desk.path)), (desk.path / "good.aci").read_bytes()) == before


def test_files_that_another_program_finds_are_validated_in_their_order(desk: Desk) -> None:
    (desk.path / "new\xe9 x.aci").write_bytes(app_image())
    ended = desk.shell("ls *.aci | actool validate -v --files-from - layout/manifest")
    assert ended.code == 1
    assert [line.split(":")[0] for line in ended.stdout.splitlines()] == ["layout/manifest", "good.aci", "new\xe9 x.aci", "odd.aci"]
    assert ended.stderr.startswith("actool: bad.aci: manifest: name: ")


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_the_same_in_a_pipe_and_in_a_file(desk: Desk, form: str) -> None:
    (desk.path / "report").write_text("old")
    words = f"actool validate --format {form} good.aci bad.aci odd.aci layout nope"
    piped = desk.shell(f"{words} 2>&1")
    written = desk.shell(f"{words} --output report")
    assert (piped.code, written.code, written.stdout, written.stderr) == (66, 66, "", "")
    assert (desk.path / "report").read_text() == piped.stdout.replace("actool: ", "" if form == "text" else "actool: ")
    assert (desk.path / "report").stat().st_mode & 0o777 == 0o644


def test_programs_read_the_reports(desk: Desk) -> None:
    files = "good.aci bad.aci odd.aci layout"
    assert json.loads(desk.shell(f"actool validate --format json {files}").stdout)["exitCode"] == 1
    assert len(json.loads(desk.shell(f"actool validate --format sarif {files}").stdout)["runs"][0]["results"]) == 3
    assert len(ElementTree.fromstring(desk.shell(f"actool validate --format junit {files}").stdout)) == 4


def test_the_language_of_a_terminal_is_not_that_of_a_report(desk: Desk) -> None:
    (desk.path / "\xe9.aci").write_bytes(app_image())
    ended = desk.shell("PYTHONIOENCODING=ascii actool validate --format junit *.aci")
    assert "\xe9.aci" in [suite.get("name") for suite in ElementTree.fromstring(ended.stdout)]


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_that_goes_away_ends_the_program_quietly(desk: Desk, form: str) -> None:
    command = f"actool validate -v --format {form} $(yes good.aci | head -n 200) odd.aci"
    # A pipe whose reader is gone before the program begins: as `| true`, which may well be the slower one.
    ended = desk.shell(f"mkfifo pipe; exec 3<> pipe 4> pipe 3>&-; {command} >&4; echo $? >&2")
    assert ended.stderr == "141\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_run_leaves_the_old_report_and_nothing_else(desk: Desk, number: signal.Signals) -> None:
    os.mkfifo(desk.path / "slow.aci")
    (desk.path / "report").write_text("old")
    before = sorted(os.listdir(desk.path))
    words = ("actool", "validate", "--format", "json", "--output", "report", "good.aci", "slow.aci")
    # The name opens when somebody reads it: so far has the program come.
    with desk.start(*words) as process, open(desk.path / "slow.aci", "wb") as writer:
        writer.write((desk.path / "good.aci").read_bytes()[:1000])
        writer.flush()
        assert len(os.listdir(desk.path)) == len(before) + 1
        process.send_signal(number)
        process.wait()
    assert process.returncode in (128 + number, 130)
    assert sorted(os.listdir(desk.path)) == before
    assert (desk.path / "report").read_text() == "old"


def test_a_list_is_read_to_its_end_before_anything_is_said(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"bad.aci\ngood\0.aci\n")
    assert_refused(desk.shell("actool validate --files-from list"), 65, "list, line 2: holds a zero byte", "actool")
