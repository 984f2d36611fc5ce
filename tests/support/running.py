"""Pods that run by what a person types at a desk, and how they are listed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from subprocess import Popen
from typing import Any

from tests.support.desk import Desk

# For apps that are to end by themselves: on a machine that stands still for a while, the usual ten seconds may be too few.
PATIENT = ("--grace-period", "200")


@contextmanager
def staying(desk: Desk, *options: str, name: str = "stay", words: Sequence[str] = (), code: int | None = 7) -> Iterator[Popen[str]]:
    """Run a pod that stays until it is told to end, and then ends with *code* (None: however); yield when its app runs.

    It is the probe unless *words* say what; its first line is read.
    """
    app = words or ("./probe.aci", "--", "trap", str(code))
    with desk.start("acrun", "--name", name, *PATIENT, *options, *app) as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline()
        yield acrun
        acrun.terminate()
        ended = acrun.wait()
        assert code in (None, ended)


@contextmanager
def staying_shell(desk: Desk, script: str = "", *options: str) -> Iterator[Popen[str]]:
    """Run a pod whose app has run *script* and stays."""
    words = ("./sh.aci", "--", f"{script}\necho up; exec sleep 1000")
    with staying(desk, "--grace-period", "0", *options, words=words, code=None) as acrun:
        yield acrun


def list_pods(desk: Desk) -> list[dict[str, Any]]:
    """Return the pods as `acrun list --json` tells of them."""
    return [json.loads(line) for line in desk.run("acrun", "list", "--json").stdout.splitlines()]


def show_pod(desk: Desk, name: str) -> dict[str, Any]:
    """Return a pod as `acrun status --json` tells of it."""
    value: dict[str, Any] = json.loads(desk.run("acrun", "status", "--json", name).stdout)
    return value
