"""Whose a file is, and who else can write to it."""

from __future__ import annotations

import os

import pytest

from acspec.ownership import is_owned_by_us, only_we_can_write, others_can_write

_US, _SOMEBODY = os.geteuid(), 4242


def _status(owner: int, mode: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("owner", "mode", "ours", "others"),
    [
        (_US, 0o100644, True, False),
        (0, 0o100644, True, False),
        (_US, 0o100664, True, True),
        (_US, 0o100602, True, True),
        (0, 0o41777, True, True),
        (_SOMEBODY, 0o100600, False, False),
        (_SOMEBODY, 0o100666, False, True),
    ],
)
def test_owner_and_mode_tell_who_can_write(owner: int, mode: int, ours: bool, others: bool) -> None:
    status = _status(owner, mode)
    assert (is_owned_by_us(status), others_can_write(status)) == (ours, others)
    assert only_we_can_write(status) == (ours and not others)
