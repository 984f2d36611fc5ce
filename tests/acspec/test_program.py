"""How every program starts and ends, tried with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.errors import FormatError
from acspec.program import tell

PRELUDE = "import os, sys; from acspec.program import run_program; from acspec import errors\ndef main():\n    "

ENDS = {
    "a fine end": ("print('result')", 0, "result\n", ""),
    "an exit code of its own": ("return 3", 3, "", ""),
    "a bad manifest": ("raise errors.FormatError('m', 'is bad', 'mend it')", 65, "", "tool: m: is bad (mend it)\n"),
    "a file that is not there": ("open('/nonexistent/f')", 66, "", "tool: /nonexistent/f: no such file or directory\n"),
    "a file that may not be read": ("raise PermissionError(13, 'x', '/f')", 77, "", "tool: /f: permission denied\n"),
    "a full disk": ("raise OSError(28, 'x', '/f')", 74, "", "tool: /f: no space left on device\n"),
    "an output that cannot be": ("raise OSError(30, 'x', '/f')", 73, "", "tool: /f: read-only file system\n"),
    "a refused call": ("raise OSError(22, 'x')", 71, "", "tool: system: invalid argument\n"),
    "a refused call that is named": ("raise OSError(22, 'setns: Invalid argument')", 71, "", "tool: setns: invalid argument\n"),
    "a call that is not there": (
        "raise OSError(38, 'x')",
        71,
        "",
        "tool: system: this kernel lacks a system call, or a filter forbids it (Linux 5.14 has all of them)\n",
    ),
    "a call that is not there and is named": (
        "raise errors.name_call(OSError(38, os.strerror(38)), 'pidfd_open')",
        71,
        "",
        "tool: pidfd_open: this kernel lacks this system call, or a filter forbids it (Linux 5.14 has all of them)\n",
    ),
    "a call that is not there, for a path": (
        "raise OSError(38, f'openat2: {os.strerror(38)}', '/f')",
        71,
        "",
        "tool: /f: this kernel lacks openat2, or a filter forbids it (Linux 5.14 has all of them)\n",
    ),
    "a working directory that was removed": (
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); os.path.abspath('f')",
        66,
        "",
        "tool: working directory: no such file or directory\n",
    ),
    "control codes in a name": ("open('/\\x1b[2J')", 66, "", "tool: /\\x1b[2J: no such file or directory\n"),
}


def run(body: str, end: str = "run_program('tool', main)") -> subprocess.CompletedProcess[str]:
    code = f"{PRELUDE}{body}\nsys.exit({end})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("case", ENDS)
def test_each_end_has_its_code_and_its_one_line(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body, code, stdout, stderr = ENDS[case]
    result = run(body)
    assert (result.returncode, result.stdout, result.stderr) == (code, stdout, stderr)


def test_a_bug_is_a_traceback_and_70() -> None:
    result = run("{}['absent']")
    assert result.returncode == 70
    assert "KeyError" in result.stderr
    assert "bug of tool" in result.stderr


def test_a_run_of_an_app_keeps_its_own_failures_apart() -> None:
    end = "run_program('tool', main, own_failure=lambda: True)"
    assert run("raise errors.FormatError('m', 'is bad')", end).returncode == 125
    assert run("return 7", end).returncode == 7


def test_a_closed_pipe_is_a_quiet_end() -> None:
    code = PRELUDE + "[print('x' * 1000) for _ in range(10000)]\nsys.exit(run_program('tool', main))"
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert result.returncode == 141
    assert result.stderr == b""


def test_a_full_disk_below_stdout_is_told() -> None:
    code = PRELUDE + "print('x' * 100000)\nsys.exit(run_program('tool', main))"
    with open("/dev/full", "w") as full:
        result = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 74
    assert result.stderr == "tool: standard output: no space left on device\n"


def test_what_a_full_disk_did_not_take_is_not_tried_again_at_the_end() -> None:
    code = PRELUDE + "print('x', flush=True)\nsys.exit(run_program('tool', main))"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert (result.returncode, result.stderr) == (74, "tool: standard output: no space left on device\n")


def test_messages_that_a_full_disk_does_not_take_change_no_exit_code() -> None:
    code = PRELUDE + "from acspec.program import tell; tell('tool', 'a note'); return 3\nsys.exit(run_program('tool', main))"
    with open("/dev/full", "w") as full:
        assert subprocess.run([sys.executable, "-c", code], stderr=full, check=False).returncode == 3


def test_an_interrupt_is_130_without_a_traceback() -> None:
    result = run("os.kill(os.getpid(), 2); import time; time.sleep(60)")
    assert (result.returncode, result.stderr) == (130, "")


def test_closed_standard_descriptors_are_opened_on_dev_null() -> None:
    body = "sys.stdout.write('lost'); print(sorted(os.listdir('/proc/self/fd')), file=open(sys.argv[1], 'w'))"
    code = PRELUDE + body + "\nsys.exit(run_program('tool', main))"
    reader, writer = os.pipe()
    command = ["sh", "-c", 'exec "$0" -c "$1" "$2" <&- >&- 2>&-', sys.executable, code, f"/proc/{os.getpid()}/fd/{writer}"]
    assert subprocess.run(command, check=False).returncode == 0
    os.close(writer)
    with os.fdopen(reader) as output:
        names = output.read()
    assert all(f"'{number}'" in names for number in (0, 1, 2))


def test_a_killed_program_is_not_mistaken_for_an_answer() -> None:
    assert run("os.kill(os.getpid(), 15); import time; time.sleep(60)").returncode == -signal.SIGTERM


def test_a_message_is_one_line_whatever_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    tell("actool", str(FormatError("evil\nname", "is bad\x1b]0;x\x07", "rename it")))
    assert capsys.readouterr().err == "actool: evil\\x0aname: is bad\\x1b]0;x\\x07 (rename it)\n"


@pytest.mark.parametrize("tool", ["actool", "acfetch", "acrun", "acstage1"])
def test_what_is_installed_starts_without_what_starts_slowly(tool: str) -> None:
    command = os.path.join(os.path.dirname(sys.executable), tool)
    ended = subprocess.run([sys.executable, "-X", "importtime", command, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(f"{tool} ")
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "acspec.program" in imported
    assert not imported & {"re", "signal", "enum", "typer"}
