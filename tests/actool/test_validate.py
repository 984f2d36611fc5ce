"""What a file is, and what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError, MissingInputError
from actool.command_validate import validate_command
from actool.validate import get_faults, validate
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
def test_a_file_at_fault_has_its_lines_and_the_answer_is_no(
    kind: str, good: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    broken = _broken(good, kind)
    assert validate_command([*map(str, good.values()), broken]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines
    assert all(line.startswith(f"actool: {broken}:") for line in lines)
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :], "it was named twice"


FAULTY = {
    **images.MANIFEST,
    "acVersion": "1.0.0",
    "app": {
        **images.MANIFEST["app"],
        "group": None,
        "mountPoints": [{"name": "a", "path": "/a"}, {"name": "b", "path": "/b"}, {"name": "c", "path": "c"}],
    },
}
FAULTY_LINES = [
    "acVersion: version 1.0.0 of the specification is not compatible with 0.8.11",
    "app.group: is required",
    "app.mountPoints[2].path: is not an absolute path",
]


def _write_faulty(path: Path, kind: str) -> None:
    data = json.dumps(FAULTY).encode()
    if kind == "layout":
        (path / "rootfs").mkdir(parents=True)
        (path / "manifest").write_bytes(data)
    else:
        path.write_bytes(images.image({}, data) if kind == "image" else data)


@pytest.mark.parametrize("kind", ["image", "layout", "manifest"])
def test_all_faults_of_a_manifest_come_at_once_one_line_each(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    _write_faulty(path, kind)
    assert validate_command([str(path)]) == 1
    place = f"{path}" if kind == "manifest" else f"{path}: manifest"
    assert capfd.readouterr().err.splitlines() == [f"actool: {place}: {line}" for line in FAULTY_LINES]


def test_all_faults_of_a_pod_manifest_come_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pod"
    path.write_text(
        json.dumps({"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [{"name": "A"}], "volumes": [{"name": "a"}]})
    )
    assert validate_command([str(path)]) == 1
    assert [line.split(": ")[2] for line in capfd.readouterr().err.splitlines()] == [
        "apps[0].name",
        "apps[0].image",
        "volumes[0].kind",
    ]


def test_as_one_error_a_manifest_is_its_first_fault(tmp_path: Path) -> None:
    _write_faulty(tmp_path / "file", "manifest")
    with pytest.raises(FormatError, match="acVersion: version 1") as caught:
        validate(str(tmp_path / "file"))
    assert len(get_faults(caught.value)) == 3


def test_a_manifest_of_another_kind_is_told_only_that(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.aci"
    path.write_bytes(images.image({}, json.dumps({"acKind": "PodManifest", "name": "A"}).encode()))
    (tmp_path / "old").write_text('{"acKind": "ContainerRuntimeManifest", "acVersion": "0.4.1"}')
    assert validate_command([str(path), str(tmp_path / "old")]) == 1
    first, second = capfd.readouterr().err.splitlines()
    assert first.endswith('manifest: acKind: "PodManifest" is not ImageManifest')
    assert "this is a container runtime manifest of a specification before 0.5" in second


NAMED = {**images.MANIFEST, "app": {"exec": ["/x"], "user": "root", "group": "www"}}
NO_USER = 'manifest: app.user: there is no rootfs/etc/passwd to look up "root" in, so it counts as 0'
NO_GROUP = 'manifest: app.group: there is no rootfs/etc/group to look up "www" in, so the app cannot start'
UNRESOLVED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "no files": (NAMED, {}, [NO_USER, NO_GROUP]),
    "one file": (NAMED, {"etc": None, "etc/passwd": b""}, [NO_GROUP]),
    "both files": (NAMED, {"etc": None, "etc/passwd": b"", "etc/group": "passwd"}, []),
    "dependencies that may bring them": ({**NAMED, "dependencies": [{"imageName": "base"}]}, {}, []),
    "numbers": (images.MANIFEST, {}, []),
    "owners of a file": ({**NAMED, "app": {"exec": ["/x"], "user": "/x", "group": "/x"}}, {}, []),
    "no app": ({key: value for key, value in NAMED.items() if key != "app"}, {}, []),
}


@pytest.mark.parametrize("case", UNRESOLVED)
def test_names_that_nothing_gives_a_number_are_warned_of(case: str, tmp_path: Path) -> None:
    manifest, tree, warnings = UNRESOLVED[case]
    data = json.dumps(manifest).encode()
    (tmp_path / "x.aci").write_bytes(images.image(tree, data))
    assert list(validate(str(tmp_path / "x.aci")).warnings) == warnings
    (tmp_path / "layout/rootfs").mkdir(parents=True)
    (tmp_path / "layout/manifest").write_bytes(data)
    for name, content in tree.items():
        inside = tmp_path / "layout/rootfs" / name
        inside.mkdir() if content is None else inside.write_bytes(b"")
    assert list(validate(str(tmp_path / "layout")).warnings) == warnings
    (tmp_path / "manifest").write_bytes(data)
    assert validate(str(tmp_path / "manifest")).warnings == ()


def test_what_is_odd_about_a_manifest_is_told_and_a_fault_when_strict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "manifest"
    app = {**images.MANIFEST["app"], "isolators": [{"name": "x/y", "value": None}], "Ports": []}
    path.write_text(json.dumps({**images.MANIFEST, "app": app}))
    assert validate_command([str(path)]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines == [
        f'actool: {path}: warning: app.isolators[0].name: "x/y" is not an isolator of the specification: executors may ignore it',
        f'actool: {path}: warning: app.Ports: is not known; "ports" is, and case matters',
    ]
    assert validate_command([str(path)], strict=True) == 1
    assert [line.replace("warning: ", "") for line in lines] == capfd.readouterr().err.splitlines()


def test_warnings_have_an_end(tmp_path: Path) -> None:
    isolators = [{"name": "x", "value": 0}] * 5000
    path = tmp_path / "manifest"
    path.write_text(json.dumps({**images.MANIFEST, "app": {**images.MANIFEST["app"], "isolators": isolators}}))
    warnings = validate(str(path)).warnings
    assert len(warnings) == 101
    assert warnings[-1] == "and 4,900 more"


def test_a_good_file_is_passed_without_jsonschema(good: dict[str, Path]) -> None:
    code = (
        "import sys; from actool.validate import validate;"
        "[validate(path) for path in sys.argv[1:]]; assert 'jsonschema' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, *map(str, good.values())], check=True)


def test_a_missing_file_counts_more_than_a_fault(good: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert validate_command(["/nowhere", _broken(good, "image"), str(good["layout"])]) == 66
    assert capfd.readouterr().err.splitlines()[0] == "actool: /nowhere: no such file"


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
