"""Rendering: the tree of an image upon a base, where a tree of the base is there already, beside the same where none is.

Both are `acrun prepare`, which ends when the tree is on the disk. What each tree takes is what the file system has less afterwards.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from clock import Command, Sample, run_in_turn
from installed import Programs
from report import Table
from trees import make_upon

_APP = "example.com/app"


class Rendering:
    """A base and an image upon it in a store on one file system, and the commands that render the latter."""

    def __init__(self, programs: Programs, layout: Path, place: Path, environment: Mapping[str, str]) -> None:
        """Store the base that is in *layout*, and the image, below the empty directory *place*."""
        self._place = place
        self._base = f"example.com/{layout.name}"
        self._acrun = programs["acrun"]
        self._environment = {**environment, "APPC_DIR": str(place / "data")}
        make_upon(place / "app", self._base)
        for made in (layout, place / "app"):
            image = place / f"{made.name}.aci"
            self._do(programs["actool"], "build", made, image)
            self._do(programs["acfetch"], "--quiet", "--insecure-options=image", "--offline", image)

    def _do(self, *words: str | Path, run: Path | None = None) -> None:
        environment = {**self._environment, **({"APPC_RUN": str(run)} if run is not None else {})}
        subprocess.run(list(map(str, words)), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)

    def command(self, name: str, *, beside_base: bool) -> tuple[Command, list[int]]:
        """Return the command with RUN of its own, and a list that gets the bytes that each run takes."""
        run, taken = self._place / name, [0]

        def before() -> None:
            shutil.rmtree(run, ignore_errors=True)
            if beside_base:
                self._do(self._acrun, "prepare", self._base, "--exec", "/none", run=run)
            subprocess.run(["sync", "--file-system", str(self._place)], check=True)
            taken.append(-_used(self._place))

        def after() -> None:
            subprocess.run(["sync", "--file-system", str(self._place)], check=True)
            taken[-1] += _used(self._place)

        environment = {**self._environment, "APPC_RUN": str(run)}
        return Command(name, [self._acrun, "prepare", _APP], before, after, environment), taken


def _used(place: Path) -> int:
    status = os.statvfs(place)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def measure_rendering(title: str, system: str, rendering: Rendering, rounds: int) -> tuple[Table, dict[str, list[Sample]]]:
    """Measure and return a table with one row, and the samples."""
    shared, taken = rendering.command("beside", beside_base=True)
    alone, taken_alone = rendering.command("alone", beside_base=False)
    samples = run_in_turn([shared, alone], rounds)
    table = Table(f"Rendering an image upon a base: {title}, on {system}", "s")
    table.add("with a tree of the base", "without", samples["beside"], samples["alone"])
    table.notes.append(f"The tree takes {taken[-1] / 1e6:.1f} MB instead of {taken_alone[-1] / 1e6:.1f} MB.")
    return table, samples
