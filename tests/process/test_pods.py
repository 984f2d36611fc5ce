"""`acrun logs`, `enter` and `stop`, as typed."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.desk import Desk
from tests.support.running import staying


def test_logs_show_what_an_app_wrote_each_to_its_stream(shelf: Desk) -> None:
    assert shelf.run("acrun", "--name", "talk", "./sh.aci", "--", "echo out; echo oops >&2; printf unfinished").code == 0
    ended = shelf.run("acrun", "logs", "talk")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "out\nunfinished", "oops\n")
    rows = [json.loads(line) for line in shelf.run("acrun", "logs", "--json", "talk").stdout.splitlines()]
    assert sorted((row["stream"], row["full"], row["text"]) for row in rows) == [
        ("stderr", True, "oops"),
        ("stdout", False, "unfinished"),
        ("stdout", True, "out"),
    ]
    first = shelf.run("acrun", "logs", "--timestamps", "talk").stdout.split()[0]
    assert first.startswith("20")
    assert first.endswith("Z")


def test_logs_of_several_apps_name_them(shelf: Desk) -> None:
    line = "acrun --name two ./sh.aci --name one -- 'echo a' --- ./sh.aci --name other -- 'echo b'"
    assert shelf.shell(line).code == 0
    assert sorted(shelf.run("acrun", "logs", "two").stdout.splitlines()) == ["one: a", "other: b"]
    assert shelf.run("acrun", "logs", "--app", "other", "two").stdout == "b\n"
    refused = shelf.run("acrun", "logs", "--app", "third", "two")
    assert (refused.code, refused.stderr) == (66, "acrun: third: no such app in this pod (one, other)\n")


def test_logs_are_followed_to_the_end_of_the_pod(shelf: Desk) -> None:
    with staying(shelf) as acrun, shelf.start("acrun", "logs", "--follow", "stay") as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline() == "waiting\n"
        acrun.terminate()
        assert logs.communicate() == ("", "")
        assert logs.returncode == 0
        assert acrun.wait() == 7


def test_logs_of_a_prepared_pod_are_followed_once_it_is_run(shelf: Desk) -> None:
    assert shelf.run("acrun", "prepare", "--name", "later", "./sh.aci", "--", "echo first; echo last").code == 0
    refused = shelf.run("acrun", "logs", "--follow", "--app", "third", "later")
    assert (refused.code, refused.stdout, refused.stderr) == (66, "", "acrun: third: no such app in this pod (sh)\n")
    # That it waits can be seen by what it does when nobody is there to read any more: it has not ended before.
    assert shelf.shell("(acrun logs --follow later; echo $? > code) | true").code == 0
    assert (shelf.path / "code").read_text() == "141\n"
    with shelf.start("acrun", "logs", "--follow", "later") as logs:
        assert shelf.run("acrun", "run-prepared", "later").code == 0
        assert logs.communicate() == ("first\nlast\n", "")
        assert logs.returncode == 0


def test_logs_of_a_pod_that_is_removed_before_it_is_run_end(shelf: Desk) -> None:
    assert shelf.run("acrun", "prepare", "--name", "never", "./sh.aci").code == 0
    with shelf.start("acrun", "logs", "--follow", "never") as logs:
        assert shelf.run("acrun", "rm", "never").code == 0
        assert logs.communicate()[0] == ""
        assert logs.returncode == 66


def test_logs_begin_with_the_last_lines_of_one_stream_or_from_some_time_on(shelf: Desk) -> None:
    script = "echo 1; echo 2; echo oops >&2; echo 3"
    assert shelf.run("acrun", "--name", "talk", "./sh.aci", "--", script).code == 0
    assert shelf.run("acrun", "logs", "--tail", "2", "--stream", "stdout", "talk").stdout == "2\n3\n"
    assert shelf.run("acrun", "logs", "-n", "0", "talk").stdout == ""
    only = shelf.run("acrun", "logs", "--stream", "stderr", "talk")
    assert (only.stdout, only.stderr) == ("", "oops\n")
    assert shelf.run("acrun", "logs", "--since", "1h", "--stream", "stdout", "talk").stdout == "1\n2\n3\n"
    assert shelf.run("acrun", "logs", "--since", "0", "talk").stdout == ""
    refused = shelf.run("acrun", "logs", "--since", "soon", "talk")
    assert (refused.code, refused.stdout) == (2, "")
    assert "--since soon: is no length of time" in refused.stderr


def test_logs_that_nobody_reads_any_more_are_not_followed_on(shelf: Desk) -> None:
    with staying(shelf) as acrun:
        ended = shelf.shell("(acrun logs --follow stay; echo $? > code) | head -n 1")
        assert ended.stdout == "waiting\n"
        assert (shelf.path / "code").read_text() == "141\n"
        acrun.terminate()
        assert acrun.wait() == 7


def test_a_log_that_is_put_aside_while_it_is_followed_is_followed_on(shelf: Desk) -> None:
    with staying(shelf) as acrun, shelf.start("acrun", "logs", "--follow", "--tail", "1", "stay") as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline() == "waiting\n"
        (log,) = (shelf.store / "pods" / "run").glob("*/logs/probe.log")
        log.rename(f"{log}.1")
        log.write_text("2026-01-01T00:00:00.000000Z stdout F from the new one\n")
        assert logs.stdout.readline() == "from the new one\n"
        acrun.terminate()
        assert logs.communicate() == ("", "")
        assert acrun.wait() == 7


def test_a_command_is_entered_into_a_running_pod(shelf: Desk) -> None:
    with staying(shelf) as acrun:
        ended = shelf.run("acrun", "enter", "stay", "--", "/bin/probe", "exit", "9")
        assert (ended.code, ended.stdout, ended.stderr) == (9, "", "")
        report = json.loads(shelf.run("acrun", "enter", "stay", "/bin/probe").stdout)
        assert report["uids"] == [0, 0, 0]
        missing = shelf.run("acrun", "enter", "stay")
        assert (missing.code, missing.stderr) == (127, "acstage1: a shell: the image has neither /bin/bash nor /bin/sh\n")
        acrun.terminate()
        assert acrun.wait() == 7
    ended = shelf.run("acrun", "enter", "stay")
    assert ended.code == 125
    assert "is exited, not running (acrun list shows what runs)" in ended.stderr


def test_which_of_several_apps_is_meant_must_be_said(shelf: Desk) -> None:
    words = ("./probe.aci", "--name", "a", "--", "trap", "7", "---", "./probe.aci", "--name", "b", "--", "trap", "0")
    with staying(shelf, words=words) as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline()  # of the other
        refused = shelf.run("acrun", "enter", "stay", "/bin/probe")
        assert (refused.code, refused.stderr) == (125, "acrun: stay: has 2 apps (--app a|b)\n")
        assert shelf.run("acrun", "enter", "--app", "b", "stay", "/bin/probe", "exit", "3").code == 3
        assert shelf.run("acrun", "stop", "stay").code == 0
        assert acrun.wait() == 7


def test_stop_asks_and_force_kills(shelf: Desk) -> None:
    with staying(shelf) as acrun:
        ended = shelf.run("acrun", "stop", "stay")
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert acrun.wait() == 7
    assert shelf.run("acrun", "stop", "stay").code == 0  # it has ended, which was the wish
    assert shelf.run("acrun", "rm", "stay").code == 0
    with staying(shelf, words=("./probe.aci", "--", "ignore"), code=128 + signal.SIGKILL) as acrun:
        assert shelf.run("acrun", "stop", "--force", "stay").code == 0
        assert acrun.wait() == 128 + signal.SIGKILL


@pytest.mark.parametrize("command", ["logs", "enter", "stop"])
def test_a_pod_that_is_not_there_is_named(desk: Desk, command: str) -> None:
    ended = desk.run("acrun", command, "nobody")
    assert ended.code == (125 if command == "enter" else 66)
    assert (ended.stdout, ended.stderr) == ("", "acrun: nobody: no such pod (acrun list shows them)\n")


def test_status_shows_what_a_running_pod_uses(shelf: Desk) -> None:
    with staying(shelf) as acrun:
        usage = json.loads(shelf.run("acrun", "status", "--json", "stay").stdout)["usage"]
        assert usage["pids"] == 1
        assert 0 < usage["memoryBytes"] < 64 << 20
        text = shelf.run("acrun", "status", "stay").stdout
        assert "processes" in text
        assert "memory" in text
        acrun.terminate()
        assert acrun.wait() == 7
    assert json.loads(shelf.run("acrun", "status", "--json", "stay").stdout)["usage"] is None


def test_a_pod_whose_monitor_was_killed_is_told_as_aborted(shelf: Desk) -> None:
    with staying(shelf, code=None, words=("./probe.aci", "--", "trap", "7")) as acrun:
        status = shelf.run("acrun", "status", "stay").stdout
        assert [line.split()[-1] for line in status.splitlines() if line.startswith("app ")] == ["running"]
        acrun.kill()
        acrun.wait()
    status = shelf.run("acrun", "status", "stay").stdout
    assert [line.split()[-1] for line in status.splitlines() if line.startswith("app ")] == ["aborted"]
    assert shelf.run("acrun", "list").stdout.splitlines()[1].split()[-1] == "aborted"
    assert shelf.run("acrun", "gc", "--grace-period", "0").code == 0
    assert shelf.run("acrun", "list", "--json").stdout == ""
