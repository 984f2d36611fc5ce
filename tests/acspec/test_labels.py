"""When labels match."""

from __future__ import annotations

from typing import Any

import pytest

from acspec.errors import FormatError
from acspec.fields import Fields
from acspec.labels import KNOWN_PLATFORMS, Label, find_mismatch, host_architecture, host_platform, labels_json, read_labels
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
    assert find_mismatch(asked, present) == expected


def test_a_label_cannot_be_called_name() -> None:
    with pytest.raises(FormatError, match="cannot be called"):
        Label(ACIdentifier("name"), "x")


def read(*pairs: tuple[str, str]) -> tuple[str, ...]:
    """Return what is odd about labels; they are written back as they came."""
    value: Any = [{"name": name, "value": value, "more": 1} for name, value in pairs]
    warnings: list[str] = []
    assert labels_json(read_labels(Fields({"labels": value}, "m", warnings=warnings))) == value
    return tuple(warnings)


@pytest.mark.parametrize("system", KNOWN_PLATFORMS)
def test_each_listed_platform_can_be_named(system: str) -> None:
    for machine in KNOWN_PLATFORMS[system]:
        assert read(("arch", machine), ("os", system)) == ()


BAD_PLATFORMS = {
    "an os that is not listed": ([("os", "OS/360"), ("arch", "S/360")], r'm: labels\[0\].value: "OS/360" is no os'),
    "an os in upper case": ([("os", "Linux")], r"labels\[0\].value"),
    "another's name for an arch": ([("arch", "arm64"), ("os", "linux")], r'm: labels\[0\].value: "arm64" is no arch .* for linux'),
    "an arch of another os": ([("os", "freebsd"), ("arch", "armv7b")], r"labels\[1\].value: .* for freebsd .*amd64, i386, arm"),
    "an empty arch": ([("os", "linux"), ("arch", "")], r"labels\[1\].value"),
    "an os twice": ([("os", "linux"), ("os", "freebsd")], r'm: labels\[1\]: a second "os"'),
    "a label called name": ([("name", "x")], r"m: labels\[0\].name: a label cannot be called"),
    "a name that is none": ([("A", "x")], r"m: labels\[0\].name: .* not an AC Identifier"),
}


@pytest.mark.parametrize("case", BAD_PLATFORMS)
def test_labels_that_break_a_rule_are_refused_at_their_place(case: str) -> None:
    pairs, words = BAD_PLATFORMS[case]
    with pytest.raises(FormatError, match=words):
        read(*pairs)


def test_an_os_may_stand_alone_and_an_arch_is_odd_alone() -> None:
    assert read(("os", "linux")) == ()
    assert read(("arch", "whatever")) == ("labels: arch means something only beside os, which is not there",)


def test_this_machine_has_both_labels() -> None:
    assert set(host_platform()) == {"os", "arch"}
