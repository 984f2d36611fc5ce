"""From an image to one with another manifest, as a file and in a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.archive.compression import Compression
from acspec.archive.image import read_image
from acspec.archive.splice import Recompression
from acspec.errors import (
    FormatError,
    MissingInputError,
    OutputError,
    OutputExistsError,
    OutputNameError,
    StorageError,
    ToolError,
    UsageError,
)
from acspec.values import replace
from actool.changes.manifest_changes import ManifestChanges
from actool.changes.removals import Removal
from actool.command_changes import read_changes
from actool.patch import PatchRequest, find_signature, patch
from tests.support import images
from tests.support.corpus import CORPUS
from tests.support.hostile import ALL
from tests.support.images import Node
from tests.support.users import as_ordinary_user, place_of_everybody
from tests.support.waiting import wait_for

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "patch-manifest"]
FILES: images.Files = {
    "bin": None,
    "bin/hello": Node(b"hello", mode=0o755, mtime="1.25", xattrs={"user.a": b"b"}),
    "bin/hi": "hello",
}
NOTHING_THERE = ManifestChanges(removals=(Removal("label", "x"),))
LABEL = ManifestChanges(labels=read_changes(label=["version=2.0.0"]).labels)


def request(image: Path | str, output: Path | str | None, **more: Any) -> PatchRequest:
    """Return a request that sets the label version; without an output it replaces the image."""
    made = PatchRequest(
        image=str(image),
        output=None if output is None else str(output),
        replace=output is None,
        overwrite=False,
        manifest=None,
        changes=LABEL,
        compressed=Recompression(),
    )
    return replace(made, **more)


def run(*words: str | Path, cwd: Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *map(str, words)], input=data, capture_output=True, check=False, cwd=cwd)


def labelled(version: str = "2.0.0") -> bytes:
    return images.manifest_bytes().replace(b"1.0.0", version.encode())


def labelled_id(version: str = "2.0.0") -> str:
    """Return the ID of the image with that label; a checksum that had to change is written as POSIX.1-1988 has it."""
    tar = images.tar(FILES, labelled(version))
    return images.image_id(tar[:148] + b"%06o\0 " % int(tar[148:154], 8) + tar[156:])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    images.write_image(tmp_path / "x.aci", FILES)
    return tmp_path / "x.aci"


@pytest.mark.parametrize("compression", Compression)
def test_the_patched_image_differs_in_its_manifest_alone(tmp_path: Path, compression: Compression) -> None:
    images.write_image(tmp_path / "x.aci", FILES, compression=compression.value)
    written = patch(request(tmp_path / "x.aci", tmp_path / "y.aci"))
    assert written.image_id == labelled_id()
    with (tmp_path / "y.aci").open("rb") as file:
        scanned = read_image(file.fileno(), "y.aci")
    assert (scanned.image_id, scanned.compression) == (written.image_id, compression)


def test_an_image_can_be_given_another_compression(image: Path, tmp_path: Path) -> None:
    patch(request(image, tmp_path / "y.aci", changes=ManifestChanges(), compressed=Recompression(Compression.NONE)))
    assert (tmp_path / "y.aci").read_bytes() == images.tar(FILES)


def test_replacing_keeps_mode_owner_and_link(image: Path, tmp_path: Path) -> None:
    os.chown(image, 12345 if os.geteuid() == 0 else -1, -1)
    image.chmod(0o640)
    before = image.stat()
    (tmp_path / "link.aci").symlink_to("x.aci")
    written = patch(request(tmp_path / "link.aci", None))
    assert (tmp_path / "link.aci").is_symlink()
    after = image.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino, "whoever reads the old image goes on reading it"
    with image.open("rb") as file:
        assert read_image(file.fileno(), "x.aci").image_id == written.image_id


def test_whoever_may_not_give_files_away_replaces_them_by_their_own() -> None:
    with place_of_everybody() as place:
        images.write_image(place / "x.aci", FILES)
        (place / "x.aci").chmod(0o644)
        as_ordinary_user(lambda: patch(request(place / "x.aci", None)) and None)
        assert (place / "x.aci").stat().st_uid != 0 or os.geteuid() != 0


def test_an_image_may_be_its_own_output(image: Path) -> None:
    patch(request(image, image, overwrite=True))
    with image.open("rb") as file:
        assert read_image(file.fileno(), "x.aci").manifest_bytes == labelled()


def test_another_manifest_takes_the_place_of_a_bad_one(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", FILES, b"{}")
    (tmp_path / "manifest").write_bytes(images.manifest_bytes())
    with pytest.raises(FormatError, match=r"manifest: acKind: is required \(--manifest FILE puts another one in its place\)"):
        patch(request(tmp_path / "x.aci", tmp_path / "y.aci"))
    unchanged = request(tmp_path / "x.aci", tmp_path / "y.aci", manifest=str(tmp_path / "manifest"), changes=ManifestChanges())
    assert patch(unchanged).image_id == labelled_id("1.0.0")
    changed = replace(unchanged, output=str(tmp_path / "z.aci"), changes=LABEL)
    assert patch(changed).image_id == labelled_id()


def test_a_bad_manifest_takes_no_place(image: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(b"{}")
    with pytest.raises(FormatError, match=r"manifest: acKind: is required$"):
        patch(request(image, tmp_path / "y.aci", manifest=str(tmp_path / "manifest")))
    with pytest.raises(FormatError, match="a directory, not a manifest"):
        patch(request(image, tmp_path / "y.aci", manifest=str(tmp_path)))
    with pytest.raises(MissingInputError):
        patch(request(image, tmp_path / "y.aci", manifest=str(tmp_path / "nowhere")))
    with pytest.raises(FormatError, match="larger than the limit"):
        patch(request(image, tmp_path / "y.aci", manifest="/dev/zero"))


REFUSED: dict[str, tuple[str, str | None, dict[str, Any], type[ToolError], str]] = {
    "there is no output": ("x.aci", None, {"replace": False}, UsageError, "OUTPUT.aci: missing argument (--replace writes to"),
    "the output has another suffix": ("x.aci", "y.tar", {}, OutputNameError, "must end in .aci"),
    "the output exists": ("x.aci", "old.aci", {}, OutputExistsError, "already exists (--overwrite replaces it)"),
    "the directory of the output is not there": ("x.aci", "nowhere/y.aci", {}, OutputError, "no such file or directory"),
    "an output stands beside --replace": ("x.aci", "y.aci", {"replace": True}, UsageError, "there is no output beside --replace"),
    "--replace and --overwrite": ("x.aci", None, {"overwrite": True}, UsageError, "exclude each other"),
    "what is replaced is no file": ("fifo", None, {}, UsageError, "not a regular file, so --replace cannot replace it"),
    "the image is a directory": (".", "y.aci", {}, FormatError, "a directory, not an image archive"),
    "the image is not there": ("nowhere.aci", "y.aci", {}, MissingInputError, "no such file"),
    "there is nothing to remove": (
        "x.aci",
        "y.aci",
        {"changes": ManifestChanges(removals=(Removal("label", "x"),))},
        UsageError,
        "there is no such thing in the manifest",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.usefixtures("image")
def test_a_request_is_refused_and_nothing_is_left_when(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, output, more, error, words = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    keep_open = os.open("fifo", os.O_RDWR)
    Path("old.aci").write_bytes(b"old")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    with pytest.raises(error) as caught:
        patch(request(source, output, **more))
    os.close(keep_open)
    assert words in str(caught.value)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


HOSTILE = {sentence: case.data for sentence, case in CORPUS.items() if case.refused} | {
    name: make() for name, (make, _) in ALL.items()
}


@pytest.mark.parametrize("sentence", HOSTILE)
def test_a_hostile_image_is_refused_in_the_words_of_every_reader_and_stays_alone(sentence: str, tmp_path: Path) -> None:
    image = tmp_path / "x.aci"
    image.write_bytes(HOSTILE[sentence])
    with image.open("rb") as file, pytest.raises(FormatError) as reading:
        read_image(file.fileno(), str(image))
    for output in (tmp_path / "y.aci", None):
        with pytest.raises(FormatError) as patching:
            patch(request(image, output))
        assert patching.value.why == reading.value.why
    assert list(tmp_path.iterdir()) == [image]
    assert image.read_bytes() == HOSTILE[sentence]


def test_an_image_goes_through_a_pipe(tmp_path: Path) -> None:
    result = run("-", "-", "--label", "version=2.0.0", "--print-id", cwd=tmp_path, data=images.image(FILES))
    assert result.returncode == 0
    assert read_image(open_bytes(result.stdout, tmp_path), "y").manifest_bytes == labelled()
    assert result.stderr.decode() == labelled_id() + "\n"


def open_bytes(data: bytes, place: Path) -> int:
    """Return a descriptor of a file with *data*, which goes with the test."""
    (place / "piped").write_bytes(data)
    return os.open(place / "piped", os.O_RDONLY)


def test_a_manifest_goes_through_a_pipe(image: Path, tmp_path: Path) -> None:
    result = run("x.aci", "y.aci", "--manifest", "-", "--print-id", cwd=tmp_path, data=labelled("3"))
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode() == labelled_id("3") + "\n"
    both = run("-", "-", "--manifest", "-", cwd=tmp_path)
    assert (both.returncode, both.stdout) == (2, b"")


def test_a_pipe_that_turns_bad_at_its_end_is_a_failure(tmp_path: Path) -> None:
    data = images.image({"big": os.urandom(9_000_000)})
    result = run("-", "-", "--label", "version=2", cwd=tmp_path, data=data[:-8] + bytes(8))
    assert result.returncode == 65
    assert result.stderr.decode() == "actool: standard input: gzip data is damaged\n"
    assert len(result.stdout) > 1_000_000, "what was read goes out while more comes in"
    with pytest.raises(FormatError, match="truncated"):
        read_image(open_bytes(result.stdout, tmp_path), "y")


def test_a_command_that_fails_at_the_manifest_prints_nothing(image: Path, tmp_path: Path) -> None:
    result = run("x.aci", "-", "--remove", "label=x", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")


def test_a_signature_of_the_image_as_it_was_is_told(image: Path, tmp_path: Path) -> None:
    (tmp_path / "x.aci.asc").write_bytes(b"")
    assert find_signature(request(image, None)) == f"{image}.asc"
    assert find_signature(request(image, tmp_path / "y.aci")) is None
    assert find_signature(request(image, "-")) is None
    result = run("x.aci", "--replace", "--user", "1", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, b"actool: x.aci.asc: warning: signs the image as it was\n")


OPTIONS = {
    "both ways to say how to compress": (["--compression", "xz", "--no-compression"], b"exclude each other"),
    "a value that is not UTF-8": (["--env", "A=\udcff"], b"--env: is not UTF-8"),
    "an option that is not known": (["--label", "a=b", "--labels", "c=d"], b"--labels: no such option"),
    "an option with one dash, as Go reads them": (["-exec=/a"], b"no such option"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_a_command_line_is_refused_with(case: str, image: Path, tmp_path: Path) -> None:
    words, line = OPTIONS[case]
    result = run("x.aci", "y.aci", *words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert line in result.stderr
    assert list(tmp_path.iterdir()) == [image]


def test_a_full_disk_leaves_the_image_as_it_was(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {"big": os.urandom(1 << 20)})
    before = (tmp_path / "x.aci").read_bytes()
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
    words = [sys.executable, "-c", limit + PROGRAM[2], *PROGRAM[3:], "x.aci", "--replace", "--user", "1"]
    result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (StorageError.exit_code, "")
    assert result.stderr.endswith("x.aci: file too large\n")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.aci", before)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    words = [*PROGRAM, "-", "y.aci", "--user", "1"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(images.image({"f": os.urandom(2_000_000)})[:1_000_000])
        process.stdin.flush()
        wait_for(lambda: list(tmp_path.glob(".y.aci.*")), "the output")
        process.send_signal(number)
        process.wait(60)
        process.stdin.close()
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_options_without_an_effect_change_no_byte(image: Path, tmp_path: Path) -> None:
    result = run("x.aci", "y.aci", "--exec", "/bin/hello", "--label", "version=1.0.0", "--compression", "none", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert (tmp_path / "y.aci").read_bytes() == images.tar(FILES)


def test_an_encrypted_image_is_refused_because_its_copy_would_be_plain(tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(b"\x8c\x0d\x04\x09\x03\x02" + bytes(600))
    result = run("x.aci", "y.aci", "--label", "a=b", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (65, b"actool: x.aci: encrypted with PGP; decrypt it first with actool decrypt\n")
    assert [path.name for path in tmp_path.iterdir()] == ["x.aci"]
