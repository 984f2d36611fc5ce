"""Running apps as attackers: against who enters them, against the pod's first process, and against what the caller holds."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.poddirs import STAGE1, AppSpec, enter, read_line, run, start, write_pod
from tests.support.terminal import at_terminal

# An app whose calls nobody filters makes a user namespace, is root there, and mounts what it likes for itself. It puts something
# else in the place of all that a start could ask /proc for; with `#!/real/self/exe`, the host's interpreter would run the script.
_FORGE = """
/bin/busybox mkdir /real && /bin/busybox mount --rbind /proc /real && /bin/busybox mount -t tmpfs tmpfs /proc &&
/bin/busybox mkdir -p /proc/self/fd /proc/sys /proc/1/root && cd /proc/self/fd &&
printf '#!/bin/sh\\necho taken\\n' > script && /bin/busybox chmod 755 script && : > /proc/self/status &&
for n in $(/bin/busybox seq 3 255); do ln script $n; done; cd /; echo forged; exec sleep 1000
"""


def test_who_enters_an_app_that_forged_its_proc_runs_what_was_asked_for(tmp_path: Path, rootfs: Path) -> None:
    app = AppSpec(["/bin/busybox", "unshare", "-U", "-r", "-m", "/bin/sh", "-c", _FORGE])
    pod = write_pod(tmp_path, rootfs, {"app": app})
    with start(pod) as monitor:
        assert read_line(monitor) == "forged\n"
        entered = enter(pod, "app", "/bin/echo", "asked", "for")
        monitor.terminate()
    assert (entered.stdout, entered.stderr, entered.code) == ("asked for\n", "", 0)


@contextmanager
def staying(tmp_path: Path, rootfs: Path) -> Iterator[Path]:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "0"])})
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        yield pod
        monitor.terminate()


def enter_by(pod: Path, line: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which `enter` runs a script in the app, beside the pod directory's parents."""
    command = shlex.join([*STAGE1, "enter", str(pod), "app", "--", "/bin/sh", "-c", script])
    return subprocess.run(["sh", "-c", line.replace("enter", command)], cwd=pod.parent, capture_output=True, text=True, check=False)


def test_what_a_caller_redirects_is_out_of_the_reach_of_who_looks_into_the_command(tmp_path: Path, rootfs: Path) -> None:
    """Any process of the app can do to the command what it does here to itself: open its files anew."""
    with staying(tmp_path, rootfs) as pod:
        (pod.parent / "given").write_text("given\n")
        (pod.parent / "log").write_text("written before\n")
        # The thief is gone before there is something in the pipe that is not for it to take.
        script = "cat /proc/$$/fd/1 >&2 & sleep 0.1; kill $!; wait; cat; echo taken > /proc/$$/fd/0"
        ended = enter_by(pod, "enter < given >> log", script)
        assert (pod.parent / "given").read_text() == "given\n"
        assert (pod.parent / "log").read_text() == "written before\ngiven\n"
        assert "before" not in ended.stderr
        both = enter_by(pod, "enter > out 2> err", "echo one; echo two >&2; exit 7")
        assert (both.returncode, both.stdout, both.stderr) == (7, "", "")
        assert [(pod.parent / name).read_text() for name in ("out", "err")] == ["one\n", "two\n"]


def test_a_loop_reads_on_where_the_command_in_it_has_stopped(tmp_path: Path, rootfs: Path) -> None:
    with staying(tmp_path, rootfs) as pod:
        (pod.parent / "list").write_text("1\n2\n3\n4\n")
        assert enter_by(pod, "while read n; do enter; done < list", "echo ran").stdout == "ran\n" * 4
        assert enter_by(pod, "{ read n; enter; } < list", "cat").stdout == "2\n3\n4\n"


def test_a_terminal_is_nothing_to_read_from_for_a_command_without_one(tmp_path: Path, rootfs: Path) -> None:
    script = "cat; for n in 0 1 2; do test -t $n && echo taken; done; echo ended"
    with staying(tmp_path, rootfs) as pod:
        command = [*STAGE1, "enter", str(pod), "app", "--", "/bin/sh", "-c", script]
        with at_terminal(command, tmp_path) as person:
            assert person.end() == 0
            assert person.shown == "ended\r\n"


@pytest.mark.parametrize("case", ["another user's", "open to others"])
def test_a_pod_directory_that_others_can_write_to_is_nobody_s_to_act_on(tmp_path: Path, rootfs: Path, case: str) -> None:
    """It could name any directory of the host for root to mount, and any process for root to kill."""
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"])})
    if case == "another user's":
        os.chown(pod, 1000, 1000)
    else:
        pod.chmod(0o777)
    for code, ended in [(125, run(pod)), (125, enter(pod, "app", "true")), (77, run(pod, verb="stop")), (77, run(pod, verb="gc"))]:
        assert (ended.code, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)
        assert "no pod directory of the caller's" in ended.stderr
