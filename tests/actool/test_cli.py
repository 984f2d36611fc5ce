"""The installed program: its streams, its exit codes, what it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actool.cli import COMMANDS
from tests.support import images

PROGRAM = [sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())"]


def run(*words: str, data: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], input=data, capture_output=True, check=False, cwd=cwd)


def test_help_lists_all_commands() -> None:
    result = run("--help")
    assert result.returncode == 0
    assert result.stderr == b""
    assert all(f"\n  {name} " in result.stdout.decode() for name in COMMANDS)
    assert run("-h").stdout == run("help").stdout == result.stdout


def test_a_call_without_a_command_is_a_fault_that_explains_itself() -> None:
    result = run()
    assert (result.returncode, result.stdout, result.stderr) == (2, b"", run("--help").stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"actool {command}".encode() in result.stdout
    assert run("help", command).stdout == result.stdout


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_the_version_is_printed(words: list[str]) -> None:
    assert run(*words).stdout == b"actool 0.1.0 (App Container specification 0.8.11)\n"


USAGE = {
    "an unknown command": ["explode"],
    "an unknown option": ["id", "--explode", "x.aci"],
    "no argument": ["build"],
    "an argument too many": ["extract", "a", "b", "c"],
    "a compression that there is not": ["build", "--compression", "zstd", "a", "b.aci"],
    "an output of another name": ["build", ".", "x.tar.gz"],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is_one_line_and_2(words: list[str]) -> None:
    result = run(*words)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"actool: ")
    assert result.stderr.count(b"\n") == 1


WRONG = {
    "nothing": (["ls"], "IMAGE: missing argument (--help shows the options)"),
    "a slip in an option": (["ls", "--jsn", "x"], "--jsn: no such option (did you mean --json?)"),
    "an option of another program": (["ls", "-x"], "-x: no such option (--help shows the options)"),
    "a slip in a command": (["lss"], "lss: no such command (did you mean ls?)"),
    "a command of another program": (["explode"], "explode: no such command (--help shows the commands)"),
    "a word too many": (["ls", "a", "b"], "b: more than the command takes (--help shows the options)"),
    "an option without its value": (["build", "--compression"], "--compression: requires an argument (--help shows the options)"),
    "a value for a switch": (["ls", "--json=3", "x"], "--json: does not take a value (--help shows the options)"),
    "a value that there is not": (
        ["build", "--compression", "zstd", "a", "b.aci"],
        "--compression: 'zstd' is not one of 'none', 'gzip', 'bzip2', 'xz' (--help shows the options)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_usage_error_says_what_and_why_and_what_to_do(case: str) -> None:
    words, line = WRONG[case]
    result = run(*words)
    assert (result.returncode, result.stdout, result.stderr.decode()) == (2, b"", f"actool: {line}\n")


def test_an_empty_name_is_shown_as_one(tmp_path: Path) -> None:
    assert run("id", "", cwd=tmp_path).stderr == b'actool: "": no such file\n'


def test_a_pipe_of_all_commands_from_layout_to_layout(tmp_path: Path) -> None:
    (tmp_path / "layout/rootfs").mkdir(parents=True)
    (tmp_path / "layout/manifest").write_bytes(images.manifest_bytes())
    built = run("build", "layout", "-", "--print-id", cwd=tmp_path)
    assert built.returncode == 0
    assert run("id", "-", data=built.stdout).stdout == built.stderr
    assert run("cat-manifest", "-", data=built.stdout).stdout == images.manifest_bytes()
    assert run("validate", "-v", "-", data=built.stdout).stdout.startswith(b"-: image, sha512-")
    assert run("validate", "-", data=images.manifest_bytes()).returncode == 0
    assert run("extract", "-", "again", data=built.stdout, cwd=tmp_path).returncode == 0
    assert run("build", "again", "-", cwd=tmp_path).stdout == built.stdout


def test_faults_have_the_exit_codes_of_the_suite(tmp_path: Path) -> None:
    (tmp_path / "bad.aci").write_bytes(b"bad")
    assert run("id", "bad.aci", cwd=tmp_path).returncode == 65
    assert run("validate", "bad.aci", cwd=tmp_path).returncode == 1
    assert run("id", "nowhere.aci", cwd=tmp_path).returncode == 66
    assert run("extract", "bad.aci", "bad.aci", cwd=tmp_path).returncode == 73


def test_no_line_is_printed_for_any_image_when_one_is_bad(tmp_path: Path) -> None:
    images.write_image(tmp_path / "good.aci")
    (tmp_path / "bad.aci").write_bytes(b"bad")
    result = run("id", "good.aci", "bad.aci", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (65, b"")


def test_a_reader_that_goes_away_ends_the_program_quietly(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", manifest=images.manifest_bytes(padding="x" * 500_000))
    reading, writing = os.pipe()
    os.close(reading)
    command = [*PROGRAM, "cat-manifest", "x.aci"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--version"], ["typer", "isal", "dataclasses", "hashlib", "json"]),
        (
            ["extract", "x.aci", "x"],
            ["typer", "typing", "re", "inspect", "dataclasses", "json", "hashlib", "tempfile", "subprocess"],
        ),
        (["validate", "x.aci"], ["typer", "typing", "re", "inspect", "json", "tempfile", "subprocess"]),
        (["id", "x.aci"], ["rich", "pydantic", "click", "httpx", "jsonschema", "gnupg", "concurrent.futures", "actool.build"]),
    ],
)
def test_nothing_is_imported_before_it_is_needed(words: list[str], absent: list[str], tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci")
    code = f"import sys; from actool.cli import main; main(); print(*(m for m in {absent!r} if m in sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stderr.splitlines()[-1] == ""
