"""What the files of a pod directory say: written here by hand, with what may be missing or odd in them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acrun.finding import get_state
from acrun.views import describe, list_pods
from acspec.errors import MissingInputError, UsageError
from acspec.locks import open_locked
from tests.support.states import MANIFEST, UUID, write_state

STATUSES = {
    "an exit code": ({"exit": 3}, "exit 3"),
    "success": ({"exit": 0}, "exit 0"),
    "death by a signal, by its number and its name": ({"signal": 9}, "signal 9 (SIGKILL)"),
    "death for want of memory": ({"signal": 9, "oom": True}, "signal 9 (SIGKILL), out of memory"),
    "a child's death for want of memory": ({"exit": 1, "oom": True}, "exit 1, out of memory"),
    "a real-time signal, which has no name": ({"signal": 40}, "signal 40"),
    "a signal that is no number": ({"signal": "x"}, "signal x"),
    "a program that could not be started": ({"failed": "exec", "why": "not found"}, "failed to start: not found"),
    "a handler that failed": ({"failed": "pre-start", "why": "exit 4"}, "failed to start: pre-start: exit 4"),
    "a failure without a reason": ({"failed": "exec"}, "failed to start: exec"),
    "nothing of use, and the pod is over": ({}, "aborted"),
    "no object": ([], "aborted"),
    "no JSON": ("{", "aborted"),
}


@pytest.mark.parametrize(("status", "words"), STATUSES.values(), ids=STATUSES)
def test_how_an_app_ended_is_told(status: Any, words: str, tmp_path: Path) -> None:
    _, state = get_state(write_state(tmp_path, {"pod": MANIFEST, "status/one": status}), UUID)
    assert state.end_of(state.apps[0]) == words
    assert words in list_pods([state])
    assert ["app", "one", *words.split()] in [line.split() for line in describe(state, None).splitlines()]


def test_status_says_which_backend_an_app_has_and_its_times_and_attempts(tmp_path: Path) -> None:
    stage1 = {"apps": {"one": {"rootfs": {"backend": "overlay"}}, "two": {"rootfs": {"backend": "copy"}}}}
    times = {"started": "2026-11-24T10:00:00.1Z", "ended": "2026-11-24T10:00:01.2Z"}
    status = {"exit": 0, "attempt": 4, **times, "post-stop": "ended with exit 3"}
    _, state = get_state(write_state(tmp_path, {"pod": MANIFEST, "stage1.json": stage1, "status/one": status}), UUID)
    apps: Any = state.to_json()["apps"]
    assert [app["rootfs"] for app in apps] == [{"backend": "overlay"}, {"backend": "copy"}]
    assert [app["state"] for app in apps] == ["ended", "ended"]
    assert state.to_json()["ended"] == "2026-11-24T10:00:01.2Z"
    rows = [line.split() for line in describe(state, None).splitlines()]
    for row in (
        ["root", "overlay"],
        ["root", "copy"],
        ["attempt", "4"],
        ["ended", "2026-11-24T10:00:01.2Z"],
        ["post-stop", "ended", "with", "exit", "3"],
    ):
        assert row in rows


SAID = {
    "nothing": ({"pid": 7, "start": 1}, "running"),
    "that it is not ready yet": ({"pid": 7, "start": 1, "ready": False}, "starting"),
    "that it is ready": ({"pid": 7, "start": 1, "ready": True}, "running"),
    "that it is stopping": ({"pid": 7, "start": 1, "ready": True, "stopping": True}, "stopping"),
}


@pytest.mark.parametrize("sentence", SAID)
def test_what_a_running_app_says_of_itself_is_its_state(tmp_path: Path, sentence: str) -> None:
    process, shown = SAID[sentence]
    pods = write_state(tmp_path, {"pod": MANIFEST, "pid": {"apps": {"one": process}}})
    lock = open_locked(str(tmp_path / "pods" / "run" / UUID))
    try:
        _, state = get_state(pods, UUID)
    finally:
        os.close(lock)
    assert state.state_of(state.apps[0]) == shown


def test_annotations_of_a_pod_are_told(tmp_path: Path) -> None:
    annotations = [{"name": "example.com/owner", "value": "ann"}, {"name": "empty", "value": ""}]
    _, state = get_state(write_state(tmp_path, {"pod": {**MANIFEST, "annotations": annotations}}), UUID)
    assert state.to_json()["annotations"] == {"example.com/owner": "ann", "empty": ""}
    assert ["annotation", "example.com/owner", "ann"] in [line.split() for line in describe(state, None).splitlines()]


def test_isolators_are_told_with_their_reasons(tmp_path: Path) -> None:
    rows = [
        {"name": "resource/cpu", "app": "one", "state": "ignored", "why": "no controller"},
        {"name": "x", "state": "enforced"},
        7,
    ]
    _, state = get_state(write_state(tmp_path, {"pod": MANIFEST, "isolators.json": rows}), UUID)
    text = describe(state, None)
    assert "isolator resource/cpu  ignored for one (no controller)" in text
    assert "isolator x             enforced for pod\n" in text
    assert state.to_json()["isolators"] == rows


ODD = {
    "nothing at all": {},
    "a manifest that is a list": {"pod": []},
    "apps that are no list": {"pod": {"apps": {}}},
    "an app without a name": {"pod": {"apps": [{}]}},
    "an app whose name leads out": {"pod": {"apps": [{"name": "../../../x"}]}},
    "processes that are none": {"pod": MANIFEST, "pid": {"init": 7, "apps": []}},
    "backends that are none": {"pod": MANIFEST, "stage1.json": {"apps": {"one": {"rootfs": 3}}}},
    "annotations that are none": {"pod": {**MANIFEST, "annotations": [7, {"name": 8}, {"value": "x"}]}},
    "control codes": {"pod": {"apps": [{"name": "\x1b[2J"}]}},
}


@pytest.mark.parametrize("files", ODD.values(), ids=ODD)
def test_files_that_make_no_sense_are_shown_as_far_as_they_do(files: Mapping[str, Any], tmp_path: Path) -> None:
    _, state = get_state(write_state(tmp_path, files), UUID)
    assert state.state == "exited"
    for text in (describe(state, None), list_pods([state])):
        assert all(line.isprintable() for line in text.splitlines())
    json.dumps(state.to_json())


def test_an_app_is_found_by_name_or_because_it_is_the_only_one(tmp_path: Path) -> None:
    _, state = get_state(write_state(tmp_path, {"pod": MANIFEST}), UUID)
    assert state.get_app("two").name == "two"
    with pytest.raises(UsageError, match=r"has 2 apps \(--app one|two\)"):
        state.get_app(None)
    with pytest.raises(MissingInputError, match=r"three: no such app in this pod \(one, two\)"):
        state.get_app("three")


# What `pid` says of the app, its status, and what it is doing.
RESTARTS = {
    "an attempt that runs after one that ended": ({"pid": 1, "start": 1, "attempt": 3}, {"exit": 1, "attempt": 2}, "running"),
    "a rest between two attempts": (
        {"pid": 1, "start": 1, "attempt": 2}, {"exit": 1, "attempt": 2, "next": "2026-11-24T10:00:01Z"}, "restarting after exit 1",
    ),
    "an attempt that has not said yet that it is ready": (
        {"pid": 1, "start": 1, "attempt": 3, "ready": False}, {"exit": 1, "attempt": 2}, "starting",
    ),
    "the attempt after a rest": (
        {"pid": 1, "start": 1, "attempt": 3}, {"exit": 1, "attempt": 2, "next": "2026-11-24T10:00:01.2Z"}, "running",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("process", "status", "words"), RESTARTS.values(), ids=RESTARTS)
def test_an_app_that_is_started_again_has_not_ended(
    process: dict[str, Any], status: dict[str, Any], words: str, tmp_path: Path
) -> None:
    pods = write_state(tmp_path, {"pod": MANIFEST, "status/one": status, "pid": {"apps": {"one": process}}})
    with hold(tmp_path):
        _, state = get_state(pods, UUID)
        assert (state.end_of(state.apps[0]), state.state_of(state.apps[0])) == ("", words)
        assert ["app", "one", *words.split()] in [line.split() for line in describe(state, None).splitlines()]
    _, state = get_state(pods, UUID)
    assert state.end_of(state.apps[0]) == "aborted"


def test_an_app_that_waits_for_its_next_start_has_no_process_and_says_when(tmp_path: Path) -> None:
    moment = "2026-11-24T10:00:01Z"
    process, status = {"pid": 41, "start": 1, "attempt": 2}, {"exit": 1, "attempt": 2, "next": moment}
    pods = write_state(tmp_path, {"pod": MANIFEST, "status/one": status, "pid": {"apps": {"one": process}}})
    with hold(tmp_path):
        _, state = get_state(pods, UUID)
        shown = [line.split() for line in describe(state, None).splitlines()]
        assert ["next", "start", moment] in shown
        assert ["attempt", "2"] in shown
        assert "process" not in [words[0] for words in shown]
        app = json.loads(json.dumps(state.to_json()))["apps"][0]
        assert (app["state"], app["pid"], app["attempt"], app["next"]) == ("restarting", None, 2, moment)
    _, state = get_state(pods, UUID)
    app = json.loads(json.dumps(state.to_json()))["apps"][0]
    assert (app["pid"], app["next"]) == (None, None)


@contextmanager
def hold(run: Path) -> Iterator[None]:
    """Hold the pod's lock, as its monitor does."""
    lock = open_locked(str(run / "pods" / "run" / UUID))
    try:
        yield
    finally:
        os.close(lock)
