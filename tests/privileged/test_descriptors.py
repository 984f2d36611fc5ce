"""What a caller left open is closed before an app sees it, also where a filter around us takes close_range(2) away."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.poddirs import STAGE1, AppSpec, read_line, start, write_pod

# Begins a program with something open, and without close_range, as old filters of containers have it. To go through all the
# numbers there are, one by one, ends in a signal.
WITHOUT = """
import os, sys
import pyseccomp
os.dup2(os.open("/", os.O_RDONLY), 300)
calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
calls.add_rule(pyseccomp.ERRNO(int(sys.argv[1])), "close_range")
calls.add_rule(pyseccomp.KILL_PROCESS, "close", pyseccomp.Arg(0, pyseccomp.GE, 1 << 20))
calls.load()
os.execv(sys.argv[2], sys.argv[2:])
"""


def open_in_app(code: int, *words: str) -> list[str]:
    command = [sys.executable, "-c", WITHOUT, str(code), *STAGE1, *words]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return sorted(json.loads(ended.stdout)["fds"])


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM], ids=["missing", "forbidden"])
def test_a_pod_runs_without_close_range_and_its_app_has_three_descriptors(tmp_path: Path, rootfs: Path, code: int) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe"])})
    assert open_in_app(code, "run", str(pod)) == ["0", "1", "2"]


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM], ids=["missing", "forbidden"])
def test_an_app_is_entered_without_close_range_and_with_three_descriptors(tmp_path: Path, rootfs: Path, code: int) -> None:
    with start(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "7"])})) as monitor:
        read_line(monitor)
        try:
            assert open_in_app(code, "enter", str(monitor.args[-1]), "app", "--", "/bin/probe") == ["0", "1", "2"]  # type: ignore[index]
        finally:
            monitor.terminate()
            assert monitor.wait() == 7
