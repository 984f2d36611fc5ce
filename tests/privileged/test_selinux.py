"""SELinux on a kernel that enforces tests/vm/policy.cil: contexts that apps get. Only tests/vm/run.py selects this file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from acspec.isolator_names import SELINUX_CONTEXT
from tests.support.poddirs import AppSpec, cgroups_of, enter, handler, read_line, run, start, write_pod

LOOK = ["/bin/cat", "/proc/self/attr/current"]
CONFINED, FREE = "system_u:system_r:app_t:s0:c1,c2", "system_u:system_r:machine_t:s0-s0:c0.c2"


def context(**parts: str) -> dict[str, Any]:
    value = {"user": "system_u", "role": "system_r", "type": "app_t", "level": "s0:c1,c2", **parts}
    return {"isolators": [{"name": SELINUX_CONTEXT, "value": value}]}


@pytest.fixture
def secret(own_rootfs: Path) -> Path:
    """Return a tree with a file in it that the policy does not let the app read."""
    path = own_rootfs / "secret"
    path.write_text("told\n")
    os.setxattr(path, "security.selinux", b"system_u:object_r:secret_t:s0\0")
    return own_rootfs


def test_the_kernel_enforces() -> None:
    assert Path("/sys/fs/selinux/enforce").read_text() == "1"


def test_each_app_has_its_own_context_and_the_others_the_pod_s_or_ours(tmp_path: Path, rootfs: Path) -> None:
    result = run(write_pod(tmp_path, rootfs, {"one": AppSpec(LOOK, context()), "two": AppSpec(LOOK)}))
    assert (result.code, result.stderr) == (0, "")
    assert sorted(result.stdout.replace("\0", "").splitlines()) == [f"one | {CONFINED}", f"two | {FREE}"]
    result = run(write_pod(tmp_path, rootfs, {"app": AppSpec(LOOK)}, manifest=context()))
    assert (result.code, result.stdout, result.stderr) == (0, f"{CONFINED}\0", "")


AS_WHOM: dict[str, dict[str, Any]] = {
    "root": {},
    "a user": {"user": "alice", "group": "alice"},
    "a user without new privileges": {"user": "alice", "no_new_privileges": True},
}


@pytest.mark.parametrize("case", AS_WHOM)
def test_what_the_policy_denies_is_denied_and_nothing_else(tmp_path: Path, secret: Path, case: str) -> None:
    app = {**context(), **AS_WHOM[case]}
    if app.pop("no_new_privileges", False):
        app["isolators"] = [*app["isolators"], {"name": "os/linux/no-new-privileges", "value": True}]
    pod = write_pod(tmp_path, secret, {"app": AppSpec(["/bin/sh", "-c", "head -n 1 /etc/passwd; cat /secret; exit 3"], app)})
    result = run(pod)
    assert (result.code, result.stdout) == (3, "root:x:0:0:root:/root:/bin/sh\n")
    assert result.stderr == "cat: can't open '/secret': Permission denied\n"
    rows = {row["name"]: row["state"] for row in json.loads((pod / "isolators.json").read_text())}
    assert rows[SELINUX_CONTEXT] == "enforced"
    assert run(write_pod(tmp_path, secret, {"app": AppSpec(["/bin/cat", "/secret"])})).stdout == "told\n"


def test_a_context_that_is_not_enforced_counts_as_ignored(tmp_path: Path, secret: Path) -> None:
    enforce = Path("/sys/fs/selinux/enforce")
    enforce.write_text("0")
    try:
        result = run(write_pod(tmp_path, secret, {"app": AppSpec(["/bin/cat", "/secret"], context())}))
        strict = run(write_pod(tmp_path, secret, {"app": AppSpec(["/bin/cat", "/secret"], context())}, strict=True))
    finally:
        enforce.write_text("1")
    assert (result.code, result.stdout) == (0, "told\n")
    assert result.stderr == f"acstage1: isolators not enforced: {SELINUX_CONTEXT} (acrun status says why)\n"
    assert (strict.code, strict.stdout) == (125, "")
    assert "SELinux is permissive on this host" in strict.stderr


def test_a_handler_and_an_entered_command_have_the_app_s_context(tmp_path: Path, secret: Path) -> None:
    events = [handler("pre-start", "cat /proc/self/attr/current; echo")]
    spec = AppSpec(["/bin/probe", "trap", "4"], {**context(), "eventHandlers": events})
    pod = write_pod(tmp_path, secret, {"app": spec})
    with start(pod) as monitor:
        assert [read_line(monitor), read_line(monitor)] == [f"{CONFINED}\0\n", "waiting\n"]
        assert enter(pod, "app", *LOOK).stdout == f"{CONFINED}\0"
        denied = enter(pod, "app", "/bin/cat", "/secret")
        assert (denied.code, denied.stderr) == (1, "cat: can't open '/secret': Permission denied\n")
        monitor.terminate()
        assert monitor.wait() == 4


UNKNOWN = "set the label of the program: SELinux context {}: is not in the policy of this host"
DENIED = "execve as SELinux context {}: permission denied"
REFUSED = {
    "a type that is in no policy": ({"type": "absent_t"}, UNKNOWN),
    "a category that is in no policy": ({"level": "s0:c9"}, UNKNOWN),
    "a type that is for files": ({"type": "object_t"}, UNKNOWN),
    "a type that nothing may become": ({"type": "other_t"}, DENIED),
    "a type that nothing may become in a file of memory, which counts as on a nosuid mount": ({"type": "plain_t"}, DENIED),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_context_that_an_app_cannot_have_starts_nothing(tmp_path: Path, rootfs: Path, case: str) -> None:
    parts, why = REFUSED[case]
    spec = AppSpec(["/bin/echo", "ran"], context(**parts))
    pod = write_pod(tmp_path, rootfs, {"app": spec})
    result = run(pod)
    assert (result.code, result.stdout) == (125, "")
    label = ":".join(spec.app["isolators"][0]["value"].values())
    assert result.stderr == f"acstage1: app: {why.format(label)}\n"
    assert cgroups_of(pod) == []
