"""Events that cross each other inside stage1, put in their order by strace: it holds back one message until the other has come."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from tests.support.desk import Desk, app_image
from tests.support.faults import without_strace
from tests.support.poddirs import wait_for_end


@pytest.fixture
def traced(desk: Desk) -> Callable[..., str]:
    """Return a maker of a stage1 whose processes are held back where it is told."""
    (desk.path / "probe.aci").write_bytes(app_image("example.com/probe"))

    def make(*injections: str) -> str:
        options = " ".join(f"-e inject={injection}" for injection in injections)
        path = desk.path / "stage1"
        path.write_text(f'#!/bin/sh\nexec strace -f -o /dev/null -e trace=sendto,recvfrom {options} acstage1 "$@"\n')
        path.chmod(0o755)
        return str(path)

    return make


def _statuses(desk: Desk) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in (desk.store / "pods" / "run").glob("*/status/*"):
        value = json.loads(path.read_text())
        found[path.name] = {key: value[key] for key in ("exit", "signal", "failed") if key in value}
    return found


def test_a_pod_ends_though_its_app_ended_before_the_monitor_heard_that_it_began(desk: Desk, traced: Callable[..., str]) -> None:
    # Init's third message says that the app runs. Until the monitor has read it, others have the app end, and it is reaped.
    stage1 = traced("sendto:delay_enter=1000000:when=3", "recvfrom:delay_exit=1000000:when=3")
    with desk.start("acrun", "--stage1", stage1, "./probe.aci", "--", "trap", "42") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        (path,) = (desk.store / "pods" / "run").glob("*/pid")
        pids = json.loads(path.read_text())
        os.kill(pids["apps"]["probe"]["pid"], signal.SIGTERM)
        try:
            wait_for_end(pids["monitor"]["pid"])
        except AssertionError:
            os.kill(pids["monitor"]["pid"], signal.SIGKILL)
            raise
        out, said = acrun.communicate()
        assert (out, without_strace(said)) == ("", "")
        assert acrun.returncode == 42
    assert _statuses(desk) == {"probe": {"exit": 42}}


def test_an_app_that_ended_before_init_looked_again_does_not_end_the_others(desk: Desk, traced: Callable[..., str]) -> None:
    # Init's fourth message lets the second app go on. Until init has read it, the first is executed and ends.
    stage1 = traced("recvfrom:delay_exit=1000000:when=4")
    words = [
        "./probe.aci",
        "--name",
        "first",
        "--",
        "exit",
        "0",
        "---",
        "./probe.aci",
        "--name",
        "second",
        "--",
        "write",
        "out",
        "err",
        "0",
    ]
    ended = desk.run("acrun", "--stage1", stage1, *words)
    assert (ended.code, ended.stdout, without_strace(ended.stderr)) == (0, "second | out\n", "second | err\n")
    assert _statuses(desk) == {"first": {"exit": 0}, "second": {"exit": 0}}
