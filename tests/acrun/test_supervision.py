"""What the words behind --exit-policy, --log-size and --restart mean, and what stage1 is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.supervision import Supervision, parse_supervision
from acspec.errors import UsageError


def test_who_says_nothing_leaves_it_to_stage1() -> None:
    assert Supervision().switches(["app"]) == {}


def test_what_is_said_goes_over() -> None:
    told = parse_supervision(exit_policy="app=web", log_size="64Ki", restart="on-failure:5").switches(["db", "web"])
    assert told == {"exitPolicy": "app=web", "logSize": 65536, "restart": "on-failure", "restartLimit": 5}
    assert parse_supervision(grace_period="2m").switches(["app"]) == {"gracePeriod": 120}
    assert parse_supervision(grace_period="0").switches(["app"]) == {"gracePeriod": 0}
    assert parse_supervision(restart="always").switches(["app"]) == {"restart": "always"}
    assert parse_supervision(restart="no").switches(["app"]) == {"restart": "no"}


@pytest.mark.parametrize(
    "text", ["", "yes", "no:3", "always:", "always:-1", "always:x", "on-failure:1.5", ":3", "always:3:4", "always:1234567890"]
)
def test_restarts_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="is none of no, on-failure, always and on-failure:N, always:N"):
        parse_supervision(restart=text)


def test_a_policy_of_an_app_that_the_pod_has_not_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(UsageError, match=r"--exit-policy app=job: the pod has no such app \(db, web\)"):
        parse_supervision(exit_policy="app=job").switches(["db", "web"])


@pytest.mark.parametrize("text", ["", "any", "All", "app", "web", "first,all"])
def test_policies_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_supervision(exit_policy=text)


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1Zi", "2Pi", "1 Mi"])
def test_sizes_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_supervision(log_size=text)


@pytest.mark.parametrize("text", ["", "-1", "soon", "1.5", "1 s", "999999999w"])
def test_lengths_of_time_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="--grace-period"):
        parse_supervision(grace_period=text)


@given(st.text())
def test_any_text_is_taken_or_refused_with_our_own_error(text: str) -> None:
    for words in ({"exit_policy": text}, {"grace_period": text}, {"log_size": text}, {"restart": text}):
        try:
            parse_supervision(**words).switches(["app"])
        except UsageError:
            continue
