"""Whose a file is, and who else can write to it."""

from __future__ import annotations

import os

import pytest

from acspec.ownership import is_owned_by_us, is_root, is_root_by_name, only_we_can_write, others_can_write
from acstage1.linux.namespaces import CLONE_NEWUSER, setns
from tests.support.namespaces import user_namespace

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


NAMESPACES = {"one id": ("0 60000 1", [False, True]), "many": ("0 100000 65536", [False, False])}


@pytest.mark.privileged
@pytest.mark.parametrize(("row", "answers"), NAMESPACES.values(), ids=NAMESPACES)
def test_root_of_a_user_namespace_is_not_root(row: str, answers: list[bool]) -> None:
    with user_namespace(row) as enter:
        namespace = os.open(enter[1].partition("=")[2], os.O_RDONLY)
        child = os.fork()
        if child == 0:
            try:
                setns(namespace, CLONE_NEWUSER)
                os.setresuid(0, 0, 0)
                os._exit(0 if [is_root(), is_root_by_name()] == answers else 1)
            finally:
                os._exit(2)
        os.close(namespace)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.privileged
def test_root_is_root() -> None:
    assert [is_root(), is_root_by_name()] == [os.geteuid() == 0, False]
