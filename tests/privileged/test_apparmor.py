"""AppArmor on a kernel that has it: profiles that apps get, and what they deny. Only tests/vm/run.py selects this file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acspec.isolator_names import APPARMOR_PROFILE
from tests.support.apparmor import CONFINED, FREE, LOOK, loaded_profiles
from tests.support.poddirs import AppSpec, cgroups_of, enter, handler, read_line, run, start, status, write_pod


def profile(name: str) -> dict[str, Any]:
    return {"isolators": [{"name": APPARMOR_PROFILE, "value": {"profile": name}}]}


@pytest.fixture(scope="module", autouse=True)
def profiles() -> Iterator[None]:
    """Load the profiles."""
    with loaded_profiles():
        yield


@pytest.fixture
def secret(own_rootfs: Path) -> Path:
    """Return a tree with a file in it that the profile denies."""
    (own_rootfs / "secret").write_text("told\n")
    return own_rootfs


def test_each_app_has_its_own_profile_and_the_others_the_pod_s_or_none(tmp_path: Path, rootfs: Path) -> None:
    apps = {"one": AppSpec(LOOK, profile("appc-test")), "two": AppSpec(LOOK)}
    result = run(write_pod(tmp_path, rootfs, apps))
    assert (result.code, result.stderr) == (0, "")
    assert sorted(result.stdout.splitlines(keepends=True)) == [f"one | {CONFINED}", f"two | {FREE}"]
    result = run(write_pod(tmp_path, rootfs, {"app": AppSpec(LOOK)}, manifest=profile("appc-test")))
    assert (result.code, result.stdout, result.stderr) == (0, CONFINED, "")


AS_WHOM: dict[str, dict[str, Any]] = {
    "root": {},
    "a user": {"user": "alice", "group": "alice"},
    "a user without new privileges": {"user": "alice", "no_new_privileges": True},
}


@pytest.mark.parametrize("case", AS_WHOM)
def test_what_the_profile_denies_is_denied_and_nothing_else(tmp_path: Path, secret: Path, case: str) -> None:
    app = {**profile("appc-test"), **AS_WHOM[case]}
    if app.pop("no_new_privileges", False):
        app["isolators"] = [*app["isolators"], {"name": "os/linux/no-new-privileges", "value": True}]
    pod = write_pod(tmp_path, secret, {"app": AppSpec(["/bin/sh", "-c", "head -n 1 /etc/passwd; cat /secret; exit 3"], app)})
    result = run(pod)
    assert (result.code, result.stdout) == (3, "root:x:0:0:root:/root:/bin/sh\n")
    assert result.stderr == "cat: can't open '/secret': Permission denied\n"
    rows = {row["name"]: row["state"] for row in json.loads((pod / "isolators.json").read_text())}
    assert rows[APPARMOR_PROFILE] == "enforced"
    assert run(write_pod(tmp_path, secret, {"app": AppSpec(["/bin/cat", "/secret"])})).stdout == "told\n"


def test_a_handler_and_an_entered_command_have_the_app_s_profile(tmp_path: Path, secret: Path) -> None:
    events = [handler("pre-start", "cat /proc/self/attr/current"), handler("post-stop", "cat /proc/self/attr/current")]
    spec = AppSpec(["/bin/probe", "trap", "4"], {**profile("appc-test"), "eventHandlers": events})
    pod = write_pod(tmp_path, secret, {"app": spec})
    with start(pod) as monitor:
        assert [read_line(monitor), read_line(monitor)] == [CONFINED, "waiting\n"]
        assert enter(pod, "app", *LOOK).stdout == CONFINED
        denied = enter(pod, "app", "/bin/cat", "/secret")
        assert (denied.code, denied.stderr) == (1, "cat: can't open '/secret': Permission denied\n")
        monitor.terminate()
        assert read_line(monitor) == CONFINED
        assert monitor.wait() == 4


def test_a_profile_that_is_not_loaded_refuses_the_pod(tmp_path: Path, rootfs: Path) -> None:
    apps = {"well": AppSpec(["/bin/echo", "ran"]), "app": AppSpec(["/bin/echo", "ran"], profile("appc-absent"))}
    pod = write_pod(tmp_path, rootfs, apps)
    result = run(pod)
    assert (result.code, result.stdout) == (125, "")
    assert result.stderr == "acstage1: AppArmor profile appc-absent: is not loaded on this host\n"
    assert not (pod / "cgroups").exists()


def test_a_profile_that_is_only_told_of_what_it_would_deny_counts_as_ignored(tmp_path: Path, secret: Path) -> None:
    pod = write_pod(tmp_path, secret, {"app": AppSpec(["/bin/sh", "-c", "cat /proc/self/attr/current"], profile("appc-lenient"))})
    result = run(pod)
    assert (result.code, result.stdout) == (0, "appc-lenient (complain)\n")
    assert result.stderr == f"acstage1: isolators not enforced: {APPARMOR_PROFILE} (acrun status says why)\n"
    whys = {row["name"]: row["why"] for row in json.loads((pod / "isolators.json").read_text())}
    assert whys[APPARMOR_PROFILE] == "the profile is in complain mode"
    assert run(write_pod(tmp_path, secret, {"app": AppSpec(["/bin/true"], profile("appc-lenient"))}, strict=True)).code == 125


def test_a_profile_that_does_not_let_the_app_be_executed_gives_one_line(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], profile("appc-nothing"))})
    result = run(pod)
    assert (result.code, result.stdout, result.stderr) == (126, "", "acstage1: app: /bin/true: permission denied\n")
    assert cgroups_of(pod) == []


@pytest.mark.parametrize("how", ["stop", "stop --force", "SIGTERM"])
def test_an_app_whose_profile_lets_nobody_signal_it_ends_when_asked(tmp_path: Path, rootfs: Path, how: str) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"], profile("appc-deaf"))}, gracePeriod=0)
    heard, ready_fd = os.pipe()
    with start(pod, "--ready-fd", str(ready_fd), pass_fds=[ready_fd]) as monitor, open(heard) as word:
        os.close(ready_fd)
        assert read_line(monitor) == "waiting\n"
        assert word.read() == "ready\nstarted\n", "before, SIGTERM would be kept until it can be answered, and SIGKILL come first"
        if how == "SIGTERM":
            monitor.terminate()
        else:
            assert run(pod, *how.split()[1:], verb="stop").code == 0
        assert monitor.wait() == 128 + 9
        assert monitor.stderr is not None
        assert monitor.stderr.read() == ("" if "--force" in how else "acstage1: app: signal 15: permission denied\n")
    assert status(pod, "app")["signal"] == 9
    assert cgroups_of(pod) == []
