"""`acrun list`, `status` and `cat-manifest`, as typed, at pods that run, have ended, or go meanwhile."""

from __future__ import annotations

import json

from tests.support.desk import Desk, app_image, assert_refused
from tests.support.running import PATIENT, show_pod, staying


def test_list_shows_only_the_states_asked_for_and_only_uuids_when_quiet(shelf: Desk) -> None:
    assert shelf.shell("acrun list; acrun list -q").stdout.split() == ["UUID", "NAME", "APP", "IMAGE", "STATE", "CREATED", "ENDED"]
    assert shelf.run("acrun", "--name", "over", "./probe.aci", "--", "exit", "3").code == 3
    with staying(shelf, name="up"):
        running, exited = (shelf.run("acrun", "list", "-q", "--state", state).stdout for state in ("running", "exited"))
        assert [running.strip(), exited.strip()] == [show_pod(shelf, name)["uuid"] for name in ("up", "over")]
        both = shelf.run("acrun", "list", "--quiet", "--state", "running", "--state", "exited").stdout
        assert both == shelf.run("acrun", "list", "--quiet").stdout == running + exited
        assert "over" not in shelf.run("acrun", "list", "--state", "running").stdout
    words = "--state gone: no pod is ever in that state"
    assert_refused(shelf.run("acrun", "list", "--state", "gone"), 2, words, "acrun")


def test_the_uuids_of_a_list_are_what_other_commands_take(shelf: Desk) -> None:
    for code in (0, 3):
        assert shelf.run("acrun", "./probe.aci", "--", "exit", str(code)).code == code
    ended = shelf.shell("acrun rm $(acrun list --quiet --state exited) && acrun list --quiet")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_status_says_where_the_root_file_system_lies(shelf: Desk) -> None:
    assert shelf.run("acrun", "--name", "copied", "--no-overlay", "./probe.aci", "--", "exit", "0").code == 0
    assert show_pod(shelf, "copied")["apps"][0]["rootfs"] == {"backend": "copy"}
    with staying(shelf, name="up"):
        (app,) = show_pod(shelf, "up")["apps"]
        assert (app["state"], app["rootfs"]["backend"] in ("overlay", "copy")) == ("running", True)
        shown = dict(line.split(None, 1) for line in shelf.run("acrun", "status", "up").stdout.splitlines())
        assert shown["process"] == str(app["pid"])
        assert shown["root"] == app["rootfs"]["backend"]


def test_who_waits_for_a_pod_wakes_when_it_ends_and_sees_how(shelf: Desk) -> None:
    with shelf.start("acrun", "--name", "up", *PATIENT, "./probe.aci", "--", "trap", "7") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        with shelf.start("sh", "-c", "acrun status --wait up | grep '^app '; acrun status --wait --json up") as waiting:
            acrun.terminate()
            shown, said = waiting.communicate()
        assert acrun.wait() == 7
    line, _, text = shown.partition("\n")
    assert (line.split(), said) == (["app", "probe", "exit", "7"], "")
    assert json.loads(text)["ended"] is not None


def test_who_waits_ends_with_the_code_of_the_run_when_that_is_asked_for(shelf: Desk) -> None:
    with staying(shelf, name="up"):
        assert_refused(shelf.run("acrun", "status", "--exit-code", "up"), 125, "up: still runs (--wait waits for its end)", "acrun")
        waiting = shelf.start("acrun", "status", "--wait", "--exit-code", "up")
        with waiting as waits:
            assert shelf.run("acrun", "stop", "up").code == 0
            assert waits.wait() == 7
    ended = shelf.run("acrun", "status", "--exit-code", "up")
    assert (ended.code, ended.stderr) == (7, "")
    assert ["exit", "code", "7"] in [line.split() for line in ended.stdout.splitlines()]
    assert shelf.run("acrun", "status", "up").code == 0
    assert_refused(shelf.run("acrun", "status", "--wait", "--exit-code", "nobody"), 125, "nobody: no such pod", "acrun")


def test_who_waits_for_a_prepared_pod_wakes_when_it_has_been_run(shelf: Desk) -> None:
    assert shelf.run("acrun", "prepare", "--name", "later", "./probe.aci", "--", "exit", "4").code == 0
    with shelf.start("acrun", "status", "--wait", "--exit-code", "later") as waits:
        assert shelf.run("acrun", "run-prepared", "later").code == 4
        assert waits.wait() == 4


def test_a_pod_that_was_only_prepared_has_no_exit_code(shelf: Desk) -> None:
    assert shelf.run("acrun", "prepare", "--name", "made", "./probe.aci").code == 0
    ended = shelf.run("acrun", "status", "--exit-code", "made")
    assert_refused(ended, 125, "made: prepared: there is no exit code", "acrun")


def _write_odd(desk: Desk) -> None:
    """Put an image there with an isolator that nobody knows."""
    isolators = [{"name": "example.com/odd", "value": 1}]
    (desk.path / "odd.aci").write_bytes(app_image("example.com/odd", app={"isolators": isolators}))


def test_why_strictness_refused_a_pod_is_shown_afterwards(shelf: Desk) -> None:
    _write_odd(shelf)
    refused = shelf.run("acrun", "--strict", "--name", "strict", "./odd.aci", "--", "exit", "0")
    shown = show_pod(shelf, "strict")
    assert (refused.code, shown["exitCode"]) == (125, 125)
    assert refused.stderr == f"acstage1: {shown['failure']}\n"
    assert "which --strict forbids" in shown["failure"]
    assert ["failed", shown["failure"]] in [
        line.split(None, 1) for line in shelf.run("acrun", "status", "strict").stdout.splitlines()
    ]
    assert shelf.run("acrun", "list").stdout.splitlines()[1].endswith("not started")


def test_what_stage1_said_of_a_detached_pod_is_shown(shelf: Desk) -> None:
    _write_odd(shelf)
    said = shelf.run("acrun", "--detach", "--name", "up", "./odd.aci", "--", "trap", "0").stderr
    try:
        assert said.startswith("acstage1: isolators not enforced: example.com/odd")
        assert show_pod(shelf, "up")["messages"] == [said.strip()]
        assert ["message", said.strip()] in [line.split(None, 1) for line in shelf.run("acrun", "status", "up").stdout.splitlines()]
    finally:
        assert shelf.run("acrun", "stop", "up").code == 0


def test_the_manifest_of_a_pod_is_printed_as_it_is_stored(shelf: Desk) -> None:
    assert shelf.run("acrun", "--name", "over", "./probe.aci", "--name", "mine", "--", "exit", "0").code == 0
    ended = shelf.shell("acrun cat-manifest over | tee copy")
    (stored,) = (shelf.store / "pods" / "run").glob("*/pod")
    assert (ended.code, ended.stdout, ended.stderr) == (0, stored.read_text(), "")
    pretty = shelf.run("acrun", "cat-manifest", "--pretty-print", "over").stdout
    assert len(pretty.splitlines()) > 5
    assert json.loads(pretty) == json.loads(stored.read_text())
    assert json.loads(pretty)["apps"][0]["app"]["exec"] == ["/bin/probe", "exit", "0"]
    assert_refused(shelf.run("acrun", "cat-manifest", "nobody"), 66, "nobody: no such pod", "acrun")
