"""Commands run in turn: how long each takes, until it says something and to its end, and how much memory it needs.

Ours and the peer run in the same minute, A B A B, so that whatever else the machine does meets both. A ratio is the median of the
quotients of each round. Nothing is judged here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

LAUNCHER = Path(__file__).with_name("launcher.py")


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Command:
    """A program with its arguments, or a pipeline as text; *before* and *after* are done around each run and not measured."""

    name: str
    words: Sequence[str] | str
    before: Callable[[], object] = _nothing
    after: Callable[[], object] = _nothing
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        """The words to execute."""
        return ["bash", "-o", "pipefail", "-c", self.words] if isinstance(self.words, str) else list(self.words)


@dataclass(frozen=True)
class Sample:
    """One run: seconds to the first byte on standard output, to the end, and of processors; the greatest resident size in KiB."""

    first: float
    total: float
    busy: float
    peak: int


def run_once(command: Command) -> Sample:
    """Run *command* and return what was measured. Ends the bench, with the command's own words, when it fails."""
    command.before()
    words = [sys.executable, "-I", "-S", str(LAUNCHER), *command.argv]
    environment = dict(command.environment)
    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False)
    command.after()
    first, total, busy, peak, code = result.stdout.split() if result.returncode == 0 else ("0", "0", "0", "0", "127")
    if code != "0":
        sys.exit(f"bench: {command.name} ended with {code}:\n{result.stderr}")
    return Sample(float(first), float(total), float(busy), int(peak))


def run_in_turn(commands: Sequence[Command], rounds: int) -> dict[str, list[Sample]]:
    """Run all *commands* once to warm up, then *rounds* times in turn, and return the samples of each."""
    for command in commands:
        run_once(command)
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for _ in range(rounds):
        for command in commands:
            samples[command.name].append(run_once(command))
    return samples


@dataclass(frozen=True)
class Comparison:
    """Ours beside a peer: median seconds of both; the median quotient, the least and the greatest; that of the processors' time."""

    ours: float
    peer: float
    ratio: float
    least: float
    greatest: float
    busy: float


def compare(ours: Sequence[Sample], peer: Sequence[Sample], *, to_first: bool = False) -> Comparison:
    """Return what the samples of the same rounds say of each other, to the first output or to the end."""
    pairs = list(zip(ours, peer, strict=True))
    times = [(mine.first, theirs.first) if to_first else (mine.total, theirs.total) for mine, theirs in pairs]
    quotients = [mine / theirs for mine, theirs in times]
    return Comparison(
        ours=median(mine for mine, _ in times),
        peer=median(theirs for _, theirs in times),
        ratio=median(quotients),
        least=min(quotients),
        greatest=max(quotients),
        busy=median(mine.busy / max(theirs.busy, 1e-4) for mine, theirs in pairs),
    )
