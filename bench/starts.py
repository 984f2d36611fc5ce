"""Warm starts: how long until an image's program speaks, and until all is over, beside `runc run` of the same files.

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
    ("acstage1", "acstage1 run, as acrun starts it"),
    ("script", "acstage1 run, typed"),
)


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

    def acrun(self) -> Command:
        """`acrun IMAGE`, the whole way: stage0, stage1, program."""
        return Command("acrun", [self._programs["acrun"], IMAGE], after=self._forget_pods, environment=self._environment)

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
    commands = [starts.acrun(), inner, script]
    if shutil.which("runc"):
        commands.append(starts.runc())
    else:
        table.notes.append("runc is not installed (Debian package runc): the rows beside it are left out")
    samples = run_in_turn(commands, rounds)
    for name, text in _TEXTS if "runc" in samples else ():
        table.add(f"{text}: to its output", "runc run", samples[name], samples["runc"], to_first=True)
        table.add(f"{text}: to its end", "runc run", samples[name], samples["runc"])
    found = run_in_turn([starts.acfetch(), starts.typer()], rounds)
    table.add("acfetch NAME@ID, in the store", "empty Typer", found["acfetch"], found["typer"])
    return table, {"acrun": samples["acrun"], "acfetch, in the store": found["acfetch"]}
