"""What an app keeps and loses beside a filter of system calls made by hand, and what happens when the filter itself is at fault."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.capabilities import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from acspec.isolator_names import REMOVE_SET, RETAIN_SET
from tests.support.bpf import ERRNO, KILL_PROCESS, allow, block, give_filter
from tests.support.poddirs import STAGE1, AppSpec, Result, cgroups_of, enter, read_line, run, start, status, write_pod

CAPABILITIES = {name: number for number, name in enumerate(ALL_CAPABILITIES)}
X86_64 = platform.machine() == "x86_64"
# The numbers of uname, and of what starts and ends an app: execve, execveat, exit_group, fcntl, write.
UNAME = 63 if X86_64 else 160
START = (59, 322, 231, 72, 1) if X86_64 else (221, 281, 94, 25, 64)
NO_UNAME = block(UNAME, ERRNO | errno.ENOTSUP)


def make(tmp_path: Path, rootfs: Path, *words: str, program: bytes = NO_UNAME, app: dict[str, Any] | None = None) -> Path:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", *words], app or {})})
    give_filter(pod, "app", program)
    return pod


def lines(result: Result) -> dict[str, str]:
    assert result.code == 0, result.stderr
    return dict(line.split(":\t", 1) for line in result.report["status"] if ":\t" in line)


def test_a_blocked_call_returns_the_error_and_all_others_go_on(tmp_path: Path, rootfs: Path) -> None:
    assert run(make(tmp_path, rootfs, "syscall", str(UNAME))).stdout == f"-{errno.ENOTSUP}\n"
    assert lines(run(make(tmp_path, rootfs)))["Seccomp"] == "2"


def test_a_call_that_ends_the_app_is_told_as_sigsys(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "syscall", str(UNAME), program=block(UNAME, KILL_PROCESS))
    assert run(pod).code == 128 + 31
    assert status(pod, "app")["signal"] == 31


def test_a_filter_that_allows_next_to_nothing_lets_the_app_start(tmp_path: Path, rootfs: Path) -> None:
    """The program is reached, and ends by its own first call; a start that asked for more would be told as failed, or as 125."""
    for _ in range(5):
        pod = make(tmp_path, rootfs, program=allow(*START))
        assert run(pod).code == 128 + 31
        assert "failed" not in status(pod, "app")


def test_a_program_that_cannot_be_executed_is_told_through_such_a_filter(tmp_path: Path, rootfs: Path) -> None:
    tree = shutil.copytree(rootfs, tmp_path / "tree", symlinks=True)
    (tree / "bin" / "text").write_text("not a program\n")
    (tree / "bin" / "text").chmod(0o755)
    pod = write_pod(tmp_path, tree, {"app": AppSpec(["/bin/text"])})
    give_filter(pod, "app", allow(*START))
    result = run(pod)
    assert (result.code, "neither a program for this machine" in result.stderr) == (126, True), result.stderr


USERS: dict[str, tuple[dict[str, Any], frozenset[str], frozenset[str]]] = {
    "root": ({}, DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES),
    "root with a retain set": (
        {"isolators": [{"name": RETAIN_SET, "value": {"set": ["CAP_KILL"]}}]}, frozenset({"CAP_KILL"}), frozenset({"CAP_KILL"}),
    ),
    "root with a remove set": (
        {"isolators": [{"name": REMOVE_SET, "value": {"set": ["CAP_MKNOD"]}}]},
        DEFAULT_CAPABILITIES - {"CAP_MKNOD"}, DEFAULT_CAPABILITIES - {"CAP_MKNOD"},
    ),
    "root that keeps what loads filters": (
        {"isolators": [{"name": RETAIN_SET, "value": {"set": ["CAP_SYS_ADMIN"]}}]},
        frozenset({"CAP_SYS_ADMIN"}), frozenset({"CAP_SYS_ADMIN"}),
    ),
    "root that gains nothing": (
        {"isolators": [{"name": "os/linux/no-new-privileges", "value": True}]}, DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES,
    ),
    "another user": ({"user": "1000", "group": "1000"}, DEFAULT_CAPABILITIES, frozenset()),
    "another user that keeps what loads filters": (
        {"user": "1000", "group": "1000", "isolators": [{"name": RETAIN_SET, "value": {"set": ["CAP_SYS_ADMIN"]}}]},
        frozenset({"CAP_SYS_ADMIN"}), frozenset(),
    ),
    "another user that gains nothing": (
        {"user": "1000", "group": "1000", "isolators": [{"name": "os/linux/no-new-privileges", "value": True}]},
        DEFAULT_CAPABILITIES, frozenset(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("filtered", [True, False], ids=["filtered", "unfiltered"])
@pytest.mark.parametrize("case", USERS)
def test_every_set_of_capabilities_is_the_same_with_a_filter_and_without(
    tmp_path: Path, rootfs: Path, case: str, filtered: bool
) -> None:
    app, bounding, effective = USERS[case]
    pod = make(tmp_path, rootfs, app=app) if filtered else write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe"], app)})
    seen = lines(run(pod))
    wanted = {"CapBnd": bounding, "CapPrm": effective, "CapEff": effective, "CapInh": frozenset(), "CapAmb": frozenset()}
    for key, names in wanted.items():
        assert int(seen[key], 16) == sum(1 << CAPABILITIES[name] for name in names), key
    assert seen["NoNewPrivs"] == ("1" if "gains nothing" in case else "0")
    assert seen["Seccomp"] == ("2" if filtered else "0")


@pytest.mark.parametrize("forbidden", [False, True], ids=["by default", "with no-new-privileges"])
def test_a_file_s_capabilities_work_under_a_filter_unless_new_privileges_are_forbidden(
    tmp_path: Path, rootfs: Path, forbidden: bool
) -> None:
    tree = shutil.copytree(rootfs, tmp_path / "tree", symlinks=True)
    raw = 1 << CAPABILITIES["CAP_NET_RAW"]
    attribute = (0x02000001).to_bytes(4, "little") + raw.to_bytes(4, "little") + bytes(12)
    os.setxattr(tree / "bin" / "probe", "security.capability", attribute)
    isolators = [{"name": "os/linux/no-new-privileges", "value": True}] if forbidden else []
    pod = write_pod(tmp_path, tree, {"app": AppSpec(["/bin/probe"], {"user": "1000", "group": "1000", "isolators": isolators})})
    give_filter(pod, "app", NO_UNAME)
    assert int(lines(run(pod))["CapEff"], 16) == (0 if forbidden else raw)


def test_handlers_run_under_the_filter_of_their_app(tmp_path: Path, rootfs: Path) -> None:
    handlers = [{"name": name, "exec": ["/bin/probe", "syscall", str(UNAME)]} for name in ("pre-start", "post-stop")]
    pod = make(tmp_path, rootfs, "exit", "0", app={"eventHandlers": handlers})
    assert run(pod).stdout == f"-{errno.ENOTSUP}\n" * 2


def test_who_enters_has_the_filter_the_capabilities_and_no_new_privileges_of_the_app(tmp_path: Path, rootfs: Path) -> None:
    isolators = [
        {"name": RETAIN_SET, "value": {"set": ["CAP_KILL", "CAP_CHOWN"]}},
        {"name": "os/linux/no-new-privileges", "value": True},
    ]
    pod = make(tmp_path, rootfs, "stay", "0", app={"isolators": isolators})
    with start(pod) as monitor:
        app = dict(line.split(":\t", 1) for line in json.loads(read_line(monitor))["status"] if ":\t" in line)
        entered = lines(enter(pod, "app", "/bin/probe"))
        blocked = enter(pod, "app", "/bin/probe", "syscall", str(UNAME))
        monitor.terminate()
    keys = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters")
    assert {key: entered[key] for key in keys} == {key: app[key] for key in keys}
    assert (entered["Seccomp"], entered["NoNewPrivs"]) == ("2", "1")
    assert blocked.stdout == f"-{errno.ENOTSUP}\n"


BAD = {
    "half of an instruction": (NO_UNAME[:-4], "is no filter"),
    "nothing": (b"", "is no filter"),
    "more than the kernel takes": (NO_UNAME * 1025, "is no filter"),
    "instructions that the kernel does not know": (b"\xff" * 64, "seccomp: Invalid argument"),
    "a program without an end": (NO_UNAME[:8], "seccomp: Invalid argument"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_filter_that_cannot_be_loaded_starts_no_app(tmp_path: Path, rootfs: Path, case: str) -> None:
    program, why = BAD[case]
    result = run(make(tmp_path, rootfs, program=program))
    assert (result.code, result.stdout) == (125, "")
    assert why.lower() in result.stderr.lower()


def test_a_filter_that_was_promised_and_is_not_there_starts_no_app(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs)
    (pod / "apps" / "app" / "seccomp.bpf").rename(tmp_path / "elsewhere")
    assert run(pod).code == 125
    (pod / "apps" / "app" / "seccomp.bpf").symlink_to(tmp_path / "elsewhere")
    assert run(pod).code == 125


def test_what_became_of_the_filter_is_in_isolators_json(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs)
    run(pod)
    rows = json.loads((pod / "isolators.json").read_text())
    assert {"name": "appc-tools/seccomp", "app": "app", "state": "enforced", "why": None} in rows
    unfiltered = {"name": "os/linux/seccomp-remove-set", "value": {"set": ["reboot"]}}
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], {"isolators": [unfiltered]})})
    assert "os/linux/seccomp-remove-set" in run(pod).stderr
    [row] = [row for row in json.loads((pod / "isolators.json").read_text()) if row["app"] == "app"]
    assert (row["state"], row["why"]) == ("ignored", "no filter was made of it")


# Begins a program without a system call, as in a container whose filter forbids it, or on a kernel without it.
WITHOUT = """
import os, sys
import pyseccomp
calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
calls.add_rule(pyseccomp.ERRNO(int(sys.argv[2])), sys.argv[1])
calls.load()
os.execv(sys.argv[3], sys.argv[3:])
"""
LACKS = "this kernel lacks this system call, or a filter forbids it (Linux 5.14 has all of them)"


@pytest.mark.parametrize("call", ["memfd_create", "pidfd_open"])
@pytest.mark.parametrize(
    ("code", "why"), [(errno.ENOSYS, LACKS), (errno.EPERM, "operation not permitted")], ids=["missing", "forbidden"]
)
def test_a_call_that_is_not_to_be_had_is_named(tmp_path: Path, rootfs: Path, call: str, code: int, why: str) -> None:
    pod = make(tmp_path, rootfs)
    command = [sys.executable, "-c", WITHOUT, call, str(code), *STAGE1, "run", str(pod)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (125, "", f"acstage1: {call}: {why}\n")
    assert cgroups_of(pod) == []
