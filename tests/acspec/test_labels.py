"""When labels match."""

from __future__ import annotations

import pytest

from acspec.errors import FormatError
from acspec.labels import Label, first_mismatch, host_architecture, host_platform
from acspec.names import ACIdentifier


def labels(**values: str) -> tuple[Label, ...]:
    return tuple(Label(ACIdentifier(name), value) for name, value in values.items())


HERE = host_architecture()
MATCHES = {
    "nothing asked": ({}, labels(version="1"), None),
    "what was asked is there": ({"version": "1"}, labels(version="1", os="linux", arch=HERE), None),
    "another value": ({"version": "1"}, labels(version="2"), ("version", "1", "2")),
    "not there": ({"version": "1"}, (), ("version", "1", None)),
    "asked for os is not there": ({"os": "linux"}, (), ("os", "linux", None)),
    "another machine's image that nobody asked for": ({}, labels(os="linux", arch="s390y"), ("arch", HERE, "s390y")),
    "another machine's image that was asked for": ({"arch": "s390y"}, labels(os="linux", arch="s390y"), None),
    "another system's image": ({}, labels(os="freebsd"), ("os", "linux", "freebsd")),
}


@pytest.mark.parametrize("case", MATCHES)
def test_labels_match_as_discovery_says(case: str) -> None:
    asked, present, expected = MATCHES[case]
    assert first_mismatch(asked, present) == expected


def test_a_label_cannot_be_called_name() -> None:
    with pytest.raises(FormatError, match="cannot be called"):
        Label(ACIdentifier("name"), "x")


def test_this_machine_has_both_labels() -> None:
    assert set(host_platform()) == {"os", "arch"}
