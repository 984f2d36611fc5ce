"""First manifests, and the layout directories around them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.write import ImageSettings
from acspec.errors import OutputError, UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.labels import host_platform
from actool.build import BuildRequest, build
from actool.command_changes import read_changes
from actool.init import make_layout, make_manifest
from actool.sources import SourceRequest
from tests.support.users import as_ordinary_user, place_of_everybody

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())", "init"]
HOST = host_platform()


def made(platform: bool = True, **options: Any) -> dict[str, Any]:
    """Return the manifest that options make, by the names of their parameters."""
    manifest = make_manifest(read_changes(**options), platform=platform)
    parse_image_manifest(manifest)
    value: dict[str, Any] = json.loads(manifest)
    return value


def labels(value: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in value.get("labels", [])}


def test_a_manifest_holds_what_was_said_in_the_order_of_the_specification() -> None:
    value = made(program="/bin/app --flag", env=["A=1"], label=["version=1"], name="example.com/app", annotation=["authors=A"])
    assert list(value) == ["acKind", "acVersion", "name", "labels", "app", "annotations"]
    assert value["app"] == {
        "exec": ["/bin/app", "--flag"],
        "user": "0",
        "group": "0",
        "environment": [{"name": "A", "value": "1"}],
    }
    assert labels(value) == {"version": "1", **HOST}


PLATFORMS: dict[str, tuple[list[str], bool, dict[str, str]]] = {
    "nothing is said": ([], True, HOST),
    "another arch is given": (["arch=s390x"], True, {"os": "linux", "arch": "s390x"}),
    "another os is given, which has machines of its own": (["os=freebsd"], True, {"os": "freebsd"}),
    "both are given": (["os=freebsd", "arch=arm"], True, {"os": "freebsd", "arch": "arm"}),
    "none is wanted": ([], False, {}),
}


@pytest.mark.parametrize("case", PLATFORMS)
def test_the_labels_os_and_arch_when(case: str) -> None:
    given_labels, platform, expected = PLATFORMS[case]
    assert labels(made(platform, name="a", label=given_labels)) == expected


def test_an_image_to_build_on_needs_no_app() -> None:
    assert "app" not in made(name="example.com/base", path_whitelist=["/lib"])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"label": ["version=1"]}, r"--name: missing option"),
    "an app that runs nothing": ({"name": "a", "user": "1"}, r"--user: there is no app in the manifest \(--exec makes one\)"),
    "no machine": ({"name": "a", "label": ["arch=vax"]}, r'labels\[0\]\.value: "vax" is no arch'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_manifest_is_refused_for(case: str) -> None:
    options, line = REFUSED[case]
    with pytest.raises(UsageError, match=line):
        made(**options)


MANIFEST = make_manifest(read_changes(name="example.com/app"), platform=False)


def test_a_new_layout_is_what_build_takes(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        make_layout(f"{tmp_path}/layout/", MANIFEST)
    finally:
        os.umask(before)
    assert sorted(path.name for path in (tmp_path / "layout").iterdir()) == ["manifest", "rootfs"]
    assert (tmp_path / "layout").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "layout/manifest").stat().st_mode & 0o777 == 0o640
    build(BuildRequest(SourceRequest(str(tmp_path / "layout")), str(tmp_path / "x.aci"), False, ImageSettings()))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_directory_with_a_rootfs_gets_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "rootfs/file").write_text("mine")
    make_layout(str(tmp_path), MANIFEST)
    assert (tmp_path / "rootfs/file").read_text() == "mine"
    assert (tmp_path / "manifest").read_bytes() == MANIFEST


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_manifest_that_is_there_stays(tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / "manifest").write_text("mine")
    else:
        (tmp_path / "manifest").symlink_to("elsewhere")
    with pytest.raises(OutputError, match=r"manifest: already exists \(edit it, or remove it first\)"):
        make_layout(str(tmp_path), MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest"]


TAKEN = {
    "the place is a file's": ("file", r"file: already exists, and is not a directory"),
    "the place is that of a link to nothing": ("link", r"link: already exists, and is not a directory"),
    "the directory above is not there": ("nowhere/layout", r"nowhere/layout: cannot be made: no such file"),
    "the rootfs is a file": ("bad", r"bad/rootfs: cannot be made: file exists"),
    "there is no name": ("", "not the name of a directory"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_no_layout_is_made_when(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place, line = TAKEN[case]
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nothing")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/rootfs").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((OutputError, UsageError), match=line):
        make_layout(place, MANIFEST)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_left_where_nothing_may_be_written() -> None:
    with place_of_everybody() as place:
        (place / "theirs").mkdir(mode=0o755)
        with pytest.raises(OutputError, match="permission denied"):
            as_ordinary_user(lambda: make_layout(str(place / "theirs"), MANIFEST))
        assert os.listdir(place / "theirs") == []


def test_a_full_disk_leaves_no_half_of_a_layout(tmp_path: Path) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16));"
    (tmp_path / "there").mkdir()
    for place in ("new", "there"):
        words = [sys.executable, "-c", limit + PROGRAM[2], "init", "--name", "a", place]
        result = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (74, "")
        assert result.stderr.endswith("manifest: file too large\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_without_a_directory_the_manifest_is_printed(tmp_path: Path) -> None:
    words = [*PROGRAM, "--name", "example.com/app", "--no-platform"]
    for place in ([], ["-"]):
        result = subprocess.run([*words, *place], capture_output=True, check=False, cwd=tmp_path)
        assert (result.returncode, result.stdout, result.stderr) == (0, MANIFEST, b"")
    assert list(tmp_path.iterdir()) == []


@given(some.text(alphabet="ab/.-A"), some.lists(some.sampled_from(["os=linux", "os=x", "arch=arm", "version=1"]), max_size=3))
def test_any_options_make_a_valid_manifest_or_are_refused_with_our_error(name: str, given_labels: list[str]) -> None:
    try:
        assert made(name=name, label=given_labels)["name"] == name
    except UsageError:
        return
