"""Apps that are started again: from a clean copy, beside others that run on, and as often as they may."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import (
    AppSpec,
    cgroups_of,
    enter,
    handler,
    read_line,
    run,
    start,
    status,
    stop_between_attempts,
    wait_for_end,
    write_pod,
)
from tests.support.userland import without_numbers
from tests.support.waiting import wait_for

VOLUMES = {"volumes": [{"name": "v", "kind": "empty"}]}
SHARED = {"mounts": [{"volume": "v", "path": "/v"}]}
HANG = "/bin/busybox sleep 100000 & wait"
COUNT = "echo x >> /v/count; n=$(wc -l < /v/count)"


def shell(script: str, *, copy: bool = False, runtime: dict[str, Any] | None = None, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app, runtime={**SHARED, **(runtime or {})}, copy=copy)


def write(base: Path, rootfs: Path, apps: dict[str, AppSpec], **settings: Any) -> Path:
    """Write a pod whose apps, copies too, can be started again, as their settings say of what they are copies."""
    pod = write_pod(base, rootfs, apps, manifest=VOLUMES, **{"restart": "on-failure", **settings})
    document = json.loads((pod / "stage1.json").read_text())
    for app in document["apps"].values():
        app["rootfs"]["lower"] = str(rootfs)
    (pod / "stage1.json").write_text(json.dumps(document))
    return pod


@pytest.mark.parametrize("copy", [False, True], ids=["overlay", "copy"])
def test_each_attempt_has_a_clean_copy_and_the_volumes_as_they_were(tmp_path: Path, rootfs: Path, copy: bool) -> None:
    script = (
        f"{COUNT}; ls /mine /etc/passwd /dev/new /tmp/new 2>/dev/null; touch /mine /dev/new /tmp/new; rm /etc/passwd; test $n -ge 3"
    )
    pod = write(tmp_path, rootfs, {"app": shell(script, copy=copy)})
    result = run(pod)
    assert (result.code, result.stdout, result.stderr) == (0, "/etc/passwd\n" * 3, "")
    assert (status(pod, "app")["exit"], status(pod, "app")["attempt"]) == (0, 3)
    assert "next" not in status(pod, "app")
    assert sorted(os.listdir(pod / "apps" / "app")) == (["rootfs"] if copy else ["upper", "work"])
    assert not (rootfs / "mine").exists()
    assert cgroups_of(pod) == []


def test_a_tree_made_anew_is_as_the_first_one_was(tmp_path: Path, rootfs: Path) -> None:
    """The same mounts with the same flags, the same devices and masks, and nothing of the host more."""
    app = AppSpec(["/bin/sh", "-c", f"{COUNT}; /bin/probe; exit 1"], runtime={**SHARED, "readOnlyRootFS": True})
    pod = write(tmp_path, rootfs, {"app": app}, restartLimit=1)
    result = run(pod)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    for key in ("mounts", "environment", "uids", "gids", "groups", "cwd", "cgroup", "status", "fds"):
        assert without_numbers(first[key]) == without_numbers(second[key]), key


def test_a_crash_loop_ends_after_as_many_attempts_as_are_allowed(tmp_path: Path, rootfs: Path) -> None:
    pod = write(tmp_path, rootfs, {"app": shell("echo again; exit 7")}, restartLimit=3)
    result = run(pod)
    assert (result.code, result.stdout) == (7, "again\n" * 4)
    assert (status(pod, "app")["exit"], status(pod, "app")["attempt"]) == (7, 4)


def test_others_run_on_while_one_is_started_again(tmp_path: Path, rootfs: Path) -> None:
    crashing = shell(f"{COUNT}; kill -0 $$; test $n -lt 3 && exit 1; while ! test -e /v/steady; do :; done; echo there; {HANG}")
    steady = shell(f"touch /here; trap 'ls /here; exit 0' TERM; touch /v/steady; {HANG}")
    pod = write(tmp_path, rootfs, {"steady": steady, "crashing": crashing})
    with start(pod) as monitor:
        assert read_line(monitor) == "crashing | there\n"
        pids = json.loads((pod / "pid").read_text())["apps"]
        assert (pids["steady"]["attempt"], pids["crashing"]["attempt"], pids["crashing"]["role"]) == (1, 3, "main")
        assert enter(pod, "crashing", "/bin/sh", "-c", "cat /v/count").stdout == "x\nx\nx\n"
        monitor.terminate()
        assert read_line(monitor) == "steady | /here\n"
        monitor.wait()
    assert (status(pod, "steady")["exit"], status(pod, "steady")["attempt"]) == (0, 1)


def test_the_memory_that_apps_share_outlasts_restarts(tmp_path: Path, rootfs: Path) -> None:
    again = shell(f"{COUNT}; echo $n >> /dev/shm/counted; test $n -ge 3")
    other = shell("while ! grep -qs 3 /dev/shm/counted; do :; done; cat /dev/shm/counted")
    assert run(write(tmp_path, rootfs, {"again": again, "other": other})).stdout == "other | 1\nother | 2\nother | 3\n"
    alone = shell(f"{COUNT}; ls /dev/shm; touch /dev/shm/new; test $n -ge 2")
    assert run(write(tmp_path, rootfs, {"alone": alone})).stdout == ""


def test_what_an_app_left_behind_is_gone_before_it_begins_again(tmp_path: Path, rootfs: Path) -> None:
    look = 'case "$(cat /proc/[0-9]*/cmdline 2> /dev/null)" in *left$m*) echo there;; *) echo none;; esac'
    # It says itself that it is there: for a moment, what is just being executed has no words.
    leave = f'/bin/busybox setsid /bin/sh -c ": left$m; touch /tmp/there; {HANG}" & while ! test -e /tmp/there; do :; done'
    pod = write(tmp_path, rootfs, {"app": shell(f"{COUNT}; m=$((4700 + 11)); {look}; {leave}; {look}; test $n -ge 2")})
    assert run(pod).stdout == "none\nthere\n" * 2


def test_handlers_run_around_each_attempt(tmp_path: Path, rootfs: Path) -> None:
    events = [handler("pre-start", "echo pre"), handler("post-stop", "echo post")]
    pod = write(tmp_path, rootfs, {"app": shell(f"{COUNT}; echo main; test $n -ge 2", eventHandlers=events)})
    assert run(pod).stdout == "pre\nmain\npost\n" * 2


def test_a_pre_start_that_fails_is_tried_again_and_a_program_that_is_not_there_is_not(tmp_path: Path, rootfs: Path) -> None:
    app = shell("echo main", eventHandlers=[handler("pre-start", f"{COUNT}; test $n -ge 2")])
    pod = write(tmp_path, rootfs, {"app": app})
    assert run(pod).stdout == "main\n"
    assert status(pod, "app")["attempt"] == 2
    pod = write(tmp_path, rootfs, {"app": AppSpec(["/bin/nope"], runtime=SHARED)}, restart="always")
    assert run(pod).code == 127
    assert status(pod, "app")["attempt"] == 1


def test_always_is_always_until_somebody_asks(tmp_path: Path, rootfs: Path) -> None:
    pod = write(tmp_path, rootfs, {"app": shell("echo done")}, restart="always")
    with start(pod) as monitor:
        for _ in range(3):
            assert read_line(monitor) == "done\n"
        monitor.terminate()
        assert monitor.wait() in (0, 128 + signal.SIGTERM)  # between two attempts, or in the fourth
    assert "next" not in status(pod, "app")
    assert cgroups_of(pod) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_between_two_attempts_is_the_end(tmp_path: Path, rootfs: Path, number: int) -> None:
    pod = write(tmp_path, rootfs, {"app": shell("echo done; exit 9")})
    with start(pod) as monitor:
        last = stop_between_attempts(monitor, pod)
        monitor.send_signal(number)
        monitor.send_signal(signal.SIGCONT)
        assert monitor.wait() == 9
    assert (status(pod, "app")["attempt"], status(pod, "app")["exit"]) == (last, 9)
    assert "next" not in status(pod, "app")
    assert cgroups_of(pod) == []


def test_a_volume_whose_source_went_meanwhile_is_told_and_ends_the_app(tmp_path: Path, rootfs: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    mounts = {"mounts": [{"volume": "host", "path": "/host"}]}
    volumes = {"volumes": [{"name": "host", "kind": "host", "source": str(source)}]}
    app = AppSpec(["/bin/sh", "-c", f"trap 'exit 3' USR1; echo ready; {HANG}"], runtime=mounts)
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest=volumes, restart="always")
    with start(pod) as monitor:
        assert read_line(monitor) == "ready\n"
        source.rename(tmp_path / "away")
        monitor.send_signal(signal.SIGUSR1)
        assert monitor.wait() == 125
        assert monitor.stderr is not None
        assert monitor.stderr.read() == f"acstage1: app: make a clean copy: {source}: openat2: no such file or directory\n"
    assert status(pod, "app")["failed"] == "make a clean copy"


@pytest.mark.parametrize("attempt", range(6))
def test_who_is_killed_while_a_clean_copy_is_made_leaves_what_gc_finds(tmp_path: Path, rootfs: Path, attempt: int) -> None:
    """The old layer is put aside as long as the builders are at work: they die with the monitor, wherever they are."""
    pod = write(tmp_path, rootfs, {"app": shell("exit 1")})
    with start(pod) as monitor:
        for _ in range(attempt * 40):
            os.stat(pod)
        while not (pod / "apps" / "app" / "upper.old").exists():
            assert monitor.poll() is None
        monitor.kill()
    wait_for_end(json.loads((pod / "pid").read_text())["init"]["pid"])
    assert run(pod, verb="gc").code == 0
    assert cgroups_of(pod) == []
    wait_for(lambda: not any(str(pod).encode() in _command_line(process) for process in Path("/proc").glob("[0-9]*")), "their end")
    assert str(pod) not in Path("/proc/self/mounts").read_text()
    shutil.rmtree(pod)


def _command_line(process: Path) -> bytes:
    """Return the words of a process, which builders have of their monitor."""
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_without_what_a_root_is_a_copy_of_nothing_can_be_started_again(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], copy=True)}, restart="always")
    result = run(pod)
    assert (result.code, len(result.stderr.splitlines())) == (125, 1)
    assert "stage1.json: apps.app.rootfs.lower: is not there" in result.stderr


def test_a_volume_with_a_size_keeps_its_content_and_its_size_and_is_nobody_else_s(tmp_path: Path, rootfs: Path) -> None:
    script = f"{COUNT}; echo $n; ls /volumes; dd if=/dev/zero of=/v/all bs=64k 2> /dev/null; echo full $?; rm /v/all; test $n -ge 3"
    pod = write(tmp_path, rootfs, {"app": shell(script)}, volumes={"v": {"size": 1 << 20}})
    result = run(pod)
    assert (result.code, result.stdout) == (0, "1\nfull 1\n2\nfull 1\n3\nfull 1\n")
    assert list((pod / "volumes" / "v").iterdir()) == []


def test_a_volume_with_a_size_is_read_only_again_where_it_was(tmp_path: Path, rootfs: Path) -> None:
    keeper = shell(f"echo kept > /v/file; {HANG}")
    reader = AppSpec(
        ["/bin/sh", "-c", "while ! read word < /v/file; do :; done; echo $word; touch /v/new; exit 1"],
        {"mountPoints": [{"name": "v", "path": "/v", "readOnly": True}]}, SHARED,
    )  # fmt: skip
    apps = {"keeper": keeper, "reader": reader}
    pod = write(tmp_path, rootfs, apps, volumes={"v": {"size": 1 << 20}}, restartLimit=2, exitPolicy="app=reader")
    result = run(pod)
    assert result.code == 1
    assert result.stdout.count("reader | kept\n") == 3
    assert result.stderr.count("Read-only file system") == 3
