"""Completion in shells: the files are what the programs say now, and bash completes by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.sources import ROOT, load_script

FOLDER = ROOT / "docs/completion"


def _generator() -> ModuleType:
    return load_script("docs/completion/make.py")


def test_the_files_are_what_the_programs_say_now() -> None:
    helps = _generator().load_helps().gather(Path(sys.executable).parent)
    made = _generator().make_completions(helps)
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {*made, "make.py"}
    assert [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text] == [], "make man"


def _complete(line: str, directory: Path) -> set[str]:
    """Return what bash offers for the last word of *line*."""
    words = line.split(" ")
    script = (
        'source "$1"; shift; program=$1; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$program"; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", script, "bash", str(FOLDER / f"{words[0]}.bash"), *words]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


CASES = {
    "the commands": ("actool b", {"build"}),
    "a command that is longer than another": ("actool cat-", {"cat-manifest"}),
    "the options of a command": ("actool build --compression-", {"--compression-encoder", "--compression-level"}),
    "the values of an option": ("actool build --compression x", {"xz"}),
    "the values behind an equals sign, which bash makes a word of": ("actool build --compression = g", {"gzip"}),
    "files for an option that takes one": ("actool build --manifest fi", {"file.aci"}),
    "directories alone for one that takes such": ("actool build --rootfs ", {"folder"}),
    "nothing for a number": ("actool build --compression-level ", set()),
    "files for an argument": ("actool validate fi", {"file.aci"}),
    "a command below a command": ("acfetch trust a", {"add"}),
    "the options of one below another": ("acfetch trust remove --", {"--prefix", "--root", "--help"}),
    "the verbs of stage1": ("acstage1 e", {"enter"}),
    "the options of one of its verbs": ("acstage1 stop --f", {"--force"}),
}


@pytest.mark.parametrize(("line", "offered"), CASES.values(), ids=CASES)
def test_bash_completes(line: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "file.aci").touch()
    (tmp_path / "folder").mkdir()
    assert _complete(line, tmp_path) == offered
