"""Which pods a list shows: by states and annotations, as typed."""

from __future__ import annotations

import pytest

from acrun.selection import PodSelection
from acrun.states import PodState
from acspec.errors import UsageError


def pod(state: str, **annotations: str) -> PodState:
    found = PodState("6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c11", "/nowhere", state, None, None, None)
    found.annotations = annotations
    return found


# States and annotations asked for, the state and the annotations of a pod, and whether it is shown.
SELECTIONS: dict[str, tuple[list[str], list[str], PodState, bool]] = {
    "nothing asked, nothing left out": ([], [], pod("exited"), True),
    "in the state": (["running"], [], pod("running"), True),
    "in one of the states": (["running", "garbage"], [], pod("garbage"), True),
    "in another state": (["running"], [], pod("exited"), False),
    "with the annotation, whatever its value": ([], ["owner"], pod("exited", owner="ann"), True),
    "without the annotation": ([], ["owner"], pod("exited", other="ann"), False),
    "with the value": ([], ["owner=ann"], pod("exited", owner="ann"), True),
    "with another value": ([], ["owner=ann"], pod("exited", owner="bob"), False),
    "with a value that holds the sign": ([], ["owner=a=b"], pod("exited", owner="a=b"), True),
    "with no value where that is asked for": ([], ["owner="], pod("exited", owner=""), True),
    "with one annotation of two": ([], ["owner=ann", "tier"], pod("exited", owner="ann"), False),
    "with the annotation in another state": (["running"], ["owner=ann"], pod("exited", owner="ann"), False),
}


@pytest.mark.parametrize("sentence", SELECTIONS)
def test_a_pod_is_shown(sentence: str) -> None:
    states, annotations, state, is_shown = SELECTIONS[sentence]
    assert PodSelection(states, annotations).takes(state) is is_shown


def test_a_state_that_no_pod_is_ever_in_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--state up: no pod is ever in that state \(preparing, .*garbage\)"):
        PodSelection(["running", "up"], [])


@pytest.mark.parametrize("typed", ["", "=", "=value"])
def test_an_annotation_without_a_name_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match=f"--annotation {typed}: not of the form NAME or NAME=VALUE"):
        PodSelection([], [typed])
