"""Pods that run: how long one of many apps takes to start, and what the processes of ours hold and do while it is idle.

Source: proc_pid_status(5), RssAnon and voluntary_ctxt_switches.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from installed import Programs
from report import show_lines
from trees import make_echo

IMAGE = "example.com/echo"
_WORDS = ("--exec", "/bin/busybox", "--", "sleep", "1000000")
_SETTLING_SECONDS = 1


class Pods:
    """An image in a store, and pods of it."""

    def __init__(self, programs: Programs, place: Path, environment: dict[str, str], busybox: Path) -> None:
        """Prepare everything that a warm start finds."""
        self._acrun = programs["acrun"]
        self._environment = environment
        self._runs = Path(environment["APPC_DIR"], "pods", "run")
        make_echo(place / "echo", busybox)
        for words in (
            (programs["actool"], "build", place / "echo", place / "echo.aci"),
            (programs["acfetch"], "--insecure-options=image", place / "echo.aci"),
            (self._acrun, IMAGE),
        ):
            subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        self._forget()

    def _forget(self) -> None:
        for pod in self._runs.iterdir():
            shutil.rmtree(pod)

    @contextmanager
    def running(self, apps: int) -> Iterator[tuple[Path, float]]:
        """Start a pod of so many apps; yield its directory, and the seconds until the last of them ran."""
        words = [self._acrun, "run", "--detach"]
        for number in range(apps):
            words += [*(["---"] if number else []), IMAGE, "--name", f"app-{number}", *_WORDS]
        began = time.monotonic()
        uuid = subprocess.run(words, env=self._environment, capture_output=True, text=True, check=True).stdout.strip()
        seconds = time.monotonic() - began
        try:
            yield self._runs / uuid, seconds
        finally:
            subprocess.run([self._acrun, "stop", "--force", uuid], env=self._environment, capture_output=True, check=True)
            self._forget()


def measure_pods(pods: Pods, apps: int, rounds: int, seconds: int) -> None:
    """Print how long a pod of *apps* apps takes to start, and what an idle pod of one app does within *seconds*."""
    taken = []
    for _ in range(rounds):
        with pods.running(apps) as (_, spent):
            taken.append(spent)
    rows = [(f"a pod of {apps} apps: until the last of them runs", f"{median(taken):.2f} s ({min(taken):.2f} to {max(taken):.2f})")]
    for count in (1, apps):
        with pods.running(count) as (pod, _):
            rows += [(f"idle with {count} app{'s' * (count > 1)}: {what}", text) for what, text in _watch(pod, seconds)]
    show_lines("Pods that run", ("measured", "found"), rows)


def _watch(pod: Path, seconds: int) -> Iterator[tuple[str, str]]:
    pids = json.loads((pod / "pid").read_text())
    time.sleep(_SETTLING_SECONDS)
    before = {name: _status(pids[name]["pid"]) for name in ("monitor", "init")}
    time.sleep(seconds)
    after = {name: _status(pids[name]["pid"]) for name in before}
    held = {name: status["RssAnon"] for name, status in after.items()}
    switches = sum(after[name]["voluntary_ctxt_switches"] - before[name]["voluntary_ctxt_switches"] for name in before)
    yield "anonymous memory of monitor and init", f"{sum(held.values()) / 1024:.1f} MiB ({held['monitor']} + {held['init']} KiB)"
    yield f"their voluntary context switches in {seconds} s", str(switches)


def _status(pid: int) -> dict[str, int]:
    lines = (line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(text.split()[0]) for name, text in lines if name in ("RssAnon", "voluntary_ctxt_switches")}
