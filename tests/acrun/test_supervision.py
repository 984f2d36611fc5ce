"""What the words behind --exit-policy and --log-size mean, and what stage1 is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.supervision import Supervision, parse_supervision
from acspec.errors import UsageError


def test_who_says_nothing_leaves_it_to_stage1() -> None:
    assert Supervision().switches(["app"]) == {}


def test_what_is_said_goes_over() -> None:
    told = parse_supervision(exit_policy="app=web", log_size="64Ki").switches(["db", "web"])
    assert told == {"exitPolicy": "app=web", "logSize": 65536}


def test_a_policy_of_an_app_that_the_pod_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(UsageError, match=r"--exit-policy app=job: the pod has no such app \(db, web\)"):
        parse_supervision(exit_policy="app=job", log_size=None).switches(["db", "web"])


@pytest.mark.parametrize("text", ["", "any", "All", "app", "web", "first,all"])
def test_policies_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_supervision(exit_policy=text, log_size=None)


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1Zi", "2Pi", "1 Mi"])
def test_sizes_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_supervision(exit_policy=None, log_size=text)


@given(st.text())
def test_any_text_is_taken_or_refused_with_our_own_error(text: str) -> None:
    for words in ({"exit_policy": text, "log_size": None}, {"exit_policy": None, "log_size": text}):
        try:
            parse_supervision(**words).switches(["app"])
        except UsageError:
            continue
