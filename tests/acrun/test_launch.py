"""What is said of the options of a start before any work is done."""

from __future__ import annotations

import pytest

from acrun.launch import LaunchOptions, MakeOptions, RunOptions
from acrun.supervision import Supervision
from acspec.errors import FormatError, MissingInputError, UsageError


@pytest.mark.parametrize("name", ["web", "a-1.example", "A", "0", "x" * 64])
def test_a_host_name_is_taken(name: str) -> None:
    LaunchOptions(MakeOptions(hostname=name)).check()


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "a..b", ".", "a/b", "ä", "a\n", "x" * 65])
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--hostname"):
        LaunchOptions(MakeOptions(hostname=name)).check()


@pytest.mark.parametrize("name", ["", "A B", "../../../x", "/etc/x", ".", "a\n"])
def test_what_is_no_ac_name_names_no_pod(name: str) -> None:
    with pytest.raises(FormatError, match="--name"):
        LaunchOptions(MakeOptions(name=name)).check()


def test_a_stage1_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(MissingInputError, match=r"is not a program"):
        LaunchOptions(run=RunOptions(stage1="/no/such/stage1")).check()


@pytest.mark.parametrize("path", ["..", "a/../../b", "/../x"])
def test_a_cgroup_outside_of_every_hierarchy_is_no_parent(path: str) -> None:
    with pytest.raises(UsageError, match="--cgroup-parent"):
        LaunchOptions(supervision=Supervision(cgroup_parent=path)).check()
