#!/usr/bin/env python3
"""Check that a transport program keeps to spec/transports.md.

    check.py PROGRAM URL FILE ABSENT-URL [UNREACHABLE-URL]

FILE holds what is at URL (more than 100 KiB show more than one byte does), nothing is at ABSENT-URL, and nobody answers at
UNREACHABLE-URL. A line for each rule goes to standard output; the exit code is 1 when one is broken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 60
PLENTY = 1 << 30


@dataclass(frozen=True)
class Run:
    """How a program ended: its exit code, its bytes, and its note."""

    code: int
    out: bytes
    note: Any


def run(program: str, url: str, limit: int = PLENTY, **more: Any) -> Run:
    """Run *program* as acfetch does."""
    request = json.dumps({"version": 1, "url": url, "limit": limit, **more}).encode()
    with tempfile.TemporaryFile() as note:
        words = ["/bin/sh", "-c", f'exec "$0" 3>&{note.fileno()}', os.path.abspath(program)]
        done = subprocess.run(words, input=request, stdout=subprocess.PIPE, pass_fds=[note.fileno()], timeout=SECONDS, check=False)
        note.seek(0)
        text = note.read(4097)
    try:
        return Run(done.returncode, done.stdout, json.loads(text) if text and len(text) <= 4096 else None)
    except ValueError:
        return Run(done.returncode, done.stdout, None)


def leave_early(program: str, url: str) -> bool:
    """Tell whether *program* ends when nobody reads what it brings."""
    request = json.dumps({"version": 1, "url": url, "limit": PLENTY}).encode()
    words = ["/bin/sh", "-c", 'exec "$0" 3>/dev/null', os.path.abspath(program)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(request)
    process.stdin.close()
    try:
        return process.wait(SECONDS) != 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def check(program: str, url: str, content: bytes, absent: str, unreachable: str | None) -> list[tuple[str, bool]]:
    """Return each rule with whether *program* keeps to it."""
    whole, more = run(program, url), run(program, url, colour="blue")
    exact, short = run(program, url, len(content)), run(program, url, len(content) - 1)
    none, future = run(program, absent), run(program, url, version=2)
    found = [
        ("what is there comes whole, to standard output", whole.code == 0 and whole.out == content),
        ("the note says how many bytes there were", isinstance(whole.note, dict) and whole.note.get("size") == len(content)),
        ("keys of a request that nobody knows count for nothing", more == whole),
        ("a file of just the limit comes whole", exact == whole),
        ("a larger one ends with 76", short.code == 76 and len(short.out) <= len(content)),
        ("what is not there ends with 66, without a byte", none.code == 66 and none.out == b""),
        ("another version than 1 ends with 2, without a byte", future.code == 2 and future.out == b""),
        ("when nobody reads, it ends, and not with 0", leave_early(program, url)),
    ]
    if unreachable is not None:
        nobody = run(program, unreachable)
        found.append(("where nobody answers it ends with 69, without a byte", nobody.code == 69 and nobody.out == b""))
    return found


def main() -> int:
    """Check the program that the command line names."""
    if len(sys.argv) not in (5, 6):
        sys.stderr.write("usage: check.py PROGRAM URL FILE ABSENT-URL [UNREACHABLE-URL]\n")
        return 2
    program, url, file, absent = sys.argv[1:5]
    found = check(program, url, Path(file).read_bytes(), absent, sys.argv[5] if len(sys.argv) == 6 else None)
    for rule, kept in found:
        print("ok    " if kept else "BROKEN", rule)
    return 0 if all(kept for _, kept in found) else 1


if __name__ == "__main__":
    sys.exit(main())
