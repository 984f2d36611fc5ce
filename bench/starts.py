"""Warm starts: how long until an image's program speaks, and until all is over, beside runc, podman and bwrap with the same files.

Every run is a new pod from a clean copy; its directory is made (for stage1 alone) and removed outside the measured time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from clock import Command, Sample, run_in_turn
from installed import Programs
from report import Table
from trees import make_echo

IMAGE = "example.com/echo"
_TYPER = "import typer\napp = typer.Typer()\n@app.command()\ndef nothing() -> None: ...\napp()\n"
_TEXTS = (
    ("acrun", "acrun IMAGE"),
    ("options", "acrun --rm IMAGE"),
    ("acstage1", "acstage1 run, as acrun starts it"),
    ("script", "acstage1 run, typed"),
)

_PEERS = {"runc": "runc run", "podman": "podman run", "bwrap": "bwrap"}


class Starts:
    """An image in a store, a pod directory to copy, and a bundle for the peer, all below one directory."""

    def __init__(self, programs: Programs, place: Path, environment: dict[str, str], busybox: Path) -> None:
        """Prepare everything that a warm start finds."""
        self._programs = programs
        self._place = place
        self._environment = environment
        self._pods = Path(environment["APPC_DIR"], "pods", "run")
        self._count = 0
        make_echo(place / "echo", busybox)
        self._run(programs["actool"], "build", str(place / "echo"), str(place / "echo.aci"))
        stored = self._run(programs["acfetch"], "--insecure-options=image", str(place / "echo.aci"))
        self._image_id = Path(stored.strip()).stem
        self._run(programs["acrun"], "run", "--keep", IMAGE)
        self._template = place / "template"
        next(self._pods.iterdir()).rename(self._template)

    def _run(self, *words: str) -> str:
        result = subprocess.run(words, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise SystemExit(f"bench: {' '.join(words)}: {result.stderr}")
        return result.stdout

    def _forget_pods(self) -> None:
        for pod in self._pods.iterdir():
            shutil.rmtree(pod)

    def acrun(self, name: str, *options: str) -> Command:
        """`acrun IMAGE`, the whole way: stage0, stage1, program; with *options* as people give them."""
        return Command(name, [self._programs["acrun"], *options, IMAGE], after=self._forget_pods, environment=self._environment)

    def acstage1(self, name: str, words: list[str]) -> Command:
        """`acstage1 run POD_DIR` on a fresh pod directory."""
        pod = self._place / "pods" / str(uuid.uuid4())

        def prepare() -> None:
            shutil.copytree(self._template, pod, symlinks=True, ignore=_written_by_stage1)
            for app in (pod / "apps").iterdir():
                for part in ("upper", "work"):
                    (app / part).mkdir(mode=0o755)

        return Command(name, [*words, "run", str(pod)], prepare, lambda: shutil.rmtree(pod), self._environment)

    def runc(self) -> Command:
        """`runc run` of the same files, with the settings that `runc spec` writes."""
        bundle = self._place / "bundle"
        shutil.copytree(self._place / "echo" / "rootfs", bundle / "rootfs", symlinks=True)
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        settings = json.loads((bundle / "config.json").read_text())
        settings["process"] |= {"terminal": False, "args": ["/bin/echo", "ready"]}
        (bundle / "config.json").write_text(json.dumps(settings))
        name = f"bench-{uuid.uuid4()}"
        words = ["runc", "--root", str(self._place / "runc"), "run", "--bundle", str(bundle), name]
        return Command("runc", words, environment=self._environment)

    def podman(self) -> Command:
        """`podman run --rm` of the same files under an overlay: an image store, a supervisor, logs and cgroups, as ours has."""
        rootfs = self._place / "podman-rootfs"
        shutil.copytree(self._place / "echo" / "rootfs", rootfs, symlinks=True)
        stores = ("--root", str(self._place / "podman"), "--runroot", str(self._place / "podman-run"))
        quiet = ("--cgroup-manager", "cgroupfs", "--events-backend", "none")
        # The limits that it would set by itself are beyond those of many a machine.
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
        words = [
            "podman",
            *stores,
            *quiet,
            "run",
            "--rm",
            "--network",
            "none",
            *limits,
            "--rootfs",
            f"{rootfs}:O",
            "/bin/echo",
            "ready",
        ]
        return Command("podman", words, environment=self._environment)

    def bwrap(self) -> Command:
        """`bwrap` with every namespace: no image, no copy, no cgroup, no supervisor."""
        rootfs = self._place / "bwrap-rootfs"
        shutil.copytree(self._place / "echo" / "rootfs", rootfs, symlinks=True)
        words = ["bwrap", "--unshare-all", "--bind", str(rootfs), "/", "--proc", "/proc", "--dev", "/dev", "/bin/echo", "ready"]
        return Command("bwrap", words, environment=self._environment)

    def acfetch(self) -> Command:
        """`acfetch NAME@ID` of an image that is in the store already."""
        words = [self._programs["acfetch"], "--insecure-options=image", f"{IMAGE}@{self._image_id}"]
        return Command("acfetch", words, environment=self._environment)

    def typer(self) -> Command:
        """A program of one command with Typer: what no program that uses it can be faster than."""
        return Command("typer", [self._programs.python, "-c", _TYPER], environment=self._environment)


def _written_by_stage1(path: str, names: list[str]) -> list[str]:
    if os.path.basename(path) in ("status", "logs"):
        return names
    return [name for name in names if name in ("upper", "work", "pid", "cgroups", "isolators.json")]


def measure_starts(
    programs: Programs, place: Path, environment: dict[str, str], busybox: Path, rounds: int
) -> tuple[Table, dict[str, list[Sample]]]:
    """Return the table of starts, and the samples by program."""
    starts = Starts(programs, place, environment, busybox)
    table = Table(f"Warm starts, {rounds} rounds", "ms")
    inner = starts.acstage1("acstage1", programs.stage1)
    script = starts.acstage1("script", [programs["acstage1"]])
    commands = [starts.acrun("acrun"), starts.acrun("options", "--rm"), inner, script]
    peers = [name for name in _PEERS if shutil.which(name)]
    commands += [getattr(starts, name)() for name in peers]
    samples = run_in_turn(commands, rounds)
    for peer in peers:
        for name, text in _TEXTS if peer == "runc" else _TEXTS[:2]:
            table.add(f"{text}: to its output", _PEERS[peer], samples[name], samples[peer], to_first=True)
            table.add(f"{text}: to its end", _PEERS[peer], samples[name], samples[peer])
    missing = [name for name in _PEERS if name not in peers]
    if missing:
        table.notes.append(
            f"not installed, their rows left out: {', '.join(missing)} (Debian packages runc, podman with crun, bubblewrap)"
        )
    found = run_in_turn([starts.acfetch(), starts.typer()], rounds)
    table.add("acfetch NAME@ID, in the store", "empty Typer", found["acfetch"], found["typer"])
    return table, {"acrun": samples["acrun"], "acfetch, in the store": found["acfetch"]}
