"""How readily an app is chosen when memory is short, and what is said of one that was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError
from acstage1.isolators import judge_isolators
from acstage1.oom import check_oom_score, describe_oom, find_floor
from acstage1.pod import PodDirectory
from tests.support.poddirs import AppSpec, write_pod


@pytest.mark.parametrize("value", [-1000, 0, 1000])
def test_what_the_kernel_takes_is_taken(value: int) -> None:
    assert check_oom_score(value) == value


@pytest.mark.parametrize("value", [-1001, 1001, True, "5", None, 1.0, [1]])
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(FormatError, match="whole number from -1000 to 1000"):
        check_oom_score(value)


def test_the_floor_is_what_the_kernel_holds_us_to() -> None:
    floor = find_floor()
    own = Path("/proc/self/oom_score_adj")
    if floor is None:
        return
    assert int(own.read_text()) == floor
    pid = os.fork()
    if pid == 0:
        try:
            own.write_text(str(max(-1000, floor - 1)))
        except PermissionError:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == (1 if floor > -1000 else 0)


def test_one_that_takes_a_privilege_is_told_as_modified(tmp_path: Path) -> None:
    app = AppSpec(["/x"], {"isolators": [{"name": "os/linux/oom-score-adj", "value": -1000}]})
    [row] = judge_isolators(PodDirectory(str(write_pod(tmp_path, tmp_path, {"a": app}))))
    floor = find_floor()
    modified = floor is not None and floor > -1000
    why = f"{floor}, as a lower one takes CAP_SYS_RESOURCE" if modified else None
    assert row == {"name": "os/linux/oom-score-adj", "app": "a", "state": "modified" if modified else "enforced", "why": why}


def test_the_app_and_its_children_are_told_apart() -> None:
    assert describe_oom("a", {"signal": 9}, 1) == "a: killed, out of memory"
    assert describe_oom("a", {"exit": 1}, 3) == "a: out of memory, 3 of its processes killed"
