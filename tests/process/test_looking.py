"""`acrun list`, `status` and `cat-manifest`, as typed, at pods that run, have ended, or go meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.desk import Desk, app_image, assert_refused


@pytest.fixture
def shelf(desk: Desk) -> Desk:
    """Return a desk with an image on it: the probe."""
    (desk.path / "probe.aci").write_bytes(app_image("example.com/probe"))
    return desk


@contextmanager
def staying(desk: Desk, name: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a pod that stays until it is told to end, and then ends with 7."""
    with desk.start("acrun", "--name", name, *options, "./probe.aci", "--", "trap", "7") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        yield acrun
        acrun.terminate()
        assert acrun.wait() == 7


def _status(desk: Desk, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(desk.run("acrun", "status", "--json", name).stdout)
    return value


def test_list_shows_only_the_states_asked_for_and_only_uuids_when_quiet(shelf: Desk) -> None:
    assert shelf.shell("acrun list; acrun list -q").stdout.split() == ["UUID", "NAME", "APP", "IMAGE", "STATE", "CREATED", "ENDED"]
    assert shelf.run("acrun", "--name", "over", "./probe.aci", "--", "exit", "3").code == 3
    with staying(shelf, "up"):
        running, exited = (shelf.run("acrun", "list", "-q", "--state", state).stdout for state in ("running", "exited"))
        assert [running.strip(), exited.strip()] == [_status(shelf, name)["uuid"] for name in ("up", "over")]
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
    assert _status(shelf, "copied")["apps"][0]["rootfs"] == {"backend": "copy"}
    with staying(shelf, "up"):
        (app,) = _status(shelf, "up")["apps"]
        assert (app["state"], app["rootfs"]["backend"] in ("overlay", "copy")) == ("running", True)
        shown = dict(line.split(None, 1) for line in shelf.run("acrun", "status", "up").stdout.splitlines())
        assert shown["process"] == str(app["pid"])
        assert shown["root"] == app["rootfs"]["backend"]


def test_who_waits_for_a_pod_wakes_when_it_ends_and_sees_how(shelf: Desk) -> None:
    with shelf.start("acrun", "--name", "up", "./probe.aci", "--", "trap", "7") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        with shelf.start("sh", "-c", "acrun status --wait up | grep '^app '; acrun status --wait --json up") as waiting:
            acrun.terminate()
            shown, said = waiting.communicate()
        assert acrun.wait() == 7
    line, _, text = shown.partition("\n")
    assert (line.split(), said) == (["app", "probe", "exit", "7"], "")
    assert json.loads(text)["ended"] is not None


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
