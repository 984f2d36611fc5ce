"""How pods end: by whose end, in which order, and handlers that hang, fail or are killed meanwhile."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import AppSpec, cgroups_of, handler, log, read_line, run, start, status, write_pod
from tests.support.waiting import wait_for

VOLUME = {"volumes": [{"name": "v", "kind": "empty"}]}
SHARED = {"mounts": [{"volume": "v", "path": "/v"}]}
HANG = "/bin/busybox sleep 100000 & wait"


def shell(script: str, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app, runtime=SHARED)


def stubborn(name: str) -> AppSpec:
    """Return an app that notes when SIGTERM comes, and ends."""
    return shell(f"trap 'echo {name} >> /v/order; exit 0' TERM; echo ready; {HANG}")


# Policy, the script of each app, the pod's code, and how each ended. What c does ends the pod, maybe before c has ended itself.
POLICIES: dict[str, tuple[str, dict[str, str], int, dict[str, dict[str, int]]]] = {
    "any failure ends all": ("any-failure", {"a": HANG, "b": "exit 3"}, 3, {"a": {"signal": 15}, "b": {"exit": 3}}),
    "all wait for all": (
        "all", {"a": "while ! test -e /v/b; do :; done; exit 4", "b": "touch /v/b; exit 3"}, 4,
        {"a": {"exit": 4}, "b": {"exit": 3}},
    ),
    "the first success ends all": ("first", {"a": HANG, "b": "exit 0"}, 0, {"a": {"signal": 15}, "b": {"exit": 0}}),
    "the end of one that is named ends all": (
        "app=b", {"a": HANG, "b": "while ! test -e /v/c; do :; done; exit 6", "c": "trap '' TERM; touch /v/c; exit 5"}, 6,
        {"a": {"signal": 15}, "b": {"exit": 6}, "c": {"exit": 5}},
    ),
    "one that cannot be started has ended, too": ("app=b", {"a": HANG, "b": "\0"}, 127, {"a": {"signal": 15}}),
}  # fmt: skip


@pytest.mark.parametrize("sentence", POLICIES)
def test_a_pod_ends_by_its_policy(tmp_path: Path, rootfs: Path, sentence: str) -> None:
    policy, scripts, code, ends = POLICIES[sentence]
    apps = {name: AppSpec(["/no"], runtime=SHARED) if script == "\0" else shell(script) for name, script in scripts.items()}
    pod = write_pod(tmp_path, rootfs, apps, manifest=VOLUME, exitPolicy=policy)
    assert run(pod).code == code
    for name, end in ends.items():
        assert end.items() <= status(pod, name).items()
    assert cgroups_of(pod) == []


def test_apps_are_asked_to_end_one_after_another_the_last_first(tmp_path: Path, rootfs: Path) -> None:
    names = ["one", "two", "three", "four"]
    pod = write_pod(tmp_path, rootfs, {name: stubborn(name) for name in names}, manifest=VOLUME, gracePeriod=10_000)
    with start(pod) as monitor:
        assert sorted(read_line(monitor) for _ in names) == sorted(f"{name} | ready\n" for name in names)
        monitor.terminate()
        assert monitor.wait() == 0
    assert (pod / "volumes" / "v" / "order").read_text().split() == names[::-1]


def test_an_app_that_does_not_end_keeps_the_others_from_nothing(tmp_path: Path, rootfs: Path) -> None:
    apps = {"polite": stubborn("polite"), "deaf": AppSpec(["/bin/probe", "ignore"], runtime=SHARED)}
    # Of half a minute each has its share, and there are so many that the one who does not end has but two seconds of it.
    others = {f"other-{number}": AppSpec(["/bin/true"]) for number in range(10)}
    pod = write_pod(tmp_path, rootfs, apps | others, manifest=VOLUME, gracePeriod=60)
    with start(pod) as monitor:
        assert sorted(read_line(monitor) for _ in apps) == ["deaf | waiting\n", "polite | ready\n"]
        monitor.terminate()
        wait_for((pod / "status" / "polite").exists, "the end of the one")
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGKILL
    assert status(pod, "polite")["exit"] == 0
    assert status(pod, "deaf")["signal"] == signal.SIGKILL


def test_a_second_request_kills(tmp_path: Path, rootfs: Path) -> None:
    post = handler("post-stop", f"echo cleaning; {HANG}")
    apps = {"app": shell("exit 0", eventHandlers=[post]), "other": shell(f"trap 'echo asked; exit 0' TERM; echo ready; {HANG}")}
    pod = write_pod(tmp_path, rootfs, apps, gracePeriod=10_000, manifest=VOLUME)
    with start(pod) as monitor:
        assert sorted([read_line(monitor), read_line(monitor)]) == ["app | cleaning\n", "other | ready\n"]
        monitor.terminate()
        assert read_line(monitor) == "other | asked\n"
        # It has ended by itself then; and of two signals that wait, the kernel would hand over the second first.
        wait_for((pod / "status" / "other").exists, "the end of the other")
        monitor.send_signal(signal.SIGINT)
        assert monitor.wait() == 0
    assert status(pod, "app")["exit"] == 0


def test_a_pre_start_that_hangs_is_asked_to_end_as_main_is(tmp_path: Path, rootfs: Path) -> None:
    pre = handler("pre-start", f"trap 'echo asked; exit 0' TERM; echo preparing; {HANG}")
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main", eventHandlers=[pre])}, gracePeriod=10_000, manifest=VOLUME)
    with start(pod) as monitor:
        assert read_line(monitor) == "preparing\n"
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGTERM
    assert [text for _, _, text in log(pod, "app")] == ["preparing", "asked"]
    assert status(pod, "app")["why"] == "the pod is ending"


def test_an_interrupt_during_pre_start_is_told_as_such(tmp_path: Path, rootfs: Path) -> None:
    pre = handler("pre-start", f"echo preparing; {HANG}")
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main", eventHandlers=[pre])}, manifest=VOLUME)
    with start(pod) as monitor:
        assert read_line(monitor) == "preparing\n"
        monitor.send_signal(signal.SIGINT)
        assert monitor.wait() == 128 + signal.SIGINT


@pytest.mark.parametrize("name", ["pre-start", "post-stop"])
def test_a_handler_that_is_killed_is_told_by_its_signal(tmp_path: Path, rootfs: Path, name: str) -> None:
    app = shell("exit 0", eventHandlers=[handler(name, "kill -9 $$")])
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest=VOLUME)
    result = run(pod)
    if name == "pre-start":
        assert (result.code, status(pod, "app")["why"]) == (125, "signal 9")
    else:
        assert (result.code, result.stderr) == (0, "acstage1: app: post-stop ended with signal 9\n")


def test_a_post_stop_has_the_grace_period_for_itself_when_main_took_all_of_it(tmp_path: Path, rootfs: Path) -> None:
    app = AppSpec(["/bin/probe", "ignore"], {"eventHandlers": [handler("post-stop", "/bin/busybox sleep 100000")]})
    pod = write_pod(tmp_path, rootfs, {"app": app}, gracePeriod=1)
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        asked = time.monotonic()
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGKILL
        assert time.monotonic() - asked >= 2
    assert status(pod, "app")["post-stop"] == "was killed after 1 s"


# Post-stop, the grace period that it has, and what is said of it and written down.
FAILED_POST_STOPS: dict[str, tuple[dict[str, Any], int, str]] = {
    "one that hangs is killed after the grace period": (handler("post-stop", f"trap '' TERM; {HANG}"), 1, "was killed after 1 s"),
    "one that fails is told with its code": (handler("post-stop", "exit 3"), 10_000, "ended with exit 3"),
    "one that is not there is told with its path": (
        {"name": "post-stop", "exec": ["/no"]}, 10_000, "could not be started: /no: not found in the image",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FAILED_POST_STOPS)
def test_a_post_stop_that_fails_holds_up_no_pod_that_is_not_ending(tmp_path: Path, rootfs: Path, sentence: str) -> None:
    post, grace, why = FAILED_POST_STOPS[sentence]
    apps = {"app": shell("exit 0", eventHandlers=[post]), "other": shell("exit 0")}
    pod = write_pod(tmp_path, rootfs, apps, manifest=VOLUME, gracePeriod=grace)
    result = run(pod)
    assert (result.code, status(pod, "app")["exit"]) == (0, 0)
    assert status(pod, "app")["post-stop"] == why
    assert result.stderr.startswith("acstage1: app: ")
    assert result.stderr.count("\n") == 1


def test_no_grace_period_ends_an_app_that_is_just_starting_and_a_post_stop_that_is_not_there_yet(
    tmp_path: Path, rootfs: Path
) -> None:
    post = handler("post-stop", HANG)
    app = AppSpec(["/bin/probe", "ignore"], {"eventHandlers": [handler("pre-start", "echo begin"), post]})
    pod = write_pod(tmp_path, rootfs, {"app": app}, gracePeriod=0)
    with start(pod) as monitor:
        assert read_line(monitor) == "begin\n"
        monitor.terminate()
        assert monitor.wait() in (128 + signal.SIGKILL, 128 + signal.SIGTERM)


def test_lines_of_several_apps_come_through_with_their_names_and_into_logs_without(tmp_path: Path, rootfs: Path) -> None:
    apps = {"one": shell("echo a; printf b"), "two": shell("echo c >&2")}
    pod = write_pod(tmp_path, rootfs, apps, manifest=VOLUME)
    result = run(pod)
    assert (result.stdout, result.stderr) == ("one | a\none | b\n", "two | c\n")
    assert log(pod, "one") == [("stdout", "F", "a"), ("stdout", "P", "b")]


def test_of_a_log_no_more_is_kept_than_twice_its_size(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/busybox", "seq", "10000"])}, logSize=10_000)
    assert run(pod).stdout.endswith("\n9999\n10000\n")
    assert sorted(os.listdir(pod / "logs")) == ["app.log", "app.log.1"]
    # A record may be as long as what was read at once, and is never cut.
    assert (pod / "logs" / "app.log").read_text().endswith(" stdout F 10000\n")
    assert log(pod, "app")[-1] == ("stdout", "F", "10000")
