"""Isolators in the words of the command line, and whose place they take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.isolator_options import make_capability_isolators, make_limits, parse_seccomp, replace_isolators
from acspec.errors import UsageError
from acspec.isolator_names import REMOVE_SET, RETAIN_SET, SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.isolators import Isolator
from acspec.names import ACIdentifier

WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "mode=remove,reboot": (SECCOMP_REMOVE, {"set": ["reboot"]}),
    "mode=remove,errno=EPERM,@appc.io/empty": (SECCOMP_REMOVE, {"set": ["@appc.io/empty"], "errno": "EPERM"}),
    "read,mode=retain,write,read": (SECCOMP_RETAIN, {"set": ["read", "write"]}),
    "unconfined": (SECCOMP_RETAIN, {"set": ["@appc.io/all"]}),
}


@pytest.mark.parametrize("text", WORDS)
def test_words_are_the_isolator_that_they_mean(text: str) -> None:
    made = parse_seccomp(text)
    assert (made.name, made.value) == WORDS[text]


REFUSED = {
    "": "not of the form",
    "reboot": "not of the form",
    "mode=remove": "not of the form",
    "mode=allow,read": "not of the form",
    "mode=remove,errno=1,read": "is not the name of an error",
    "mode=remove,mode=retain,read": "is given twice",
    "mode=remove,kill=yes,read": "is no setting of it",
    "mode=retain,@appc.io/empty": "means nothing in",
    "mode=remove,": "is empty",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_means_nothing_is_refused_in_the_words_that_were_typed(text: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[text]) as caught:
        parse_seccomp(text)
    assert caught.value.what.startswith("--seccomp")


@given(text=st.text(max_size=40))
def test_any_words_are_an_isolator_or_refused(text: str) -> None:
    try:
        assert parse_seccomp(text).name in (SECCOMP_RETAIN, SECCOMP_REMOVE)
    except UsageError:
        pass


def test_limits_are_kept_as_they_are_written() -> None:
    made = make_limits(memory="512Mi", cpu="1.5")
    assert [(limit.name, limit.value) for limit in made] == [
        ("resource/memory", {"limit": "512Mi"}),
        ("resource/cpu", {"limit": "1.5"}),
    ]
    assert make_limits(memory=None, cpu=None) == ()


LIMITS = {
    "half a byte, which docker's users mean as megabytes": ("512m", None, "is less than 4096 bytes"),
    "less memory than a page": ("4095", None, "is less than 4096 bytes"),
    "a unit that there is not": ("5X", None, "is not a quantity"),
    "nothing": ("", None, "is not a quantity"),
    "a negative one": (None, "-1", "is negative"),
    "no processor": (None, "0", "is no time at all"),
    "words": (None, "all", "is not a quantity"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit_that_means_nothing_is_refused(case: str) -> None:
    memory, cpu, why = LIMITS[case]
    with pytest.raises(UsageError, match=why):
        make_limits(memory=memory, cpu=cpu)


@given(memory=st.text(max_size=9), cpu=st.text(max_size=9))
def test_any_words_are_limits_or_refused(memory: str, cpu: str) -> None:
    try:
        assert len(make_limits(memory=memory, cpu=cpu)) == 2
    except UsageError:
        pass


def test_capabilities_come_in_lists_and_options_that_are_repeated() -> None:
    (made,) = make_capability_isolators(["CAP_KILL,CAP_CHOWN", "CAP_KILL"], [])
    assert (made.name, made.value) == (RETAIN_SET, {"set": ["CAP_KILL", "CAP_CHOWN"]})
    (made,) = make_capability_isolators([], ["CAP_MKNOD"])
    assert (made.name, made.value) == (REMOVE_SET, {"set": ["CAP_MKNOD"]})
    assert make_capability_isolators([], []) == ()


@pytest.mark.parametrize(("retained", "removed"), [(["KILL"], []), ([], ["cap_kill"]), ([""], []), (["CAP_KILL"], ["CAP_KILL"])])
def test_what_is_no_capability_is_refused_and_so_are_both_sets(retained: list[str], removed: list[str]) -> None:
    with pytest.raises(UsageError, match=r"--cap-"):
        make_capability_isolators(retained, removed)


def test_what_is_asked_for_takes_the_place_of_its_family_only() -> None:
    own = [Isolator(ACIdentifier(name), name) for name in (RETAIN_SET, SECCOMP_RETAIN, "os/linux/no-new-privileges")]
    asked = parse_seccomp("mode=remove,reboot")
    kept = replace_isolators(own, [asked])
    assert [isolator.name for isolator in kept] == [RETAIN_SET, "os/linux/no-new-privileges", SECCOMP_REMOVE]
    assert replace_isolators(own, []) == tuple(own)
