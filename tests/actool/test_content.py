"""One file out of an image, through whatever links lead to it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from acspec.archive.entry import Kind
from acspec.archive.image import ImageReader
from acspec.errors import FormatError, MissingInputError, StorageError, ToolError, UsageError
from acspec.escape import escape
from actool.content import read_content
from tests.support import hostile
from tests.support.corpus import CORPUS
from tests.support.images import Node, compress, directory, hard_link, image, manifest_bytes, symlink, tar

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "cat"]
DATA = bytes(range(256)) * 5000
FILES = {
    "usr": directory(),
    "usr/bin": directory(),
    "usr/bin/dash": DATA,
    "usr/bin/again": hard_link("usr/bin/dash"),
    "usr/bin/third": hard_link("usr/bin/again"),
    "usr/bin/sh": "dash",
    "bin": "usr/bin",
    "early": "later",
    "later": b"later\n",
    "implied/parent/file": b"implied\n",
    "up": "../../../usr/bin/third",
    "loop": "loop",
    "null": Node(kind="3", major=1, minor=3),
    "pipe": Node(kind="6"),
    "empty": b"",
    "out": "/etc/passwd",
}
LEADS = {
    "a path in the rootfs": ("/usr/bin/dash", DATA),
    "a name as ls prints it": ("rootfs/usr/bin/dash", DATA),
    "the manifest, by its name": ("manifest", manifest_bytes()),
    "a hard link": ("/usr/bin/again", DATA),
    "a hard link to a hard link": ("/usr/bin/third", DATA),
    "a link to what came before it": ("/usr/bin/sh", DATA),
    "a link to what comes after it": ("/early", b"later\n"),
    "a link on the way, in a name of ls": ("rootfs/bin/sh", DATA),
    "a link that climbs, to a hard link": ("/up", DATA),
    "a path with steps that lead nowhere": ("/usr/../usr//bin/./dash", DATA),
    "a directory that is only implied": ("/implied/parent/file", b"implied\n"),
    "an empty file": ("/empty", b""),
}
REFUSED: dict[str, tuple[str, type[ToolError], str]] = {
    "a path to nothing": ("/nope", MissingInputError, "x: /nope: no such file"),
    "a path without its slash": ("usr/bin/dash", MissingInputError, "(a path in the rootfs begins with a slash: /usr/bin/dash)"),
    "no path": ("", MissingInputError, 'x: "": no such file'),
    "a file of the host behind a link": ("/out", MissingInputError, '"/etc" on its way is not there'),
    "a link to itself": ("/loop", MissingInputError, "more than 40 symbolic links"),
    "a directory": ("/usr/bin", UsageError, "a directory, not a regular file"),
    "a link to a directory": ("/bin", UsageError, "a directory, not a regular file"),
    "a directory that is only implied": ("/implied", UsageError, "a directory, not a regular file"),
    "the root": ("/", UsageError, "a directory, not a regular file"),
    "the rootfs": ("rootfs", UsageError, "a directory, not a regular file"),
    "a device": ("/null", UsageError, "a character device, not a regular file"),
    "a FIFO": ("/pipe", UsageError, "a FIFO, not a regular file"),
    "a file, asked for as a directory": ("/later/", MissingInputError, '"/later" on its way is not a directory'),
}


def content(path: str, name: str) -> bytes:
    with closing(read_content(path, name)) as chunks:
        return b"".join(bytes(chunk) for chunk in chunks)


def run(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], input=data, capture_output=True, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the same files in an image of each compression and in a layout."""
    place = tmp_path_factory.mktemp("content")
    for compression in ("none", "gzip", "bzip2", "xz"):
        (place / compression).write_bytes(image(FILES, compression=compression))
    subprocess.run([*PROGRAM[:-1], "extract", str(place / "none"), str(place / "layout")], check=True)
    return place


@pytest.mark.parametrize("form", ["none", "gzip", "bzip2", "xz", "layout"])
@pytest.mark.parametrize("sentence", LEADS)
def test_content_comes_through_links(place: Path, form: str, sentence: str) -> None:
    name, data = LEADS[sentence]
    assert content(str(place / form), name) == data


@pytest.mark.parametrize("form", ["none", "gzip", "layout"])
@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_no_file_is_refused_in_one_line(place: Path, form: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, kind, words = REFUSED[sentence]
    if (sentence, form) == ("a device", "layout") and os.geteuid() != 0:  # an ordinary user unpacks none
        kind, words = MissingInputError, "no such file"
    monkeypatch.chdir(place)
    Path("x").unlink(missing_ok=True)
    Path("x").symlink_to(form)
    with pytest.raises(kind) as caught:
        content("x", name)
    assert words in str(caught.value)


@pytest.mark.parametrize("form", ["none", "gzip", "xz"])
@pytest.mark.parametrize("sentence", LEADS)
def test_a_pipe_gives_what_a_file_gives(place: Path, form: str, sentence: str) -> None:
    name, data = LEADS[sentence]
    ended = run("-", name, data=(place / form).read_bytes())
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, data, b"")


