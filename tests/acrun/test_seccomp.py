"""Filters compiled by libseccomp, and what becomes of names that it does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acrun.profiles import ALLOW, Profile, Rule, make_profile
from acrun.seccomp import compile_profile, get_filter, profile_key
from acspec import limits
from acspec.errors import FormatError
from acspec.isolator_names import SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.isolators import Isolator
from acspec.names import ACIdentifier


def isolator(name: str, *calls: str, **more: Any) -> Isolator:
    return Isolator(ACIdentifier(name), {"set": list(calls), **more})


def default() -> Profile:
    made = make_profile([], "app a")
    assert made is not None
    return made


def test_a_filter_is_whole_instructions_and_small() -> None:
    program = compile_profile(default()).program
    assert len(program) % 8 == 0
    assert 0 < len(program) < limits.SECCOMP_FILTER_BYTES // 4


def test_every_call_of_our_list_is_known() -> None:
    assert compile_profile(default()).unknown == ()


def test_a_filter_is_compiled_once_and_kept(tmp_path: Path) -> None:
    first = get_filter(str(tmp_path), [], "app a")
    (kept,) = (tmp_path / "filters").iterdir()
    before = kept.stat()
    second = get_filter(str(tmp_path), [], "app a")
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert (first.program, first.key) == (second.program, second.key)
    assert first.key == kept.stem


def test_what_differs_in_any_rule_has_another_key() -> None:
    made = {
        profile_key(Profile(SECCOMP_REMOVE, ALLOW, rules))
        for rules in (
            (),
            (Rule("read", 1),),
            (Rule("read", 2),),
            (Rule("write", 1),),
            (Rule("read", 1, ((0, 1, 1),)),),
            (Rule("read", 1, ((0, 1, 0),)),),
        )
    }
    assert len(made) == 6


def test_no_filter_is_no_filter_and_compiles_nothing(tmp_path: Path) -> None:
    none = get_filter(str(tmp_path), [isolator(SECCOMP_RETAIN, "@appc.io/all")], "app a")
    assert (none.key, none.program, none.state) == (None, b"", "enforced")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("attempt", ["the first time", "out of what was kept"])
def test_a_name_that_nobody_knows_cannot_be_removed_and_is_told_when_retained(tmp_path: Path, attempt: str) -> None:
    if attempt == "out of what was kept":
        get_filter(str(tmp_path), [isolator(SECCOMP_RETAIN, "read", "frobnicate")], "app a")
    retained = get_filter(str(tmp_path), [isolator(SECCOMP_RETAIN, "read", "frobnicate")], "app a")
    assert (retained.state, retained.why) == ("modified", "no system call known here is named frobnicate")
    for _ in range(2):
        with pytest.raises(FormatError, match="no system call known here is named frobnicate, so it cannot be blocked"):
            get_filter(str(tmp_path), [isolator(SECCOMP_REMOVE, "reboot", "frobnicate")], "app a")


def test_calls_of_other_architectures_and_of_young_kernels_are_known(tmp_path: Path) -> None:
    made = get_filter(str(tmp_path), [isolator(SECCOMP_REMOVE, "stime", "clock_settime64", "vm86", "mseal", "listns")], "app a")
    assert (made.state, made.why) == ("enforced", None)
