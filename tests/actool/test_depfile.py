"""Rules for make: the second make does nothing, and one after a change does something, whatever the names are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acspec.archive.write import ImageSettings
from acspec.errors import UsageError
from actool.build import BuildRequest, build
from actool.depfile import Depfile
from actool.sources import SourceRequest
from tests.support import images

ODD = [f"{before}{character}{after}" for character in " #:*?[]~%&'\"$=!,@^+<>{}`é" for before in ("", "a") for after in ("", "b")]
# Those that make has no spelling for.
UNSPEAKABLE = ["a\nb", "a\tb", "a\\b", "a;b", "a|b", "a(b)", "ends with "]


def _make(directory: Path) -> str:
    # As typed, also where make itself runs these tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(["make", "-r", "out"], cwd=directory, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "Makefile").write_text("out:\n\t@echo made; touch out\ninclude out.d\n")
    for name in {*ODD, *UNSPEAKABLE} - {" ", "a "}:
        path = tmp_path / "d" / name
        path.touch()
        os.utime(path, (1000, 1000))
    os.utime(tmp_path / "d", (1000, 1000))
    with Depfile(str(tmp_path / "out.d"), "out") as depfile:
        depfile.add("d")
        for name in os.listdir(tmp_path / "d"):
            depfile.add(f"d/{name}")
        depfile.commit()
    (tmp_path / "out").touch()
    os.utime(tmp_path / "out", (2000, 2000))
    return tmp_path


def test_nothing_is_made_while_nothing_changes(directory: Path) -> None:
    assert "up to date" in _make(directory)


@pytest.mark.parametrize("name", [name for name in ODD if not name.endswith(" ")])
def test_it_is_made_again_when_a_file_changes_or_goes_that_is_called(name: str, directory: Path) -> None:
    os.utime(directory / "d" / name, (3000, 3000))
    assert _make(directory) == "made\n"
    (directory / "d" / name).unlink()
    assert _make(directory) == "made\n"


def test_it_is_made_again_when_a_file_appears(directory: Path) -> None:
    (directory / "d" / "new").touch()
    assert _make(directory) == "made\n"
    assert "up to date" in _make(directory)


def test_a_target_that_make_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make has no spelling"):
        Depfile(str(tmp_path / "x.d"), "a;b.aci")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    with Depfile(str(tmp_path / "x.d"), "x.aci") as depfile:
        depfile.add("file")
    assert not list(tmp_path.iterdir())


LINKS = {
    "to nothing": "nowhere",
    "to itself": "odd",
    "in a chroot, to what is newer here": "/proc/self",
    "with a target that no name is as long as": "t" * 1000,
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A directory where make has an image built, once, of a layout that has a directory `rootfs/etc`."""
    (tmp_path / "layout/rootfs/etc").mkdir(parents=True)
    (tmp_path / "layout/manifest").write_bytes(images.manifest_bytes())
    (tmp_path / "Makefile").write_text("out:\n\t@echo made; touch out\ninclude out.d\n")
    return tmp_path


def _build(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build as make would have it done, with times that leave no doubt about which file is the newer one."""
    monkeypatch.chdir(directory)
    for path in ("layout/rootfs/etc", "layout/rootfs", "layout/manifest", "layout"):
        os.utime(path, (1000, 1000))
    build(BuildRequest(SourceRequest("layout"), "out.aci", True, ImageSettings(), "out.d"))
    (directory / "out.d").write_text((directory / "out.d").read_text().replace("out.aci", "out"))
    (directory / "out").touch()
    os.utime(directory / "out", (2000, 2000))


@pytest.mark.parametrize("case", LINKS)
def test_nothing_is_made_while_there_is_only_a_link(case: str, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "layout/rootfs/etc/odd").symlink_to(LINKS[case])
    _build(built, monkeypatch)
    assert "up to date" in _make(built)


def test_it_is_made_again_when_a_link_becomes_another_one(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (built / "layout/rootfs/etc/odd").symlink_to("nowhere")
    _build(built, monkeypatch)
    (built / "layout/rootfs/etc/odd").unlink()
    (built / "layout/rootfs/etc/odd").symlink_to("elsewhere")
    assert _make(built) == "made\n"
