"""Any stage1, called as stage0 calls it: by its four verbs, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.poddirs import Result


@dataclass(frozen=True)
class Stage1:
    """A stage1: its name, the words that start it, and what it says that it cannot do."""

    name: str
    words: tuple[str, ...]
    lacks: frozenset[str]

    @classmethod
    def at(cls, path: Path) -> Stage1:
        """Return the stage1 that is the program *path*."""
        lacks = path.with_name("lacks")
        return cls(path.name, (str(path),), frozenset(lacks.read_text().splitlines()) if lacks.exists() else frozenset())

    def run(self, verb: str, *words: str | Path, **how: Any) -> Result:
        """Call a verb and wait for its end."""
        how = {"stdin": subprocess.DEVNULL, **how} if "input" not in how else how
        ended = subprocess.run([*self.words, verb, *map(str, words)], capture_output=True, text=True, check=False, **how)
        return Result(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def start(self, *words: str | Path, **how: Any) -> Iterator[subprocess.Popen[str]]:
        """Start `run`, and clear away what is left of the pod when the test fails."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([*self.words, "run", *map(str, words)], text=True, **{**streams, **how}) as monitor:
            try:
                yield monitor
            except BaseException:
                monitor.kill()
                monitor.wait()
                self.run("gc", words[-1])
                raise
