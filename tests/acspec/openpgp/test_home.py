"""The home of gpg: where it lies, and who could put another one in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acspec.openpgp.home import Home


def test_it_lies_where_it_is_to_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    home = Home(str(tmp_path))
    assert os.path.dirname(home.path) == str(tmp_path)
    assert os.stat(home.path).st_mode & 0o777 == 0o700
    home.close()
    home.close()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("mode", [0o775, 0o1777])
def test_where_others_can_put_another_in_its_place_it_does_not_lie(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    home = Home(str(tmp_path))
    assert os.listdir(tmp_path) == []
    home.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_nor_where_it_is_somebody_else_s(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    home = Home(str(tmp_path))
    assert os.listdir(tmp_path) == []
    home.close()
