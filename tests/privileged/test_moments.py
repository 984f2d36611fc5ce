"""Moments of a start that are over before anybody can act in them, unless a system call takes its time: strace has it do so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import STAGE1, AppSpec, cgroups_of, log, read_line, run, start, status, write_pod
from tests.support.waiting import wait_for


@contextmanager
def held_up(call: str, *words: str, when: str = "1+", **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Run stage1 with *words* where *call* takes a third of a second each time (or *when*), in every process of its own."""
    fault = f"inject={call}:delay_enter=300000:when={when}"
    command = ["strace", "-D", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", fault, *STAGE1, *words]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **how) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_signal_that_comes_before_the_word_of_the_app_s_start_reaches_it_once(tmp_path: Path, rootfs: Path) -> None:
    script = "trap 'echo one' USR1; trap 'echo two; exit 5' TERM; echo ready; while :; do /bin/busybox sleep 100000 & wait; done"
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script])})
    heard, ready_fd = os.pipe()
    words = ["run", "--ready-fd", str(ready_fd), str(pod)]
    with held_up("sendto", *words, pass_fds=[ready_fd]) as monitor, open(heard) as word:  # as init sends what it has to say
        os.close(ready_fd)
        assert read_line(monitor) == "ready\n"
        monitor.send_signal(signal.SIGUSR1)
        assert [word.readline(), word.readline()] == ["ready\n", "started\n"]
        assert read_line(monitor) == "one\n"
        monitor.terminate()
        assert monitor.wait() == 5
    assert [text for _, _, text in log(pod, "app")] == ["ready", "one", "two"]


def test_an_app_that_is_killed_on_its_way_is_all_that_has_failed(tmp_path: Path, rootfs: Path) -> None:
    """It waits for the word that it is in its cgroups, and is dead when init, which has not looked yet, passes that on."""
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"])})
    with held_up("recvmsg", "run", str(pod)) as monitor:  # as each hears what the other has to say
        os.kill(wait_for(lambda: _find_app(pod), "an app on its way"), signal.SIGKILL)
        assert monitor.wait() == 128 + signal.SIGKILL
    assert status(pod, "app")["signal"] == signal.SIGKILL


def _find_app(pod: Path) -> int:
    try:
        apps = json.loads((pod / "pid").read_text())["apps"]
    except FileNotFoundError:
        return 0
    return int(apps["app"]["pid"]) if apps else 0


def test_a_pod_that_is_just_starting_is_stopped_as_well(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "7"])})
    with held_up("rename", "run", str(pod), when="3") as monitor:  # as who is who is written down
        wait_for((pod / "isolators.json").exists, "a pod that stands")
        assert run(pod, verb="stop").code == 0
        assert (pod / "end").exists()
        assert monitor.wait() in (7, 128 + signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_as_the_first_file_is_written_is_no_end_without_a_word(
    tmp_path: Path, rootfs: Path, number: signal.Signals
) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "stay", "7"])}, gracePeriod=0)
    fault = f"inject=rename:signal={number.name}:when=1"
    command = ["strace", "-o", "/dev/null", "-e", "trace=rename", "-e", fault, *STAGE1, "run", str(pod)]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 128 + number
    assert json.loads((pod / "end").read_text()) == {"exit": 128 + number}
    assert cgroups_of(pod) == []


def test_a_signal_to_who_enters_never_leaves_the_command_behind(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "0"])})
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        words = ["enter", str(pod), "app", "--", "/bin/sh", "-c", "echo ready; exec sleep 100000"]
        with held_up("pidfd_open", *words) as entered:  # of what has been forked
            assert read_line(entered) == "ready\n"
            entered.terminate()
            assert entered.wait() == 128 + signal.SIGTERM
        (procs,) = {(path / "cgroup.procs").read_text() for path in cgroups_of(pod) if path.name == "app-app"}
        assert len(procs.split()) == 1
        monitor.terminate()
