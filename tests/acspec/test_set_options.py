"""Options whose value is a set: which isolator they mean, and what is refused."""

from __future__ import annotations

import pytest

from acspec.errors import UsageError
from acspec.isolator_names import REMOVE_SET, RETAIN_SET
from acspec.set_options import make_capability_set, split_set

MEANT = {
    "capabilities to keep": (["CAP_KILL,CAP_CHOWN", "CAP_KILL"], [], [(RETAIN_SET, ["CAP_KILL", "CAP_CHOWN"])]),
    "capabilities to remove": ([], ["CAP_MKNOD"], [(REMOVE_SET, ["CAP_MKNOD"])]),
    "nothing": ([], [], []),
}
REFUSED = {
    "both": (["CAP_KILL"], ["CAP_MKNOD"], "--keep and --drop: exclude each other"),
    "a name cut short": (
        [],
        ["chown"],
        '--drop: "chown" is no capability that is known here (did you mean CAP_CHOWN?)',
    ),
    "another name": (["CAP_CHOWM"], [], '--keep: "CAP_CHOWM" is no capability that is known here (such as CAP_NET_ADMIN)'),
    "no name": ([""], [], '--keep: "" is no capability that is known here (such as CAP_NET_ADMIN)'),
}


@pytest.mark.parametrize(("retained", "removed", "isolators"), MEANT.values(), ids=MEANT)
def test_an_option_means_an_isolator(retained: list[str], removed: list[str], isolators: list[tuple[str, list[str]]]) -> None:
    made = make_capability_set("--keep", retained, "--drop", removed)
    assert [(isolator.name, isolator.value) for isolator in made] == [(name, {"set": names}) for name, names in isolators]


@pytest.mark.parametrize(("retained", "removed", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_set_of_capabilities_is_refused(retained: list[str], removed: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_capability_set("--keep", retained, "--drop", removed)
    assert str(caught.value) == message


def test_a_name_that_comes_twice_counts_once() -> None:
    assert split_set(["b,a", "b", "c,a"]) == ["b", "a", "c"]
