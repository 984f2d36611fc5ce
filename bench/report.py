"""Tables for people: a row is ours beside a peer, with the ratio and how far it was scattered."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clock import Comparison, Sample, compare

_HEADS = {
    "ms": ("measured", "ours, ms", "peer", "peer, ms", "ratio", "of all rounds", "of CPU time"),
    "s": ("measured", "ours, s", "peer", "peer, s", "ratio", "of all rounds", "of CPU time"),
}


@dataclass(frozen=True)
class Row:
    """One line: what was measured, beside whom, and how they compare."""

    what: str
    peer: str
    found: Comparison

    def cells(self, unit: str) -> tuple[str, ...]:
        """Return the cells of the line, times in *unit*."""
        ours, peer = (f"{value * 1000:.1f}" if unit == "ms" else f"{value:.2f}" for value in (self.found.ours, self.found.peer))
        spread = f"{self.found.least:.2f} to {self.found.greatest:.2f}"
        return self.what, ours, self.peer, peer, f"{self.found.ratio:.2f}", spread, f"{self.found.busy:.2f}"


@dataclass
class Table:
    """Rows under a title, and notes below them; *unit* is that of the times, "ms" or "s"."""

    title: str
    unit: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, peer: str, ours: Sequence[Sample], theirs: Sequence[Sample], *, to_first: bool = False) -> None:
        """Add a row from the samples of the same rounds."""
        self.rows.append(Row(what, peer, compare(ours, theirs, to_first=to_first)))

    def show(self) -> None:
        """Print the table as Markdown, which can be read as it stands, too."""
        show_lines(self.title, _HEADS[self.unit], [row.cells(self.unit) for row in self.rows])
        for note in self.notes:
            print(f"\n{note}", flush=True)


def show_lines(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table of texts."""
    print(f"\n### {title}\n")
    if rows:
        widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
        for line in (head, ["-" * width for width in widths], *rows):
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |", flush=True)


def show_machine() -> None:
    """Print what the figures depend on: processor, cores, kernel, interpreter and load."""
    try:
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        names = []
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    print(f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}")


def show_load(when: str) -> None:
    """Print how busy the machine is: figures taken beside other work are to be taken again."""
    print(f"load {when}: {' '.join(f'{value:.1f}' for value in os.getloadavg())}", flush=True)