def test_a_named_pipe_and_a_file_on_standard_input_do_as_well(place: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", f"cat {place}/gzip > {tmp_path}/pipe"]):
        assert content(str(tmp_path / "pipe"), "/early") == b"later\n"
    with open(place / "gzip", "rb") as file:
        ended = subprocess.run([*PROGRAM, "-", "/early"], stdin=file, capture_output=True, check=False)
    assert (ended.stdout, ended.stderr) == (b"later\n", b"")


@pytest.mark.parametrize("sentence", hostile.ALL)
def test_nothing_comes_of_a_hostile_image(tmp_path: Path, sentence: str) -> None:
    make, words = hostile.ALL[sentence]
    (tmp_path / "x.aci").write_bytes(make())
    with pytest.raises(FormatError) as caught:
        content(str(tmp_path / "x.aci"), "manifest")
    assert words in str(caught.value)


@pytest.mark.parametrize("sentence", CORPUS)
def test_of_odd_images_all_files_come_and_of_bad_ones_nothing(tmp_path: Path, sentence: str) -> None:
    case = CORPUS[sentence]
    path = tmp_path / "x.aci"
    path.write_bytes(case.data)
    if case.refused:
        with pytest.raises(FormatError) as caught:
            content(str(path), "manifest")
        assert case.refused in str(caught.value)
        assert escape(str(caught.value), 2000).isprintable()
        return
    for name, data in regular_files(path).items():
        if len(name) < 4096:  # what the kernel takes
            assert content(str(path), os.fsdecode(name)) == data


def regular_files(path: Path) -> dict[bytes, bytes]:
    with open(path, "rb") as file, ImageReader(file.fileno(), "x.aci") as reader:
        return {
            entry.name: b"".join(bytes(chunk) for chunk in reader.read_chunks(entry)) for entry in reader if entry.kind is Kind.FILE
        }


@pytest.mark.parametrize("sentence", ["gzip without its last 8 bytes", "a tail after the end", "a file cut off"])
def test_a_pipe_prints_nothing_of_a_bad_image(sentence: str) -> None:
    ended = run("-", "manifest", data=CORPUS[sentence].data)
    assert (ended.returncode, ended.stdout) == (65, b"")
    assert CORPUS[sentence].refused.encode() in ended.stderr
    assert ended.stderr.count(b"\n") == 1


def test_a_pipe_that_holds_no_image_is_refused_at_once() -> None:
    ended = subprocess.run("cat /dev/zero | actool cat - /x", shell=True, capture_output=True, check=False, env=environment())
    assert (ended.returncode, ended.stdout) == (65, b"")
    assert ended.stderr == b"actool: standard input: a tar archive without entries\n"


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_a_terminal_is_not_moved_and_a_pipe_gets_every_byte(tmp_path: Path) -> None:
    data = b"a\x1b[2J\xff\n"
    (tmp_path / "x.aci").write_bytes(image({"f": data}))
    assert run(str(tmp_path / "x.aci"), "/f").stdout == data
    main, side = pty.openpty()
    subprocess.run([*PROGRAM, str(tmp_path / "x.aci"), "/f"], stdout=side, check=True)
    os.close(side)
    assert os.read(main, 100) == b"a\\x1b[2J\\xff\r\n"
    os.close(main)


def test_a_reader_that_leaves_ends_it_quietly(place: Path) -> None:
    line = f"{{ actool cat {place}/gzip /usr/bin/dash; echo $? >&2; }} | head -c 1"
    ended = subprocess.run(line, shell=True, capture_output=True, check=False, env=environment())
    assert (ended.stdout, ended.stderr) == (b"\0", b"141\n")


def test_an_image_that_changes_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.aci"
    path.write_bytes(tar({"a": b"data"}))
    from actool import content as room

    locate = room._locate

    def replace(*arguments: object) -> bytes:
        path.write_bytes(tar({"b": b"data"}))
        return locate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "_locate", replace)
    with pytest.raises(StorageError, match="changed while it was read"):
        content(str(path), "/a")


def test_a_layout_whose_rootfs_is_a_link_is_none(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(manifest_bytes())
    (tmp_path / "rootfs").symlink_to("/")
    with pytest.raises(FormatError, match="there is no directory rootfs in it"):
        content(str(tmp_path), "/etc/passwd")


def test_links_of_a_thousand_steps_each_are_given_up_after_forty(tmp_path: Path) -> None:
    deep = {f"d{number}": symlink(f"d{number + 1}/" + "../" * 1300) for number in range(60)}
    (tmp_path / "x.aci").write_bytes(compress(tar(deep), "gzip"))
    with pytest.raises(MissingInputError, match="more than 40 symbolic links"):
        content(str(tmp_path / "x.aci"), "/d0")
