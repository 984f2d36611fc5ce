"""Which capabilities an app keeps."""

from __future__ import annotations

from typing import Any

import pytest

from acspec.capabilities import ALL_CAPABILITIES, DEFAULT_CAPABILITIES, bounding_set
from acspec.errors import FormatError
from acspec.isolator_names import REMOVE_SET, RETAIN_SET


def isolator(name: str, *capabilities: str) -> dict[str, Any]:
    return {"name": name, "value": {"set": list(capabilities)}}


def test_the_default_is_the_fourteen_of_the_specification() -> None:
    assert len(DEFAULT_CAPABILITIES) == 14
    assert set(ALL_CAPABILITIES) >= DEFAULT_CAPABILITIES
    assert bounding_set([], "app") == DEFAULT_CAPABILITIES
    assert bounding_set([{"name": "resource/cpu", "value": {}}], "app") == DEFAULT_CAPABILITIES


def test_numbers_are_the_kernels() -> None:
    assert ALL_CAPABILITIES.index("CAP_SYS_ADMIN") == 21
    assert ALL_CAPABILITIES.index("CAP_SETFCAP") == 31
    assert ALL_CAPABILITIES.index("CAP_CHECKPOINT_RESTORE") == 40


def test_a_retain_set_replaces_the_default() -> None:
    assert bounding_set([isolator(RETAIN_SET, "CAP_NET_ADMIN", "CAP_KILL")], "app") == {"CAP_NET_ADMIN", "CAP_KILL"}


def test_a_remove_set_is_taken_from_the_default() -> None:
    kept = bounding_set([isolator(REMOVE_SET, "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_SYS_ADMIN")], "app")
    assert kept == DEFAULT_CAPABILITIES - {"CAP_SYS_CHROOT", "CAP_MKNOD"}
    assert len(kept) == 12


def test_of_several_sets_each_takes_away_what_it_would_alone() -> None:
    retained = [isolator(RETAIN_SET, "CAP_KILL", "CAP_CHOWN"), isolator(RETAIN_SET, "CAP_CHOWN", "CAP_SYS_ADMIN")]
    assert bounding_set(retained, "app") == {"CAP_CHOWN"}
    removed = [isolator(REMOVE_SET, "CAP_KILL"), isolator(REMOVE_SET, "CAP_CHOWN")]
    assert bounding_set(removed, "app") == DEFAULT_CAPABILITIES - {"CAP_KILL", "CAP_CHOWN"}


REFUSED = {
    "both kinds": ([isolator(RETAIN_SET, "CAP_KILL"), isolator(REMOVE_SET, "CAP_KILL")], "cannot be used in conjunction"),
    "an empty set": ([isolator(RETAIN_SET)], "an empty one"),
    "no set": ([{"name": RETAIN_SET, "value": {}}], "no list of capabilities"),
    "an unknown capability": ([isolator(REMOVE_SET, "CAP_FLY")], "CAP_FLY"),
    "a number": ([{"name": REMOVE_SET, "value": {"set": [3]}}], "is no capability"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_conflicts_are_refused(case: str) -> None:
    isolators, words = REFUSED[case]
    with pytest.raises(FormatError, match=words):
        bounding_set(isolators, "apps[0]")
