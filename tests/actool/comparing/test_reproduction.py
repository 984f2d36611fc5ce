"""Whether a layout builds an image again: typed as a person would, and why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.archive.compression import Compression
from acspec.archive.write import ImageSettings
from acspec.errors import FormatError
from actool.comparing.reproduction import ReproductionRequest, verify_reproduction
from actool.sources import SourceRequest
from tests.support import hostile
from tests.support.images import image, manifest_bytes

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())"]
EPOCH = 1_000_000_000


def run(*words: str, cwd: Path, data: bytes = b"", epoch: int | None = None) -> subprocess.CompletedProcess[bytes]:
    more = {} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)}
    return subprocess.run([*PROGRAM, *words], input=data, capture_output=True, check=False, cwd=cwd, env={**os.environ, **more})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a layout of a fixed age, and the image that it builds."""
    (tmp_path / "layout/rootfs/bin").mkdir(parents=True)
    (tmp_path / "layout/rootfs/bin/app").write_bytes(b"app" * 1000)
    os.link(tmp_path / "layout/rootfs/bin/app", tmp_path / "layout/rootfs/bin/again")
    (tmp_path / "layout/rootfs/link").symlink_to("bin/app")
    (tmp_path / "layout/manifest").write_bytes(manifest_bytes())
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        os.utime(path, (2 * EPOCH, 2 * EPOCH), follow_symlinks=False)
    assert run("build", "layout", "x.aci", cwd=tmp_path).returncode == 0
    return tmp_path


def verify(place: Path, *words: str, **more: Any) -> tuple[int, list[str]]:
    ended = run("verify-repro", *words, cwd=place, **more)
    assert ended.stderr == b""
    return ended.returncode, ended.stdout.decode().splitlines()


def test_what_a_layout_builds_it_builds_again(place: Path) -> None:
    assert verify(place, "layout", "x.aci") == (0, [])
    assert verify(place, "--exact", "layout", "x.aci") == (0, [])
    assert sorted(path.name for path in place.iterdir()) == ["layout", "x.aci"]


def test_the_image_may_come_through_a_pipe(place: Path) -> None:
    for words in ([], ["--exact"]):
        assert verify(place, *words, "layout", "-", data=(place / "x.aci").read_bytes()) == (0, [])


@pytest.mark.parametrize("compression", list(Compression))
def test_the_compression_is_that_of_the_image(place: Path, compression: Compression) -> None:
    assert run("build", "layout", "y.aci", "--compression", compression.value, cwd=place).returncode == 0
    assert verify(place, "--exact", "layout", "y.aci") == (0, [])


def test_another_compression_is_told_when_it_is_asked_for(place: Path) -> None:
    assert run("build", "layout", "y.aci", "--compression-encoder=zlib", cwd=place).returncode == 0
    assert verify(place, "layout", "y.aci") == (0, [])
    code, lines = verify(place, "--exact", "layout", "y.aci")
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith("compression the same image, compressed otherwise")
    assert verify(place, "--exact", "--compression-encoder=zlib", "layout", "y.aci") == (0, [])
    assert verify(place, "--exact", "--compression=xz", "layout", "x.aci")[0] == 1


def test_times_that_were_capped_are_explained_and_then_verified(place: Path) -> None:
    assert run("build", "layout", "y.aci", cwd=place, epoch=EPOCH).returncode == 0
    code, lines = verify(place, "layout", "y.aci")
    assert code == 1
    assert lines == [
        "time        5 differ: manifest, rootfs, rootfs/bin and 2 more (all as SOURCE_DATE_EPOCH=1000000000 would make them)"
    ]
    assert verify(place, "--exact", "layout", "y.aci", epoch=EPOCH) == (0, [])


def test_modes_that_a_umask_made_are_explained_and_then_verified(place: Path) -> None:
    assert run("build", "layout", "y.aci", "--fixed-modes", cwd=place).returncode == 0
    (place / "layout/rootfs").chmod(0o775)
    (place / "layout/rootfs/bin/app").chmod(0o600)
    code, lines = verify(place, "layout", "y.aci")
    why = "(made under another umask? --fixed-modes gives all the modes that git knows)"
    assert (code, lines) == (1, [f"mode        2 differ: rootfs, rootfs/bin/again {why}"])
    assert verify(place, "--fixed-modes", "layout", "y.aci") == (0, [])


