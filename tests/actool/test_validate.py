"""What a file is, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acspec.errors import FormatError, MissingInputError
from actool.command_validate import validate_command
from actool.validate import validate
from tests.support import images

POD = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": []}


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Path]:
    """One good file of each kind, by what it is."""
    files = {name: tmp_path / name for name in ("image", "layout", "image manifest", "pod manifest")}
    images.write_image(files["image"])
    (files["layout"] / "rootfs").mkdir(parents=True)
    (files["layout"] / "manifest").write_bytes(images.manifest_bytes())
    files["image manifest"].write_bytes(b" \n\t" + images.manifest_bytes())
    files["pod manifest"].write_text(json.dumps(POD))
    return files


@pytest.mark.parametrize("kind", ["image", "layout", "image manifest", "pod manifest"])
def test_a_file_is_told_by_its_content(kind: str, good: dict[str, Path]) -> None:
    assert kind in validate(str(good[kind])).kind


def test_good_files_are_passed_in_silence(good: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert validate_command([str(path) for path in good.values()]) == 0
    assert capfd.readouterr() == ("", "")


def test_every_good_file_has_a_line_when_asked_for(good: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert validate_command([str(path) for path in good.values()], verbose=True) == 0
    out, err = capfd.readouterr()
    assert [line.split(": ")[0] for line in out.splitlines()] == [str(path) for path in good.values()]
    assert err == ""


def _broken(good: dict[str, Path], kind: str) -> str:
    path = good[kind]
    if kind == "layout":
        (path / "manifest").write_bytes(b"{}")
    else:
        path.write_bytes(path.read_bytes().replace(b"acKind", b"acKing")[:-9])
    return str(path)


@pytest.mark.parametrize("kind", ["image", "layout", "image manifest", "pod manifest"])
def test_a_file_at_fault_has_one_line_and_the_answer_is_no(
    kind: str, good: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    broken = _broken(good, kind)
    assert validate_command([*map(str, good.values()), broken]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith(f"actool: {broken}")]
    assert len(lines) == len(err.splitlines()) == 2


def test_a_missing_file_counts_more_than_a_fault(good: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert validate_command(["/nowhere", _broken(good, "image"), str(good["layout"])]) == 66
    assert len(capfd.readouterr().err.splitlines()) == 2


def test_a_warning_is_told_unless_quiet_and_a_fault_when_strict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.aci"
    path.write_bytes(images.tar({})[:-512])
    assert validate_command([str(path)]) == 0
    assert "warning: the archive ends with one block of zeros" in capfd.readouterr().err
    assert validate_command([str(path)], quiet=True) == 0
    assert capfd.readouterr().err == ""
    assert validate_command([str(path)], quiet=True, strict=True) == 1
    assert "the archive ends with one block" in capfd.readouterr().err


FAULTS = {
    "an image whose manifest is not valid": images.image({}, b"{}"),
    "an image whose manifest is no JSON": images.image({}, b"manifest"),
    "text": b"hello",
    "nothing": b"",
    "nothing but space": b"\n\n",
    "a list": b"[]",
    "two objects": images.manifest_bytes() * 2,
    "a manifest of another kind": b'{"acKind": "ContainerRuntimeManifest", "acVersion": "0.5.0"}',
    "a manifest larger than the limit": b"{" + b" " * (1 << 20),
}


@pytest.mark.parametrize("content", FAULTS.values(), ids=FAULTS)
def test_a_file_is_refused_that_holds(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(FormatError):
        validate(str(tmp_path / "file"))


def test_a_missing_file_is_missing() -> None:
    with pytest.raises(MissingInputError, match="/nowhere: no such file"):
        validate("/nowhere")
