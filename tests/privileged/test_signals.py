"""Signals to a pod: which reach the app, when nobody is there yet to answer them, and what the caller had set up before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import STAGE1, AppSpec, cgroups_of, read_line, run, start, status, write_pod

# A signal that comes just before the shell waits is not missed, as it would be just before it opens or reads something.
WAIT = "echo ready; /bin/busybox sleep 100000 & wait"


def shell(script: str, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app)


def trap(name: str) -> AppSpec:
    """Return an app that says which signal it got and ends with 42."""
    return shell(f"trap 'echo {name}; exit 42' {name}; {WAIT}")


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_a_signal_reaches_the_app(tmp_path: Path, rootfs: Path, name: str) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": trap(name)})
    with start(pod) as monitor:
        assert read_line(monitor) == "ready\n"
        monitor.send_signal(getattr(signal, f"SIG{name}"))
        assert read_line(monitor) == f"{name}\n"
        assert monitor.wait() == 42


def test_nohup_stays_nohup(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": trap("TERM")})
    command = ["nohup", *STAGE1, "run", str(pod)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as monitor:
        assert read_line(monitor) == "ready\n"
        monitor.send_signal(signal.SIGHUP)
        monitor.send_signal(signal.SIGTERM)
        assert read_line(monitor) == "TERM\n"
        assert monitor.wait() == 42


def test_a_caller_that_ignores_its_children_learns_the_code_all_the_same(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "exit", "7"])})
    command = ["sh", "-c", 'trap "" CHLD; exec "$@"', "sh", *STAGE1, "run", str(pod)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 7


def test_a_request_to_end_during_pre_start_ends_the_pod_as_such(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/busybox mkfifo /tmp/fifo; echo ready; read line < /tmp/fifo"
    handler = {"name": "pre-start", "exec": ["/bin/sh", "-c", script]}
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main", eventHandlers=[handler])}, gracePeriod=0)
    with start(pod) as monitor:
        assert read_line(monitor) == "ready\n"
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGTERM
    assert status(pod, "app")["why"] == "the pod is ending"
    assert cgroups_of(pod) == []


def test_a_post_stop_that_never_ends_is_killed_after_the_grace_period(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/busybox mkfifo /tmp/fifo; echo cleaning; read line < /tmp/fifo"
    handler = {"name": "post-stop", "exec": ["/bin/sh", "-c", script]}
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "exit", "42"], {"eventHandlers": [handler]})}, gracePeriod=1)
    assert run(pod).code == 42
    assert status(pod, "app")["post-stop"] == "was killed after 1 s"


def test_what_the_caller_redirects_in_cannot_be_written(tmp_path: Path, rootfs: Path) -> None:
    """/proc/self/fd opens the file behind a descriptor anew: with it, a caller's own file would be open for writing."""
    (tmp_path / "given").write_text("given\n")
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", "cat; echo taken > /proc/self/fd/0"], stdin=True)})
    with open(tmp_path / "given", "rb") as file:
        command = [*STAGE1, "run", "--interactive", str(pod)]
        result = subprocess.run(command, stdin=file, capture_output=True, text=True, check=False)
    assert result.stdout == "given\n"
    assert (tmp_path / "given").read_text() == "given\n"


def test_much_input_arrives_whole_and_none_holds_the_pod(tmp_path: Path, rootfs: Path) -> None:
    command = [*STAGE1, "run", "--interactive"]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", "cat | wc -c"], stdin=True)})
    data = os.urandom(3_000_000)
    assert subprocess.run([*command, str(pod)], input=data, capture_output=True, check=True).stdout == b"3000000\n"
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], stdin=True)})
    assert subprocess.run([*command, str(pod)], input=data, capture_output=True, check=False).returncode == 0


def test_a_full_disk_at_the_end_takes_no_code_and_the_status_comes_when_there_is_room(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "exit", "7"])})
    trace = ["strace", "-o", "/dev/null", "-e", "trace=rename", "-e", "inject=rename:error=ENOSPC:when=5"]
    result = subprocess.run([*trace, *STAGE1, "run", str(pod)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (7, "acstage1: status/app: no space left on device\n")
    assert status(pod, "app")["exit"] == 7


def test_a_lock_of_something_else_is_no_lock(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"])})
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        command = [*STAGE1, "run", "--lock-fd", str(descriptor), str(pod)]
        result = subprocess.run(command, pass_fds=[descriptor], capture_output=True, text=True, check=False)
    finally:
        os.close(descriptor)
    assert (result.returncode, result.stdout) == (125, "")
    assert "is not a descriptor of the pod directory" in result.stderr
    assert run(pod).code == 0


# Begins a program to which a signal has been sent already, as acrun holds it back for stage1.
WAITING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [int(sys.argv[1])])
os.kill(os.getpid(), int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_was_there_before_stage1_is_answered_and_the_end_is_told(
    tmp_path: Path, rootfs: Path, number: signal.Signals
) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "stay", "7"])}, gracePeriod=0)
    command = [sys.executable, "-c", WAITING, str(int(number)), *STAGE1, "run", str(pod)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 128 + number
    assert json.loads((pod / "end").read_text()) == {"exit": 128 + number}
    assert cgroups_of(pod) == []
