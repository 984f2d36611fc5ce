"""Rates: building, checking and unpacking a layout, each beside the pipe of tar, gzip and sha512sum that does nearly the same.

The peers check nothing and give no image ID; ours check every rule of the format. On which file system files are read and written
decides how much of the time is the kernel's, so each row names it.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from clock import Command, Sample, run_in_turn
from installed import Programs
from report import Table


class Rates:
    """One layout on one file system, and the commands to be run with it."""

    def __init__(self, programs: Programs, layout: Path, place: Path, environment: Mapping[str, str]) -> None:
        """Measure *layout* with everything that is written below the empty directory *place*; its image is built once."""
        self._programs = programs
        self._layout = layout
        self._place = place
        self._environment = environment
        self.image = place / "image.aci"
        self.plain = place / "image.tar"
        subprocess.run(self._actool("build", layout, self.image), env=dict(environment), check=True)
        with open(self.plain, "wb") as file:
            subprocess.run(["gzip", "-dc", str(self.image)], stdout=file, check=True)

    @property
    def size(self) -> int:
        """The bytes of the uncompressed image."""
        return self.plain.stat().st_size

    def _actool(self, *words: str | Path) -> list[str]:
        return [self._programs["actool"], *map(str, words)]

    def _command(self, name: str, words: Sequence[str] | str, made: Path | None = None) -> Command:
        def clean() -> None:
            if made is not None:
                _remove(made)
                # What the run before left to be written is not this one's.
                subprocess.run(["sync", "--file-system", str(self._place)], check=True)

        return Command(name, words, before=clean, environment=self._environment)

    def build(self) -> list[Command]:
        """A layout to a compressed image; a sorted tar through gzip."""
        ours, peer = self._place / "new.aci", self._place / "new.tar.gz"
        pipe = f"tar --sort=name -C {shlex.quote(str(self._layout))} -cf - manifest rootfs | gzip > {shlex.quote(str(peer))}"
        return [self._command("actool build", self._actool("build", self._layout, ours), ours), self._command("peer", pipe, peer)]

    def validate(self, *verbs: str) -> list[Command]:
        """The whole image read; `zcat | sha512sum`."""
        ours = [self._command(f"actool {verb}", self._actool(verb, self.image)) for verb in verbs]
        return [*ours, self._command("peer", f"gzip -dc {shlex.quote(str(self.image))} | sha512sum")]

    def extract(self, image: Path) -> list[Command]:
        """An image to a directory; tar with all permissions."""
        ours, peer = self._place / "ours", self._place / "peer"
        words = f"mkdir {shlex.quote(str(peer))} && tar -C {shlex.quote(str(peer))} -xp"
        return [
            self._command("actool extract", self._actool("extract", image, ours), ours),
            self._command("peer", f"{words}{'z' if image == self.image else ''}f {shlex.quote(str(image))}", peer),
        ]

    def clear(self) -> None:
        """Remove what the last runs left."""
        for path in self._place.iterdir():
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def measure_rates(title: str, rates: Rates, system: str, rounds: int) -> tuple[Table, dict[str, list[Sample]]]:
    """Return the table of one layout on one file system, and the samples of ours by command."""
    table = Table(f"{title}, on {system}, {rounds} rounds", "s")
    found: dict[str, list[Sample]] = {}

    def row(what: str, peer: str, commands: list[Command]) -> None:
        samples = run_in_turn(commands, rounds)
        theirs = samples.pop("peer")
        for name, ours in samples.items():
            table.add(what if len(samples) == 1 else name, peer, ours, theirs)
            found.setdefault(name, []).extend(ours)

    row("actool build", "tar, gzip", rates.build())
    row("actool validate", "zcat, sha512sum", rates.validate("validate", "id"))
    row("actool extract, gzip", "tar -xpzf", rates.extract(rates.image))
    row("actool extract, plain", "tar -xpf", rates.extract(rates.plain))
    speeds = ", ".join(f"{row.what} {rates.size / row.found.ours / 1e6:,.0f} MB/s" for row in table.rows)
    table.notes.append(f"{rates.size / 1e6:,.0f} MB unpacked, {rates.image.stat().st_size / 1e6:,.0f} MB as image: {speeds}")
    rates.clear()
    return table, found
