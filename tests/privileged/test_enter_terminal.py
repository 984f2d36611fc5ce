"""A command in a running app, with a terminal of its own: which shell it is, what it sees, how the caller's terminal is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.poddirs import ROOT, STAGE1, AppSpec, enter, read_line, start, write_pod
from tests.support.terminal import Terminal, at_terminal
from tests.support.userland import make_rootfs
from tests.support.waiting import wait_for

STAY = AppSpec(["/bin/probe", "trap", "0"])


@contextmanager
def running(base: Path, rootfs: Path, spec: AppSpec = STAY) -> Iterator[Path]:
    """Run a pod that stays until it is told to end."""
    pod = write_pod(base, rootfs, {"app": spec})
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        yield pod
        monitor.terminate()
        monitor.wait()


@contextmanager
def entered(pod: Path, *words: str) -> Iterator[Terminal]:
    """Enter the app at a terminal of 33 lines and 101 columns."""
    command = [*STAGE1, "enter", "--tty", str(pod), "app", *words]
    with at_terminal(command, ROOT, {"TERM": "vt220"}, (33, 101)) as terminal:
        yield terminal


def test_a_command_has_a_terminal_of_its_own_in_the_app_s_instance(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/busybox tty; /bin/busybox stty size; echo $TERM; stat -c %u /dev/pts/0; echo x > /dev/tty; exit 7"
    with (
        running(tmp_path, rootfs, AppSpec(STAY.exec, {"user": "1234"})) as pod,
        entered(pod, "--", "/bin/sh", "-c", script) as terminal,
    ):
        assert terminal.end() == 7
        assert terminal.settings() == terminal.before
    assert terminal.shown.split("\r\n") == ["/dev/pts/0", "33 101", "vt220", "1234", "x", ""]


def test_two_people_in_one_app_have_two_terminals(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod, entered(pod, "--", "/bin/sh", "-c", "/bin/busybox tty; read line") as one:
        one.wait_for("/dev/pts/0\r\n")
        with entered(pod, "--", "/bin/busybox", "tty") as two:
            two.wait_for("/dev/pts/1\r\n")
            assert two.end() == 0
        one.press(b"\n")
        assert one.end() == 0


def test_the_shell_has_job_control_and_keys_are_its_own(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod, entered(pod) as terminal:
        terminal.answer("# ", "sh -c 'echo u''p; exec cat'")
        terminal.wait_for("up\r\n")
        assert terminal.is_raw()
        terminal.press(b"\x1a")
        terminal.wait_for("Stopped")
        terminal.answer("# ", "fg")
        terminal.answer('cat"\r\n', "words")
        terminal.wait_for("words\r\nwords\r\n")
        terminal.press(b"\x03")
        terminal.answer("# ", "exit 3")
        assert terminal.end() == 3


SHELLS = {
    "the more comfortable one": (["bash", "sh"], "bash"),
    "the plain one": (["sh"], "sh"),
}


@pytest.mark.parametrize("case", SHELLS)
def test_without_a_command_there_is_a_shell(tmp_path: Path, rootfs: Path, case: str) -> None:
    names, chosen = SHELLS[case]
    own = make_rootfs(tmp_path / "rootfs", [])
    for name in names:
        (own / "bin" / name).write_text(f"#!/bin/busybox sh\necho {name}\n")
        (own / "bin" / name).chmod(0o755)
    with running(tmp_path, own) as pod, entered(pod) as terminal:
        assert terminal.end() == 0
        assert terminal.shown == f"{chosen}\r\n"


def test_an_image_without_a_shell_says_so(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, make_rootfs(tmp_path / "rootfs", [])) as pod, entered(pod) as terminal:
        assert terminal.end() == 127
        assert terminal.shown == "acstage1: a shell: the image has neither /bin/bash nor /bin/sh\r\n"
        assert terminal.settings() == terminal.before


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT"])
def test_a_signal_reaches_the_command_and_the_terminal_is_given_back(tmp_path: Path, rootfs: Path, name: str) -> None:
    with running(tmp_path, rootfs) as pod, entered(pod, "--", "/bin/sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        terminal.process.send_signal(getattr(signal, f"SIG{name}"))
        assert terminal.end() == 128 + getattr(signal, f"SIG{name}")
        assert terminal.settings() == terminal.before


def test_the_terminal_is_given_back_when_who_enters_is_killed(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod, entered(pod, "--", "/bin/sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        assert terminal.is_raw()
        terminal.process.kill()
        wait_for(lambda: terminal.settings() == terminal.before, "the terminal as it was")


def test_the_terminal_is_given_back_when_the_pod_ends(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod, entered(pod, "--", "/bin/sh", "-c", "echo ready; exec sleep 1000") as terminal:
        terminal.wait_for("ready")
        with at_terminal([*STAGE1, "stop", "--force", str(pod)], ROOT) as stop:
            assert stop.end() == 0
        assert terminal.end() == 128 + signal.SIGKILL
        assert terminal.settings() == terminal.before


def test_a_command_whose_caller_closes_the_window_is_hung_up(tmp_path: Path, rootfs: Path) -> None:
    script = "trap 'exit 8' HUP; echo ready; while :; do read line; done"
    with running(tmp_path, rootfs) as pod, entered(pod, "--", "/bin/sh", "-c", script) as terminal:
        terminal.wait_for("ready")
        terminal.close()
        assert terminal.process.wait() == 8


def test_the_last_words_of_a_command_are_shown(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod:
        for _ in range(10):
            with entered(pod, "--", "/bin/busybox", "seq", "3000") as terminal:
                assert terminal.end() == 0
                assert terminal.shown.endswith("\r\n2999\r\n3000\r\n")


def test_without_a_terminal_one_is_refused(tmp_path: Path, rootfs: Path) -> None:
    with running(tmp_path, rootfs) as pod:
        result = enter(pod, "app", "/bin/true", tty=True)
        assert (result.code, result.stdout) == (125, "")
        assert "--tty: standard input is not a terminal" in result.stderr
        assert len(result.stderr.splitlines()) == 1


FORMS = {
    "no app": [],
    "nothing behind the dashes": ["app", "--"],
    "a command without dashes": ["app", "/bin/true"],
    "an option in the app's place": ["--nope", "--", "/bin/true"],
}


@pytest.mark.parametrize("case", FORMS)
def test_what_is_no_command_line_of_enter_is_refused(tmp_path: Path, rootfs: Path, case: str) -> None:
    with at_terminal([*STAGE1, "enter", str(tmp_path), *FORMS[case]], ROOT) as terminal:
        assert terminal.end() == 125
        assert terminal.shown.startswith("acstage1: enter: not of the form enter [--tty] POD_DIR APP [-- CMD")
