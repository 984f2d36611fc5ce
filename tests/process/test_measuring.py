"""`acrun top` and `acrun stats`, in pipes and at a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.desk import Desk, assert_refused
from tests.support.terminal import at_terminal
from tests.support.waiting import wait_for


@contextmanager
def busy(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    """Run a pod of one app that works and one that sleeps."""
    words = ("./sh.aci", "--name", "works", "--", "echo up; while :; do :; done", "---", "./sh.aci", "--name", "rests", "--")
    with desk.start("acrun", "--name", "busy", "--grace-period", "0", *words, "echo up; exec sleep 1000") as acrun:
        assert acrun.stdout is not None
        assert sorted([acrun.stdout.readline(), acrun.stdout.readline()]) == ["rests | up\n", "works | up\n"]
        try:
            yield acrun
        finally:
            acrun.terminate()
            acrun.wait()


def measured_at_work(desk: Desk, line: str) -> dict[str, dict[str, Any]]:
    """Return what *line* says that each app uses; nothing when the one that works has not been seen at work."""
    ended = desk.shell(line)
    assert (ended.code, ended.stderr) == (0, "")
    rows = {row["app"]: row for row in map(json.loads, ended.stdout.splitlines())}
    assert rows.keys() == {"works", "rests"}
    worked = rows["works"]["cpuPercent"] > 0 and rows["works"]["cpuSeconds"] > rows["rests"]["cpuSeconds"]
    return rows if worked else {}


def test_what_each_app_uses_is_measured_once(shelf: Desk) -> None:
    with busy(shelf):
        for line in ("acrun stats --no-stream", "acrun top --no-stream busy", "acrun stats --no-stream --json busy"):
            # On a busy machine, a quarter of a second may pass in which the one that works gets no processor.
            rows = wait_for(partial(measured_at_work, shelf, line), "a moment in which the app works")
            assert [row["pids"] for row in rows.values()] == [1, 1]
            assert all(0 < row["memoryBytes"] < 64 << 20 for row in rows.values())


def test_measuring_goes_on_while_somebody_reads_and_until_the_pod_ends(shelf: Desk) -> None:
    with busy(shelf) as acrun:
        ended = shelf.shell("(acrun stats busy; echo $? > code) | head -n 3")
        assert len(ended.stdout.splitlines()) == 3
        assert (shelf.path / "code").read_text() == "141\n"
        with shelf.start("acrun", "stats", "busy") as stats:
            assert stats.stdout is not None
            assert json.loads(stats.stdout.readline())["name"] == "busy"
            acrun.terminate()
            _, said = stats.communicate()
            assert (stats.returncode, said) == (0, "")


def test_without_a_running_pod_there_is_nothing_to_measure(shelf: Desk) -> None:
    ended = shelf.shell("acrun stats")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    assert_refused(shelf.shell("acrun stats nobody"), 66, "nobody: no such pod", "acrun")
    assert shelf.run("acrun", "--name", "over", "./sh.aci", "--", "echo").code == 0
    assert_refused(shelf.shell("acrun top over"), 66, "over: is exited, not running", "acrun")


def test_at_a_terminal_there_is_a_table_until_q_is_typed(shelf: Desk) -> None:
    acrun = str(Path(sys.executable).parent / "acrun")
    environment = {**shelf.environment, "TERM": "xterm"}
    with busy(shelf), at_terminal([acrun, "top"], shelf.path, environment) as terminal:
        terminal.wait_for("WRITTEN")
        terminal.wait_for("works")
        assert not terminal.echoes()
        terminal.press(b"q")
        assert terminal.end() == 0
        assert terminal.shown.startswith("\x1b[?1049h")
        assert terminal.shown.endswith("\x1b[?25h\x1b[?1049l")
        assert terminal.echoes()


def test_ctrl_c_leaves_the_terminal_as_it_was(shelf: Desk) -> None:
    acrun = str(Path(sys.executable).parent / "acrun")
    with at_terminal([acrun, "top"], shelf.path, {**shelf.environment, "TERM": "xterm"}) as terminal:
        terminal.wait_for("WRITTEN")
        terminal.press(b"\x03")
        assert terminal.end() == 130
        assert terminal.shown.endswith("\x1b[?25h\x1b[?1049l")
        assert terminal.echoes()


def test_a_terminal_that_can_draw_nothing_gets_a_table_once(shelf: Desk) -> None:
    acrun = str(Path(sys.executable).parent / "acrun")
    with at_terminal([acrun, "stats", "--no-stream"], shelf.path, {**shelf.environment, "TERM": "dumb"}) as terminal:
        assert terminal.end() == 0
        assert terminal.shown.split()[0] == "POD"
        assert "\x1b" not in terminal.shown
