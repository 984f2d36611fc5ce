"""What a file is, and what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import MissingInputError
from actool.checks.report_text import format_lines
from actool.checks.reports import Report, Severity
from actool.checks.validate import validate
from actool.command_validate import validate_command
from tests.support import images
from tests.support.corpus import CORPUS

POD = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [{"name": "a", "image": {"id": "sha512-" + "0" * 128}}]}
# What the app of the images here executes.
HELLO: dict[str, Any] = {"bin": None, "bin/hello": images.Node(b"#!/bin/hello\n", mode=0o755)}


def messages(report: Report) -> list[str]:
    """Return what is said in *report*, each with its place."""
    return [f"{found.place}: {found.message}" if found.place else found.message for found in report.diagnostics]


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Path]:
    """One good file of each kind, by what it is."""
    files = {name: tmp_path / name for name in ("image", "layout", "image manifest", "pod manifest")}
    images.write_image(files["image"], HELLO)
    (files["layout"] / "rootfs/bin").mkdir(parents=True)
    (files["layout"] / "rootfs/bin/hello").write_bytes(HELLO["bin/hello"].data)
    (files["layout"] / "rootfs/bin/hello").chmod(0o755)
    (files["layout"] / "manifest").write_bytes(images.manifest_bytes())
    files["image manifest"].write_bytes(b" \n\t" + images.manifest_bytes())
    files["pod manifest"].write_text(json.dumps(POD))
    return files


@pytest.mark.parametrize("kind", ["image", "layout", "image manifest", "pod manifest"])
def test_a_file_is_told_by_its_content(kind: str, good: dict[str, Path]) -> None:
    report = validate(str(good[kind]))
    assert (report.kind, report.diagnostics) == (kind.replace(" ", "-"), ())


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


def test_a_manifest_of_another_kind_is_told_only_that(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.aci"
    path.write_bytes(images.image({}, json.dumps({"acKind": "PodManifest", "name": "A"}).encode()))
    (tmp_path / "old").write_text('{"acKind": "ContainerRuntimeManifest", "acVersion": "0.4.1"}')
    assert validate_command([str(path), str(tmp_path / "old")]) == 1
    first, second = capfd.readouterr().err.splitlines()
    assert first.endswith('manifest: acKind: "PodManifest" is not ImageManifest')
    assert "this is a container runtime manifest of a specification before 0.5" in second


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
    found = validate(str(path)).diagnostics
    assert len(found) == 101
    assert (found[-1].message, found[-1].rule) == ("and 4,900 more", "more-warnings")


def test_a_good_file_is_passed_without_jsonschema(good: dict[str, Path]) -> None:
    code = (
        "import sys; from actool.checks.validate import validate;"
        "[validate(path) for path in sys.argv[1:]]; assert 'jsonschema' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, *map(str, good.values())], check=True)


def test_a_missing_file_counts_more_than_a_fault(good: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    assert validate_command(["/nowhere", _broken(good, "image"), str(good["layout"])]) == 66
    assert capfd.readouterr().err.splitlines()[0] == "actool: /nowhere: no such file"


def test_a_warning_is_told_unless_quiet_and_a_fault_when_strict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.aci"
    path.write_bytes(images.tar(HELLO)[:-512])
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
    report = validate(str(tmp_path / "file"))
    assert {found.severity for found in report.diagnostics} == {Severity.ERROR}
    assert report.exit_code == 1


@pytest.mark.parametrize("case", CORPUS)
def test_an_image_is_at_fault_when_the_reader_refuses_it_and_only_then(case: str, tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(CORPUS[case].data)
    report = validate(str(tmp_path / "x.aci"))
    errors = [found.message for found in report.diagnostics if found.severity is Severity.ERROR]
    assert bool(errors) is bool(CORPUS[case].refused), errors
    for line in format_lines(report):
        assert line.startswith(str(tmp_path / "x.aci"))


def test_a_missing_file_is_missing() -> None:
    with pytest.raises(MissingInputError, match="/nowhere: no such file"):
        validate("/nowhere")


def test_a_damaged_image_is_told_of_with_the_faults_of_its_manifest_and_nothing_else(tmp_path: Path) -> None:
    bad = json.dumps({**FAULTY, "acVersion": "0.8.11"}).encode()
    (tmp_path / "x.aci").write_bytes(images.image({"a": images.Node(mode=0o4755)}, bad, "none")[:-1500])
    rules = [found.rule for found in validate(str(tmp_path / "x.aci")).diagnostics]
    assert rules == ["archive", "manifest-schema", "manifest-schema"]


def test_what_the_reader_refuses_in_an_archive_is_said_of_the_entry(tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(images.archive([images.tar({"a": b"", "b": b""})[:-1024], images.member("rootfs/a")]))
    (found,) = validate(str(tmp_path / "x.aci")).diagnostics
    assert (found.rule, found.entry, found.message) == ("archive", "rootfs/a", "appears twice")


def test_what_an_image_cannot_hold_is_said_of_the_entry_of_a_layout(good: dict[str, Path]) -> None:
    (good["layout"] / "rootfs/pipe").mkdir()
    (good["layout"] / "third").touch()
    (found,) = validate(str(good["layout"])).diagnostics
    assert (found.rule, found.entry) == ("layout", "third")


def test_places_in_a_manifest_on_the_disk_have_lines_when_asked_for(tmp_path: Path) -> None:
    for kind in ("manifest", "layout", "image"):
        _write_faulty(tmp_path / kind, kind)

    def lines(kind: str, *, positions: bool) -> set[int]:
        return {found.line for found in validate(str(tmp_path / kind), positions=positions).diagnostics}

    assert (lines("manifest", positions=True), lines("layout", positions=True), lines("image", positions=True)) == ({1}, {1}, {0})
    assert lines("manifest", positions=False) == {0}


def test_the_manifest_may_come_after_the_files_that_it_names(tmp_path: Path) -> None:
    parts = images.tar({"etc": None, "etc/passwd": b"www:x:33:33::/:/x\n", "bin": "usr/bin"}, b"")[512:-1024]
    app = {"exec": ["/bin/hello"], "user": "www", "group": "33"}
    last = images.member("manifest", json.dumps({**images.MANIFEST, "app": app}).encode())
    (tmp_path / "x.aci").write_bytes(images.archive([parts, last]))
    assert messages(validate(str(tmp_path / "x.aci"))) == [
        'app.exec[0]: "/bin/hello" leads to "/usr/bin/hello", which is not in the rootfs'
    ]


def test_a_file_whose_name_no_terminal_could_show_is_shown_all_the_same(tmp_path: Path, capfdbinary: Any) -> None:
    path = tmp_path / "x\x1b\udcff"
    images.write_image(path, HELLO)
    assert validate_command([str(path)], verbose=True) == 0
    assert capfdbinary.readouterr().out.split(b"/")[-1].startswith(b"x\\x1b\\xff: image, sha512-")


def test_a_manifest_at_fault_is_told_with_what_is_odd_about_it(tmp_path: Path) -> None:
    app = {"exec": ["/x"], "user": "0", "group": "0", "ports": [{"name": "p", "protocol": "tcp", "port": 1, "count": 0}]}
    (tmp_path / "manifest").write_bytes(images.manifest_bytes(app={**app, "workingDirectory": "x"}, annotations=1))
    report = validate(str(tmp_path / "manifest"))
    rules = [diagnostic.rule for diagnostic in report.diagnostics]
    assert rules == ["manifest-schema", "manifest-schema", "port-count"]
