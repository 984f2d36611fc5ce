"""The entries of images, as lines and as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.archive.entry import Entry, Kind
from acspec.errors import FormatError, MissingInputError
from actool.listing import format_json, format_long, format_name, list_entries
from actool.passphrase import Passphrase
from tests.support import gpg, images
from tests.support.corpus import CORPUS
from tests.support.images import Node, directory, image, write_image

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "ls"]
FILES = {
    "bin": directory(),
    "bin/app": Node(b"12345", mode=0o4755, uid=3, gid=4, mtime=86_400, xattrs={"user.a": b"\xff"}),
    "bin/again": Node(kind="1", link="rootfs/bin/app"),
    "bin/link": Node(kind="2", link="../\x1b[2J", mode=0o777),
    "null": Node(kind="3", mode=0o666, major=1, minor=3),
    "pipe": Node(kind="6"),
}


def run(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], input=data, capture_output=True, check=False)


@pytest.fixture
def made(tmp_path: Path) -> str:
    write_image(tmp_path / "x.aci", FILES)
    return str(tmp_path / "x.aci")


def test_each_entry_is_a_line_in_the_order_of_the_archive(made: str) -> None:
    names = [format_name(entry) for entry in list_entries(made)]
    assert sorted(names) == sorted(["manifest", "rootfs", *(f"rootfs/{name}" for name in FILES)])
    assert names == [os.fsdecode(entry.name) for entry in list_entries(made)]
    assert run(made).stdout.decode().splitlines() == names


def test_a_long_line_shows_all_that_a_file_is(made: str) -> None:
    lines = run("-l", made).stdout.decode().splitlines()
    assert "-rwsr-xr-x+ 3/4            5 1970-01-02 00:00 rootfs/bin/app" in lines
    assert "hrw-r--r--  0/0            0 1970-01-01 00:00 rootfs/bin/again link to rootfs/bin/app" in lines
    assert "lrwxrwxrwx  0/0            0 1970-01-01 00:00 rootfs/bin/link -> ../\\x1b[2J" in lines
    assert "crw-rw-rw-  0/0          1,3 1970-01-01 00:00 rootfs/null" in lines
    assert "prw-r--r--  0/0            0 1970-01-01 00:00 rootfs/pipe" in lines
    assert "drwxr-xr-x  0/0            0 1970-01-01 00:00 rootfs/bin" in lines


def test_json_has_a_value_for_each_property(made: str) -> None:
    values = {value["path"]: value for value in map(json.loads, run("--json", made).stdout.splitlines())}
    common = {"uid": 0, "gid": 0, "mtimeNs": 0, "mode": "0644"}
    assert values["rootfs/bin/app"] == {
        "path": "rootfs/bin/app",
        "type": "file",
        "mode": "4755",
        "uid": 3,
        "gid": 4,
        "mtimeNs": 86_400 * 10**9,
        "size": 5,
        "xattrs": {"user.a": "ff"},
    }
    assert values["rootfs/bin/again"] == common | {"path": "rootfs/bin/again", "type": "hardlink", "target": "rootfs/bin/app"}
    assert values["rootfs/bin/link"]["target"] == "../\x1b[2J"
    assert values["rootfs/null"] == common | {
        "path": "rootfs/null",
        "type": "character-device",
        "mode": "0666",
        "major": 1,
        "minor": 3,
    }
    assert values["rootfs/pipe"] == common | {"path": "rootfs/pipe", "type": "fifo"}


def test_a_layout_is_listed_as_the_image_that_build_makes_of_it(tmp_path: Path) -> None:
    (tmp_path / "rootfs/etc").mkdir(parents=True)
    (tmp_path / "rootfs/etc/a").write_bytes(b"data")
    (tmp_path / "manifest").write_bytes(images.manifest_bytes())
    assert run(str(tmp_path)).stdout == b"manifest\nrootfs\nrootfs/etc\nrootfs/etc/a\n"


def test_no_name_moves_a_terminal(tmp_path: Path) -> None:
    name = "a\x1b[2J\n\x9b\x7f\u202e"
    data = image({name: Node(b"")})
    for words in ([], ["-l"], ["--json"]):
        shown = run(*words, "-", data=data).stdout.decode()
        assert all(character.isprintable() or character == "\n" for character in shown)
        assert shown.count("\n") == 3
    assert json.loads(shown.splitlines()[-1])["path"] == f"rootfs/{name}"


def test_bytes_that_are_no_text_keep_their_values_in_json() -> None:
    entry = Entry(b"rootfs/\xff\xc3\xa4", Kind.FILE)
    assert os.fsencode(json.loads(format_json(entry))["path"]) == entry.name
    assert format_name(entry) == "rootfs/\\xffä"


@pytest.mark.parametrize("seconds", [-(2**62), -1, 0, 2**33, 2**62])
def test_any_time_has_a_form(seconds: int) -> None:
    assert format_long(Entry(b"manifest", Kind.FILE, mtime_ns=seconds * 10**9)).endswith(" manifest")


def test_of_an_encrypted_image_nothing_is_listed_before_it_is_known_to_be_unchanged(tmp_path: Path, made: str) -> None:
    (tmp_path / "secret").write_text("sesam")
    sealed = gpg.encrypt(Path(made).read_bytes(), "sesam")
    (tmp_path / "good.aci").write_bytes(sealed)
    (tmp_path / "bad.aci").write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    passphrase = Passphrase(None, str(tmp_path / "secret"))
    assert [*map(format_json, list_entries(str(tmp_path / "good.aci"), passphrase))] == [*map(format_json, list_entries(made))]
    with pytest.raises(FormatError, match="tampered"):
        next(list_entries(str(tmp_path / "bad.aci"), passphrase))


def test_faults_have_the_exit_codes_of_the_suite(tmp_path: Path, made: str) -> None:
    with pytest.raises(MissingInputError):
        list(list_entries(str(tmp_path / "nowhere")))
    with pytest.raises(FormatError, match="an empty file"):
        list(list_entries("/dev/null"))
    both = run("-l", "--json", made)
    assert (both.returncode, both.stdout) == (2, b"")
    cut = run("-", data=Path(made).read_bytes()[:-40])
    assert cut.returncode == 65
    assert cut.stderr.startswith(b"actool: standard input: ")
    assert cut.stderr.count(b"\n") == 1


@pytest.mark.parametrize("sentence", CORPUS)
def test_hostile_and_odd_images_are_listed_or_refused_in_printable_words(tmp_path: Path, sentence: str) -> None:
    case = CORPUS[sentence]
    (tmp_path / "x.aci").write_bytes(case.data)
    lines = []
    try:
        for entry in list_entries(str(tmp_path / "x.aci")):
            lines += [format_name(entry), format_long(entry), format_json(entry)]
        refused = ""
    except FormatError as error:
        refused = str(error)
    assert case.refused in refused if case.refused else not refused
    assert all(line.isprintable() for line in [*lines, refused])