@pytest.mark.privileged
def test_owners_are_explained_and_then_verified(place: Path) -> None:
    os.chown(place / "layout/rootfs/bin/app", 5, 6)
    assert run("build", "layout", "y.aci", "--owner-root", cwd=place).returncode == 0
    code, lines = verify(place, "layout", "y.aci")
    assert (code, lines) == (1, ["owner       1 differ: rootfs/bin/again (all as --owner-root would make them)"])
    assert verify(place, "--owner-root", "layout", "y.aci") == (0, [])


def test_what_was_changed_since_is_told(place: Path) -> None:
    app = place / "layout/rootfs/bin/app"
    app.write_bytes(b"ape" * 1000)
    os.utime(app, (2 * EPOCH, 2 * EPOCH))
    (place / "layout/rootfs/link").unlink()
    os.utime(place / "layout/rootfs", (2 * EPOCH, 2 * EPOCH))
    assert verify(place, "layout", "x.aci") == (
        1,
        ["added       1 only in the image: rootfs/link", "content     1 differ: rootfs/bin/again"],
    )


def test_an_image_of_another_tar_is_the_same_but_for_its_form(place: Path) -> None:
    tar = ["tar", "--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-cf", "../y.aci"]
    subprocess.run([*tar, "rootfs", "manifest"], cwd=place / "layout", check=True)
    code, lines = verify(place, "--owner-root", "layout", "y.aci")
    assert code == 1
    assert lines == [
        "form        the same files, written otherwise: the order of the entries "
        "(made by another program, or another version of this one?)"
    ]


def test_json_is_one_object(place: Path) -> None:
    assert run("build", "layout", "y.aci", cwd=place, epoch=EPOCH).returncode == 0
    code, lines = verify(place, "--json", "layout", "y.aci")
    verdict = json.loads(lines[0])
    assert (code, verdict["same"]) == (1, False)
    assert verdict["builtID"] == run("id", "x.aci", cwd=place).stdout.decode().strip()
    assert verdict["imageID"] == run("id", "y.aci", cwd=place).stdout.decode().strip()
    assert verdict["causes"] == [
        {
            "cause": "time",
            "count": 5,
            "examples": ["manifest", "rootfs", "rootfs/bin"],
            "hint": "all as SOURCE_DATE_EPOCH=1000000000 would make them",
        }
    ]
    code, lines = verify(place, "--json", "layout", "x.aci")
    assert (code, json.loads(lines[0])["same"], json.loads(lines[0])["causes"]) == (0, True, [])


def test_quiet_leaves_the_answer_to_the_exit_code(place: Path) -> None:
    (place / "other.aci").write_bytes(image({}))
    assert verify(place, "-q", "layout", "x.aci") == (0, [])
    assert verify(place, "-q", "--json", "layout", "other.aci") == (1, [])


@pytest.mark.parametrize("sentence", hostile.ALL)
def test_a_hostile_image_is_refused_in_the_words_of_validate(place: Path, sentence: str) -> None:
    make, words = hostile.ALL[sentence]
    (place / "bad.aci").write_bytes(make())
    request = ReproductionRequest(SourceRequest(str(place / "layout")), str(place / "bad.aci"), ImageSettings())
    with pytest.raises(FormatError) as caught:
        verify_reproduction(request)
    assert words in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(place: Path) -> None:
    (place / "layout/third").touch()
    ended = run("verify-repro", "layout", "x.aci", cwd=place)
    assert (ended.returncode, ended.stdout) == (65, b"")
    assert ended.stderr == b'actool: layout: "third": outside rootfs; a layout holds only manifest and rootfs\n'


def test_what_was_left_out_of_the_image_is_left_out_again(place: Path) -> None:
    assert run("build", "layout", "y.aci", "--exclude", "link", cwd=place).returncode == 0
    assert verify(place, "layout", "y.aci", "--exclude", "link") == (0, [])
    code, lines = verify(place, "layout", "y.aci")
    assert code == 1
    assert "link" in "\n".join(lines)


def test_parts_given_apart_build_it_as_well(place: Path) -> None:
    words = ["--manifest", "layout/manifest", "--rootfs", "layout/rootfs", "--exact", "--compression-level", "2"]
    assert verify(place, *words, "x.aci") == (0, [])
