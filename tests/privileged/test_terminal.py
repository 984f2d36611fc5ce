"""A person at a terminal, and an app that has one of its own: what is typed, what is shown, and how the person's is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import ROOT, STAGE1, AppSpec, cgroups_of, log, run, status, stop_between_attempts, write_pod
from tests.support.terminal import Terminal, at_terminal

RUN = [*STAGE1, "run", "--interactive"]


def shell(script: str, *, stdin: bool = True, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app, stdin=stdin, tty=True)


@contextmanager
def running(pod: Path, *words: str, **environment: str) -> Iterator[Terminal]:
    """Run a pod at a terminal of 33 lines and 101 columns."""
    with at_terminal([*(words or RUN), str(pod)], ROOT, {"TERM": "vt220", **environment}, (33, 101)) as terminal:
        yield terminal


SEEN = {
    "its name": ("/bin/busybox tty", "/dev/pts/0"),
    "its size": ("/bin/busybox stty size", "33 101"),
    "its type": ("echo $TERM", "vt220"),
    "its controlling terminal": ("echo through > /dev/tty", "through"),
    "its entry in /dev/pts": ("echo by name > /dev/pts/0", "by name"),
    "its owner": ("stat -c %u:%g /dev/pts/0", "1234:5"),
    "its session": ("ps -o pid,sid,pgid | grep '^ *2 ' | head -n 1", "    2     2     2"),
}


@pytest.mark.parametrize("case", SEEN)
def test_an_app_has_a_terminal_of_its_own(tmp_path: Path, rootfs: Path, case: str) -> None:
    script, shown = SEEN[case]
    pod = write_pod(tmp_path, rootfs, {"app": shell(script, user="1234")})
    with running(pod) as terminal:
        assert terminal.end() == 0
        assert terminal.shown == f"{shown}\r\n"


def test_an_app_says_itself_what_its_terminal_is(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo $TERM", environment=[{"name": "TERM", "value": "dumb"}])})
    with running(pod) as terminal:
        terminal.end()
        assert terminal.shown == "dumb\r\n"


@pytest.mark.parametrize("value", ["", "x" * 65, "xterm\n", "a=b", "é"])
def test_a_type_that_is_no_plain_word_is_not_passed_on(tmp_path: Path, rootfs: Path, value: str) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ${TERM-none}")})
    with running(pod, TERM=value) as terminal:
        terminal.end()
        assert terminal.shown == "none\r\n"


def test_nothing_of_the_caller_s_terminal_is_in_the_pod(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("/bin/probe; ls -l /proc/self/fd/0 /dev/pts")})
    with running(pod) as terminal:
        terminal.end()
    assert re.findall(r'"fds":\{([^}]*)\}', terminal.shown.replace(" ", "")) == [
        '"0":"/dev/pts/0","1":"/dev/pts/0","2":"/dev/pts/0"'
    ]
    assert re.findall(r"136, +(\d+)", terminal.shown) == ["0"]


def test_an_interactive_app_without_a_terminal_does_not_get_the_caller_s(tmp_path: Path, rootfs: Path) -> None:
    spec = AppSpec(["/bin/sh", "-c", "read line; echo got $line; test -t 0 || test -t 1 || test -t 2 || echo none"], stdin=True)
    with running(write_pod(tmp_path, rootfs, {"app": spec})) as terminal:
        terminal.press(b"words\n")
        terminal.wait_for("none")
        assert "got words" in terminal.shown
        assert terminal.end() == 0


def test_the_caller_s_terminal_is_raw_only_meanwhile(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; read line; exit 7")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        assert terminal.is_raw()
        terminal.press(b"\n")
        assert terminal.end() == 7
        assert terminal.settings() == terminal.before
    assert cgroups_of(pod) == []


ENDS: dict[str, tuple[str, int]] = {
    "a program that is not there": ("", 127),
    "SIGTERM": ("TERM", 128 + signal.SIGTERM),
    "SIGHUP": ("HUP", 128 + signal.SIGHUP),
    "SIGINT": ("INT", 128 + signal.SIGINT),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_caller_s_terminal_is_given_back_at_any_end(tmp_path: Path, rootfs: Path, case: str) -> None:
    name, code = ENDS[case]
    words = ["/bin/sh", "-c", "echo ready; exec sleep 1000"] if name else ["/bin/nope"]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(words, stdin=True, tty=True)})
    with running(pod) as terminal:
        if name:
            terminal.wait_for("ready")
            terminal.process.send_signal(getattr(signal, f"SIG{name}"))
        assert terminal.end() == code
        assert terminal.settings() == terminal.before


def test_the_caller_s_terminal_is_given_back_when_the_pod_is_killed(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; sleep 1000")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        assert subprocess.run([*STAGE1, "stop", "--force", str(pod)], check=False).returncode == 0
        assert terminal.end() == 128 + signal.SIGKILL
        assert terminal.settings() == terminal.before


def test_the_caller_s_terminal_is_given_back_when_the_monitor_fails(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; sleep 1000")})
    call = "pidfd_send_signal"
    trace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=EIO"]
    with running(pod, *trace, *RUN) as terminal:
        terminal.wait_for("ready")
        os.kill(json.loads((pod / "pid").read_text())["monitor"]["pid"], signal.SIGUSR1)
        assert terminal.end() == 125
        assert "acstage1: system: input/output error\r\n" in terminal.shown
        assert terminal.settings() == terminal.before
    assert cgroups_of(pod) == []


def test_keys_are_the_app_s_to_interpret(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/busybox stty raw -echo; echo ready; head -c 4 | /bin/busybox od -An -c"
    pod = write_pod(tmp_path, rootfs, {"app": shell(script)})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.press(b"\x03\x1a\x1c\x04")
        assert terminal.end() == 0
        assert "003 032 034 004" in terminal.shown


def test_ctrl_c_is_a_signal_of_the_app_s_own_terminal(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("trap 'echo caught; exit 9' INT; sleep 1000 & echo ready; wait")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.press(b"\x03")
        assert terminal.end() == 9
        assert "caught" in terminal.shown


def test_a_shell_has_job_control(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-i"], stdin=True, tty=True)})
    with running(pod) as terminal:
        check_job_control(terminal)
        terminal.press(b"exit 3\n")
        assert terminal.end() == 3


def check_job_control(terminal: Terminal) -> None:
    """Stop a command with Ctrl-Z, have it go on, and end it with Ctrl-C."""
    # What is typed before a program runs, the shell may have read already: each waits for what the one before shows.
    terminal.answer("# ", "sh -c 'echo u''p; exec cat'")
    terminal.answer("up\r\n", "one")
    terminal.wait_for("one\r\none\r\n")  # as typed, and as cat has it
    terminal.press(b"\x1a")
    terminal.answer("Stopped", "")
    terminal.answer("# ", "fg")
    terminal.answer('cat"\r\n', "two")
    terminal.wait_for("two\r\ntwo\r\n")
    terminal.press(b"\x03")
    terminal.answer("# ", "echo code $?")
    terminal.wait_for("code 130\r\n")


def test_the_app_hears_of_a_window_that_changes(tmp_path: Path, rootfs: Path) -> None:
    script = "trap '/bin/busybox stty size; exit 0' WINCH; sleep 1000 & echo ready; wait"
    pod = write_pod(tmp_path, rootfs, {"app": shell(script)})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.resize(40, 120)
        assert terminal.end() == 0
        assert terminal.shown.endswith("40 120\r\n")


def test_an_app_whose_caller_closes_the_window_is_hung_up(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("trap 'exit 8' HUP; echo ready; while :; do read line; done")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.close()
        assert terminal.process.wait() == 8
    assert status(pod, "app")["exit"] == 8
    assert cgroups_of(pod) == []


def test_an_app_whose_reader_is_gone_is_hung_up(tmp_path: Path, rootfs: Path) -> None:
    """The only end of a pipe that would be read is closed before anything is written."""
    pod = write_pod(tmp_path, rootfs, {"app": shell("trap 'exit 8' HUP; while :; do echo more; done")})
    reading, writing = os.pipe()
    os.close(reading)
    with at_terminal([*RUN, str(pod)], ROOT, stdout=writing) as terminal:
        os.close(writing)
        assert terminal.process.wait() == 8


def test_a_monitor_that_is_suspended_gives_the_terminal_back_until_it_goes_on(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; read line; echo $line")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert terminal.settings() == terminal.before
        terminal.process.send_signal(signal.SIGCONT)
        terminal.press(b"on\n")
        assert terminal.end() == 0
        assert terminal.shown.endswith("on\r\n")
        assert terminal.settings() == terminal.before


def test_what_an_app_shows_is_logged_in_lines(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo one; echo two >&2; printf three")})
    with running(pod) as terminal:
        terminal.end()
        assert terminal.shown == "one\r\ntwo\r\nthree"
    assert log(pod, "app") == [("stdout", "F", "one"), ("stdout", "F", "two"), ("stdout", "P", "three")]


def test_much_that_an_app_shows_arrives_whole(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("/bin/busybox seq 100000; (echo from behind) & echo last; wait")})
    with running(pod) as terminal:
        assert terminal.end() == 0
    lines = terminal.shown.split("\r\n")
    assert lines[:100000] == [str(number) for number in range(1, 100001)]
    assert sorted(lines[100000:]) == ["", "from behind", "last"]
    assert len(log(pod, "app")) == 100002


def test_a_file_gets_what_a_terminal_would_show(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("test -t 1 && /bin/busybox seq 20000")})
    with open(tmp_path / "shown", "wb") as file, at_terminal([*RUN, str(pod)], ROOT, stdout=file) as terminal:
        assert terminal.end() == 0
    assert (tmp_path / "shown").read_bytes().split(b"\r\n") == [*(str(number).encode() for number in range(1, 20001)), b""]


def test_without_interactive_there_is_a_terminal_to_write_and_nothing_to_read(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("test -t 1 && test -t 2 && ! test -t 0 && cat && echo fine", stdin=False)})
    assert run(pod).stdout == "fine\n"
    with at_terminal([*STAGE1, "run", str(pod)], ROOT) as terminal:
        terminal.wait_for("fine")
        assert not terminal.is_raw()
        assert terminal.end() == 0


def test_an_interactive_terminal_takes_a_terminal(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo never")})
    result = run(pod, "--interactive")
    hint = "(--interactive alone passes on what is none)"
    assert (result.code, result.stdout) == (125, "")
    assert result.stderr == f"acstage1: --tty: standard input is not a terminal {hint}\n"
    assert cgroups_of(pod) == []


def test_handlers_have_no_terminal_and_their_lines_come_out_straight(tmp_path: Path, rootfs: Path) -> None:
    events = [{"name": "pre-start", "exec": ["/bin/sh", "-c", "test -t 1 || echo before"]}]
    events.append({"name": "post-stop", "exec": ["/bin/sh", "-c", "test -t 1 || exit 3"]})
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main", eventHandlers=events)})
    with running(pod) as terminal:
        assert terminal.end() == 0
    lines = ["before", "main", "acstage1: app: post-stop ended with exit 3", ""]
    assert terminal.shown.split("\r\n") == lines


def test_two_apps_have_two_terminals(tmp_path: Path, rootfs: Path) -> None:
    script = "test \"$(/bin/busybox stty size < /dev/tty)\" = '33 101' && echo $AC_APP_NAME $(/bin/busybox tty < /dev/pts/0)"
    # One after the other: what terminals show at the same time is mixed byte by byte.
    apps = {"one": shell(f"{script} && touch /v/done", stdin=False), "two": shell(f"while ! test -e /v/done; do :; done; {script}")}
    for app in apps.values():
        app.runtime["mounts"] = [{"volume": "v", "path": "/v"}]
    pod = write_pod(tmp_path, rootfs, apps, manifest={"volumes": [{"name": "v", "kind": "empty"}]})
    with running(pod) as terminal:
        assert terminal.end() == 0
        assert terminal.settings() == terminal.before
    assert terminal.shown == "one /dev/pts/0\r\ntwo /dev/pts/0\r\n"


def restarting(base: Path, rootfs: Path, script: str, **settings: Any) -> Path:
    """Write a pod whose app has a terminal, and is started again when it fails."""
    return write_pod(base, rootfs, {"app": shell(script)}, **{"restart": "on-failure", **settings})


def test_each_start_has_a_terminal_of_its_own_like_the_first(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/busybox tty; /bin/busybox stty size; read line; echo got $line; test $line = end"
    with running(restarting(tmp_path, rootfs, script)) as terminal:
        for size in ("33 101", "40 132"):
            terminal.wait_for(size)
            assert terminal.is_raw()
            terminal.resize(40, 132)
            terminal.answer("/dev/pts/0", "again")
            terminal.wait_for("got again")
        terminal.wait_for("/dev/pts/0")
        terminal.press(b"end\n")
        assert terminal.end() == 0
        assert terminal.settings() == terminal.before
    assert "\r\r" not in terminal.shown


def test_keys_between_two_starts_are_signals_again(tmp_path: Path, rootfs: Path) -> None:
    pod = restarting(tmp_path, rootfs, "echo started; exit 9")
    with running(pod) as terminal:
        last = stop_between_attempts(terminal.process, pod, lambda: terminal.settings() == terminal.before)
        terminal.wait_for("started\r\n" * last)  # the key takes what the terminal has not shown yet
        terminal.press(b"\x03")
        terminal.process.send_signal(signal.SIGCONT)
        assert terminal.end() == 9
        assert terminal.settings() == terminal.before
    assert (terminal.shown.count("started"), status(pod, "app")["attempt"]) == (last, last)
    assert "next" not in status(pod, "app")


def test_an_app_whose_caller_closes_the_window_is_not_started_again(tmp_path: Path, rootfs: Path) -> None:
    pod = restarting(tmp_path, rootfs, "echo ready; exec sleep 1000", restart="always")
    with running(pod) as terminal:
        terminal.wait_for("ready")
        terminal.close()
        assert terminal.process.wait(60) == 128 + signal.SIGHUP
    assert (status(pod, "app")["signal"], status(pod, "app")["attempt"]) == (signal.SIGHUP, 1)


def test_a_shell_that_is_started_again_has_job_control(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-i"], stdin=True, tty=True)}, restart="on-failure")
    with running(pod) as terminal:
        terminal.answer("# ", "exit 1")
        terminal.skip("exit 1\r\n")
        check_job_control(terminal)
        terminal.press(b"exit 0\n")
        assert terminal.end() == 0
