"""Two images compared: as a person types it, and as a program reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.errors import FormatError, UsageError
from acspec.escape import escape
from actool.comparing.comparison import IGNORABLE, compared, parse_ignored
from tests.support import hostile
from tests.support.corpus import CORPUS
from tests.support.images import Node, archive, compress, hard_link, image, manifest_bytes, member, pax, tar

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())"]
OLD = {"bin": None, "bin/sh": Node(b"old", mode=0o755), "etc": None, "etc/gone": b"", "same": b"same"}
NEW = {"bin": None, "bin/sh": Node(b"newer", mode=0o644), "etc": None, "new\x1b[2J": b"x", "same": b"same"}
LINES = """\
changed  manifest  app.exec[0] "/bin/hello" -> "/bin/sh"
changed  rootfs/bin/sh  content of 3 -> 5 bytes, mode 0755 -> 0644
removed  rootfs/etc/gone  regular file of 0 bytes
added    rootfs/new\\x1b[2J  regular file of 1 bytes
"""
APP = {"exec": ["/bin/sh"], "user": "0", "group": "0"}


def run(*words: str, data: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], input=data, capture_output=True, check=False, cwd=cwd)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with two images that differ, and the old one in another form."""
    (tmp_path / "old.aci").write_bytes(image(OLD))
    (tmp_path / "new.aci").write_bytes(image(NEW, manifest_bytes(app=APP), "xz"))
    (tmp_path / "other.aci").write_bytes(image(dict(reversed(OLD.items())), json.dumps(json.loads(manifest_bytes())).encode()))
    return tmp_path


def test_each_difference_is_a_line_and_the_answer_is_1(place: Path) -> None:
    ended = run("diff", "old.aci", "new.aci", cwd=place)
    assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (1, LINES, b"")


def test_one_side_may_come_through_a_pipe(place: Path) -> None:
    for words, data in ((["-", "new.aci"], "old.aci"), (["old.aci", "-"], "new.aci")):
        ended = run("diff", *words, data=(place / data).read_bytes(), cwd=place)
        assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (1, LINES, b"")


@pytest.mark.privileged
def test_a_layout_is_compared_as_the_image_that_it_builds(place: Path) -> None:
    assert run("extract", "new.aci", "layout", cwd=place).returncode == 0
    ended = run("diff", "old.aci", "layout", cwd=place)
    assert (ended.returncode, ended.stdout.decode()) == (1, LINES)
    assert run("diff", "layout", "new.aci", cwd=place).returncode == 0


def test_json_has_an_object_a_line(place: Path) -> None:
    ended = run("diff", "--json", "old.aci", "new.aci", cwd=place)
    values = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 1
    assert [(value["change"], value["path"]) for value in values] == [
        ("changed", "manifest"),
        ("changed", "rootfs/bin/sh"),
        ("removed", "rootfs/etc/gone"),
        ("added", "rootfs/new\x1b[2J"),
    ]


def test_quiet_leaves_the_answer_to_the_exit_code(place: Path) -> None:
    for other, code in (("new.aci", 1), ("old.aci", 0), ("other.aci", 0)):
        ended = run("diff", "-q", "old.aci", other, cwd=place)
        assert (ended.returncode, ended.stdout, ended.stderr) == (code, b"", b"")


def test_the_same_image_is_no_difference_however_it_is_compressed(place: Path) -> None:
    (place / "plain.aci").write_bytes(image(OLD, compression="none"))
    ended = run("diff", "old.aci", "plain.aci", cwd=place)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_another_form_of_the_same_is_told_and_no_difference(place: Path) -> None:
    ended = run("diff", "old.aci", "other.aci", cwd=place)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert ended.stderr == (
        b"actool: old.aci and other.aci hold the same, but not in the same form: "
        b"the text of the manifest, the order of the entries\n"
    )


def test_headers_that_are_spelt_otherwise_are_told(place: Path) -> None:
    start = [member("manifest", manifest_bytes()), member("rootfs", kind="5", mode=0o755)]
    (place / "a.aci").write_bytes(archive([*start, member("rootfs/a")]))
    (place / "b.aci").write_bytes(archive([*start, pax({"path": "rootfs/a"}), member("rootfs/b")]))
    ended = run("diff", "a.aci", "b.aci", cwd=place)
    assert ended.returncode == 0
    assert ended.stderr.endswith(b"the headers of the entries, or what pads the end\n")


def test_what_is_ignored_is_left_out(place: Path) -> None:
    ended = run("diff", "--ignore", "content,mode", "--ignore=manifest", "old.aci", "new.aci", cwd=place)
    assert ended.returncode == 1
    assert ended.stdout.decode().splitlines() == LINES.splitlines()[2:]


def test_words_to_ignore_are_those_that_are_printed() -> None:
    assert parse_ignored(["content,mode", "time"]) == {"content", "mode", "time"}
    assert parse_ignored([",".join(IGNORABLE)]) == set(IGNORABLE)
    for wrong in ("", "times", "mode,", "type", "Mode"):
        with pytest.raises(UsageError, match=r"nothing that can be ignored \(content, mode, owner"):
            parse_ignored([wrong])


MISTAKES = {
    "standard input twice": (["-", "-"], 2, b"standard input: can be read only once"),
    "one image": (["old.aci"], 2, b"B: missing argument"),
    "an image that is not there": (["old.aci", "nope.aci"], 66, b"nope.aci: no such file"),
    "an image that is none": (["old.aci", "empty"], 65, b"empty: an empty file"),
    "a directory that is no layout": (["directory", "old.aci"], 65, b"directory: not an image layout"),
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_a_mistake_is_told_in_one_line(place: Path, sentence: str) -> None:
    words, code, line = MISTAKES[sentence]
    (place / "empty").touch()
    (place / "directory").mkdir()
    ended = run("diff", *words, cwd=place)
    assert (ended.returncode, ended.stdout) == (code, b"")
    assert ended.stderr.startswith(b"actool: " + line)
    assert ended.stderr.count(b"\n") == 1


def refusal(old: Path, new: Path) -> str:
    """Return why two images cannot be compared, empty when they are equal."""
    try:
        with compared(str(old), str(new), frozenset()) as comparison:
            assert list(comparison) == []
    except FormatError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("sentence", CORPUS)
def test_an_odd_image_is_equal_to_itself_and_a_bad_one_is_refused_on_either_side(tmp_path: Path, sentence: str) -> None:
    case = CORPUS[sentence]
    (tmp_path / "x.aci").write_bytes(case.data)
    (tmp_path / "good.aci").write_bytes(image(OLD))
    for pair in (("x.aci", "x.aci"), *([("x.aci", "good.aci"), ("good.aci", "x.aci")] if case.refused else [])):
        refused = refusal(*(tmp_path / name for name in pair))
        assert case.refused in refused
        assert bool(refused) == bool(case.refused)
        assert escape(refused, 2000).isprintable()


@pytest.mark.parametrize("sentence", hostile.ALL)
def test_a_hostile_image_is_refused_and_nothing_printed(tmp_path: Path, sentence: str) -> None:
    make, words = hostile.ALL[sentence]
    (tmp_path / "bad.aci").write_bytes(make())
    (tmp_path / "good.aci").write_bytes(image(OLD))
    assert words in refusal(tmp_path / "good.aci", tmp_path / "bad.aci")


@pytest.mark.parametrize("sentence", [sentence for sentence, case in CORPUS.items() if not case.refused])
def test_every_difference_of_an_odd_image_is_printable(tmp_path: Path, sentence: str) -> None:
    from actool.comparing.difference_lines import format_json, format_text

    (tmp_path / "x.aci").write_bytes(CORPUS[sentence].data)
    (tmp_path / "bare.aci").write_bytes(image({}))
    with compared(str(tmp_path / "bare.aci"), str(tmp_path / "x.aci"), frozenset()) as comparison:
        for difference in comparison:
            assert format_text(difference).isprintable()
            assert json.loads(format_json(difference))["path"]


@pytest.mark.privileged
def test_what_is_unpacked_and_built_again_differs_in_nothing(tmp_path: Path) -> None:
    links = {"z": Node(b"data", mtime="1.5", xattrs={"user.a": b"1"}), "a": hard_link("z"), "l": "z", "d/implied": b""}
    (tmp_path / "old.aci").write_bytes(compress(tar(links), "bzip2"))
    assert run("extract", "old.aci", "layout", cwd=tmp_path).returncode == 0
    assert run("build", "layout", "new.aci", cwd=tmp_path).returncode == 0
    ended = run("diff", "old.aci", "new.aci", "--ignore=time", cwd=tmp_path)  # root's directory of the unpacked tree has one
    assert (ended.returncode, ended.stdout) == (0, b"")


@pytest.mark.parametrize("words", [["diff", "old.aci", "new.aci"], ["diff", "--json", "old.aci", "new.aci"]])
def test_a_reader_that_leaves_ends_it_quietly(place: Path, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([*PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, cwd=place, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
