"""Pod directories written by hand, which shows that stage1 needs no acrun, and a pod that runs from one."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acstage1.records import now
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
# -B: what the interpreter keeps of a module would be counted among the calls that a test lets fail.
STAGE1 = [sys.executable, "-I", "-S", "-B", str(ROOT / "acstage1" / "__main__.py")]
IMAGE_ID = "sha512-" + "0" * 128


@dataclass
class AppSpec:
    """One app of a pod: the words to execute and whatever else its manifest or stage1.json says."""

    exec: Sequence[str]
    app: dict[str, Any] = field(default_factory=dict)
    runtime: dict[str, Any] = field(default_factory=dict)
    stdin: bool = False
    copy: bool = False
    tty: bool = False


def handler(name: str, script: str) -> dict[str, Any]:
    """Return an event handler for a manifest: a shell's script."""
    return {"name": name, "exec": ["/bin/sh", "-c", script]}


def write_pod(
    base: Path, rootfs: Path, apps: Mapping[str, AppSpec], *, manifest: Mapping[str, Any] | None = None, **settings: Any
) -> Path:
    """Write a pod directory below *base* whose apps all have the tree *rootfs*; return its path."""
    path = base / "pods" / "run" / str(uuid.uuid4())
    path.mkdir(parents=True, mode=0o700)
    runtime, stage1 = [], {}
    for name, spec in apps.items():
        app = {"exec": list(spec.exec), "user": "0", "group": "0", **spec.app}
        runtime.append({"name": name, "image": {"id": IMAGE_ID}, "app": app, **spec.runtime})
        directory = path / "apps" / name
        directory.mkdir(parents=True)
        if spec.copy:
            subprocess.run(["cp", "-a", "--", str(rootfs), str(directory / "rootfs")], check=True)
        else:
            (directory / "upper").mkdir(mode=0o755)
            (directory / "work").mkdir()
        backend = {"backend": "copy", "lower": None} if spec.copy else {"backend": "overlay", "lower": str(rootfs)}
        stage1[name] = {"rootfs": backend, "stdin": spec.stdin, "tty": spec.tty}
    pod = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": runtime, **(manifest or {})}
    for volume in pod.get("volumes", []):
        if volume["kind"] == "empty":
            (path / "volumes" / volume["name"]).mkdir(parents=True)
    for name in ("status", "logs", "volumes"):
        (path / name).mkdir(exist_ok=True)
    document = {"version": 1, "hostname": "pod", "network": "none", "gracePeriod": 100, "apps": stage1, **settings}
    (path / "stage1.json").write_text(json.dumps(document))
    (path / "pod").write_text(json.dumps(pod))
    return path


@dataclass
class Result:
    """How a run ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The probe's report on stdout."""
        value: dict[str, Any] = json.loads(self.stdout)
        return value


def run(pod: Path, *options: str, stdin: int | None = subprocess.DEVNULL, verb: str = "run") -> Result:
    """Run a verb of stage1 on a pod directory to its end."""
    result = subprocess.run([*STAGE1, verb, *options, str(pod)], stdin=stdin, capture_output=True, text=True, check=False)
    return Result(result.returncode, result.stdout, result.stderr)


def enter(pod: Path, app: str, *words: str, tty: bool = False) -> Result:
    """Run *words* in a running app, where there is no terminal."""
    command = [*STAGE1, "enter", *(["--tty"] if tty else []), str(pod), app, "--", *words]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return Result(result.returncode, result.stdout, result.stderr)


@contextmanager
def start(pod: Path, *options: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a pod and yield its monitor, which is killed when the test fails and waited for in any case."""
    command = [*STAGE1, "run", *options, str(pod)]
    how |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **how) as monitor:
        try:
            yield monitor
        except BaseException:
            monitor.kill()
            raise


def read_line(process: subprocess.Popen[str]) -> str:
    """Return the next line on a process's stdout."""
    assert process.stdout is not None
    return process.stdout.readline()


def status(pod: Path, app: str) -> dict[str, Any]:
    """Return the status file of an app."""
    value: dict[str, Any] = json.loads((pod / "status" / app).read_text())
    return value


def log(pod: Path, app: str) -> list[tuple[str, str, str]]:
    """Return the log of an app as (stream, F or P, text)."""
    rows = []
    for line in (pod / "logs" / f"{app}.log").read_text().splitlines():
        _, stream, kind, text = line.split(" ", 3)
        rows.append((stream, kind, text))
    return rows


def cgroups_of(pod: Path) -> list[Path]:
    """Return the cgroup directories of a pod that exist."""
    return [Path(line) for line in (pod / "cgroups").read_text().splitlines() if Path(line).exists()]


def stop_between_attempts(monitor: subprocess.Popen[Any], pod: Path, is_right: Callable[[], bool] = lambda: True) -> int:
    """Stop the monitor while the app called `app` waits for its next attempt, and return the number of the last one.

    On a slow machine that wait may be over before the monitor stands still: after the next attempt there is a longer one.
    """
    attempt = 0
    while True:
        attempt = _wait_for_pause(pod, attempt, is_right)
        monitor.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, monitor.pid, os.WSTOPPED)
        if _rests(pod) and is_right():
            return _last_attempt(pod)
        monitor.send_signal(signal.SIGCONT)


def _wait_for_pause(pod: Path, attempt: int, is_right: Callable[[], bool]) -> int:
    """Wait for a pause, or for the end of an attempt after *attempt*, and return the number of the last one."""
    wait_for(lambda: _last_attempt(pod) > attempt or (_rests(pod) and is_right()), "a pause between two attempts")
    return _last_attempt(pod)


def _last_attempt(pod: Path) -> int:
    return int(status(pod, "app")["attempt"]) if (pod / "status" / "app").exists() else 0


def _rests(pod: Path) -> bool:
    """Tell whether the next attempt is still to come, as the last one's status has it; the moments are of the same length."""
    return _last_attempt(pod) > 0 and bool(status(pod, "app").get("next", "") > now())


def wait_for_end(pid: int) -> None:
    """Wait until a process that is no child of ours has ended, and fail when it does not within a minute."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = poll.poll(60_000)
    os.close(descriptor)
    assert ended, f"process {pid} goes on"
