"""Filters of system calls made by hand, for pods that no stage0 has prepared: classic BPF, as seccomp(2) shows it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06


def block(number: int, action: int) -> bytes:
    """Return a filter that allows everything but the system call *number*."""
    steps = [(_LOAD, 0, 0, 0), (_EQUAL, 0, 1, number), (_RETURN, 0, 0, action), (_RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def allow(*numbers: int) -> bytes:
    """Return a filter that ends the process by SIGSYS at any system call but *numbers*."""
    steps = [(_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    steps += [(_RETURN, 0, 0, KILL_PROCESS), (_RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def give_filter(pod: Path, app: str, program: bytes, isolator: str = "appc-tools/seccomp") -> None:
    """Write a filter into a pod directory, and say so in its stage1.json."""
    (pod / "apps" / app / "seccomp.bpf").write_bytes(program)
    document = json.loads((pod / "stage1.json").read_text())
    document["apps"][app]["seccomp"] = {"filter": True, "isolator": isolator, "state": "enforced", "why": None}
    (pod / "stage1.json").write_text(json.dumps({**document, "version": 2}))
