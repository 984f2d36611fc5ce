"""Faults at chosen system calls of real programs: a program is traced once, then killed or failed at each call in turn.

    calls = find_calls(command, "rename", "fsync", about=tmp_path)
    for call in calls:
        ended = run_with_fault(command, call, "error=ENOSPC")

Calls are counted by name and process. Where *about* is given, only those of the first process that are about a path below it
are returned, so that what the interpreter does to import its modules is left alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Other names under which the kernel has the same call.
_FAMILIES = {
    "rename": ("rename", "renameat", "renameat2"),
    "link": ("link", "linkat"),
    "unlink": ("unlink", "unlinkat", "rmdir"),
    "mkdir": ("mkdir", "mkdirat"),
    "fsync": ("fsync", "fdatasync", "syncfs"),
    "write": ("write", "pwrite64", "sendfile", "copy_file_range"),
    "openat": ("openat", "openat2"),
    "clone": ("clone", "clone3"),
    "mount": ("mount", "move_mount", "open_tree", "mount_setattr", "umount2", "pivot_root"),
}
_LINE = re.compile(r"^(?P<pid>\d+) +(?P<name>[a-z0-9_]+)\((?P<rest>.*)$")


@dataclass(frozen=True)
class Call:
    """The *number*th call of *name* in a process, and what it was about when it was traced."""

    name: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.name} number {self.number}: {self.text[:120]}"


def find_calls(
    command: Sequence[str], *families: str, about: Path | None = None, environment: Mapping[str, str] | None = None, code: int = 0
) -> list[Call]:
    """Run *command* to its end, with exit code *code*, and return its calls of *families* that name a path below *about*.

    Without *about*, return those of any of its processes, whatever they name: for calls that no interpreter makes by itself.
    """
    names = [name for family in families for name in _FAMILIES.get(family, (family,))]
    with tempfile.NamedTemporaryFile(prefix="appc-trace-") as trace:
        words = ["strace", "-f", "-y", "-s", "400", "-o", trace.name, "-e", f"trace={','.join(names)}", *command]
        ended = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, env=_environment(environment), check=False)
        assert ended.returncode == code, ended.stderr
        text = Path(trace.name).read_text(errors="replace")
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Call] = {}
    first = text.split(" ", 1)[0]
    for match in filter(None, map(_LINE.match, text.splitlines())):
        pid, name, rest = match["pid"], match["name"], match["rest"]
        counts[pid, name] += 1
        number = counts[pid, name]
        # strace counts for each process: where paths matter, a number of another process would mean another call in this one.
        if about is None or (pid == first and str(about) in rest):
            found.setdefault((name, number), Call(name, number, rest))
    return list(found.values())


def run_with_fault(
    command: Sequence[str], call: Call, fault: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run *command* with *fault* (`signal=KILL`, `error=ENOSPC`) at *call*."""
    inject = f"inject={call.name}:{fault}:when={call.number}"
    words = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call.name}", "-e", inject, *command]
    ended = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=_environment(environment), check=False
    )
    ended.stderr = without_strace(ended.stderr)
    return ended


def without_strace(text: str) -> str:
    """Return what a program wrote without the words that strace now and then has of its own."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("strace: "))


def every(calls: Sequence[Call], most: int) -> list[Call]:
    """Return at most *most* of *calls*, spread evenly; all of them when APPC_FAULTS=all is in the environment."""
    if len(calls) <= most or os.environ.get("APPC_FAULTS") == "all":
        return list(calls)
    return [calls[index * len(calls) // most] for index in range(most)]


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    # What the interpreter keeps of a module would be counted among the calls that are to fail.
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(added or {})}
