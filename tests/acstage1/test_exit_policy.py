"""Whose end ends a pod, and whose code it ends with."""

from __future__ import annotations

import pytest

from acstage1.exit_policy import ExitPolicy, is_exit_policy

APPS = ("web", "db", "job")

# Policy, how the apps end in their order, the app whose end is to end the pod (None: only the end of all), and the pod's code.
POD_ENDS = {
    "by default a success ends nothing": ("any-failure", {"job": 0, "web": 0, "db": 0}, None, 0),
    "a failure ends all": ("any-failure", {"job": 0, "db": 3, "web": 143}, "db", 3),
    "with all, the first failure of the manifest is told": ("all", {"job": 4, "db": 3, "web": 0}, None, 3),
    "with all and no failure": ("all", {"job": 0, "db": 0, "web": 0}, None, 0),
    "with first, a success ends all, and is the success of all": ("first", {"job": 0, "db": 143, "web": 143}, "job", 0),
    "with first, a failure ends all": ("first", {"db": 9, "job": 143, "web": 0}, "db", 9),
    "with an app named, another's failure ends nothing": ("app=job", {"db": 3, "job": 0, "web": 143}, "job", 0),
    "with an app named, its code is the pod's": ("app=job", {"job": 5, "web": 143, "db": 0}, "job", 5),
}


@pytest.mark.parametrize("sentence", POD_ENDS)
def test_a_pod_ends_by_its_policy(sentence: str) -> None:
    text, ends, culprit, code = POD_ENDS[sentence]
    policy = ExitPolicy(text)
    found = next((app for app, end in ends.items() if policy.ends_pod(app, end)), None)
    assert found == culprit
    assert policy.exit_code({app: ends[app] for app in APPS}, found) == code


def test_who_ends_a_pod_from_outside_gets_the_code_of_the_app_that_was_named_or_the_first_failure() -> None:
    codes = {"web": 0, "db": 143, "job": 7}
    assert ExitPolicy("app=job").exit_code(codes, None) == 7
    assert ExitPolicy("any-failure").exit_code(codes, None) == 143
    assert ExitPolicy("first").exit_code(codes, None) == 143


@pytest.mark.parametrize("text", ["any-failure", "all", "first", "app=web", "app=job"])
def test_policies_that_there_are(text: str) -> None:
    assert is_exit_policy(text, APPS)


@pytest.mark.parametrize("text", ["", "any", "app", "app=", "app=other", "web", "ALL"])
def test_policies_that_there_are_not(text: str) -> None:
    assert not is_exit_policy(text, APPS)
