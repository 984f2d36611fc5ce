"""RUN, out of which trees and notes are believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acrun.workspace import check_run_directory
from acspec.errors import TrustError


def test_a_directory_of_one_s_own_will_do(tmp_path: Path) -> None:
    for mode in (0o700, 0o755):
        tmp_path.chmod(mode)
        check_run_directory(str(tmp_path))


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_one_that_others_can_write_to_will_not(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(TrustError, match=r"can be written to by others \(chmod go-w"):
        check_run_directory(str(tmp_path))


@pytest.mark.privileged
def test_one_of_somebody_else_will_not(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    with pytest.raises(TrustError, match="belongs to user 1234"):
        check_run_directory(str(tmp_path))
