"""The terminal of a person whose monitor is killed: who gives it back, when not, and what that costs."""

from __future__ import annotations

import os
import re
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.poddirs import ROOT, STAGE1, AppSpec, run, wait_for_end, write_pod
from tests.support.terminal import Terminal, at_terminal
from tests.support.waiting import wait_for


def shell(script: str) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], stdin=True, tty=True)


@contextmanager
def running(pod: Path) -> Iterator[Terminal]:
    """Run a pod at a terminal."""
    with at_terminal([*STAGE1, "run", "--interactive", str(pod)], ROOT) as terminal:
        yield terminal


def test_the_caller_s_terminal_is_given_back_when_the_monitor_is_killed(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; exec sleep 1000")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        assert terminal.is_raw()
        terminal.process.kill()
        wait_for(lambda: terminal.settings() == terminal.before, "the terminal as it was")
    assert run(pod, verb="gc").code == 0


def test_a_terminal_that_somebody_has_set_anew_meanwhile_stays_as_that_was(tmp_path: Path, rootfs: Path) -> None:
    """As a shell does that edits its line, which is raw but for signals, as soon as the monitor is gone."""
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; exec sleep 1000")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        (guard,) = wait_for(lambda: _guards(terminal.process.pid), "the guard")
        terminal.change(lambda settings: settings[3] | termios.ISIG)
        own = terminal.settings()
        terminal.process.kill()
        wait_for_end(guard)
        assert terminal.settings() == own
    assert run(pod, verb="gc").code == 0


def test_the_guard_of_the_terminal_is_small_sleeps_and_ends_with_the_run(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo ready; read line")})
    with running(pod) as terminal:
        terminal.wait_for("ready")
        (guard,) = wait_for(lambda: _guards(terminal.process.pid), "the guard")
        held = os.listdir(f"/proc/{guard}/fd")
        assert sorted(held) == ["0", "1"]
        assert Path(f"/proc/{guard}/environ").read_bytes() == b""
        memory = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{guard}/status").read_text())
        assert memory is not None
        assert int(memory[1]) < 64
        terminal.press(b"\n")
        assert terminal.end() == 0
    wait_for_end(guard)


def _guards(monitor: int) -> list[int]:
    """Return the guards among the children of a monitor, once they are that: each begins as a copy of the monitor."""
    children = Path(f"/proc/{monitor}/task/{monitor}/children").read_text().split()
    return [int(pid) for pid in children if _command_line(pid) == b"acstage1 terminal\0"]


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
