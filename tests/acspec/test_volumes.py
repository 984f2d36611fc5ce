"""Volumes, mount points and mounts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.fields import Fields
from acspec.names import ACName
from acspec.volumes import Mount, MountPoint, Volume, parse_mode


def volume(**values: Any) -> Volume:
    return Volume.read(Fields({"name": "foobar", **values}, "m"))


TAKEN: dict[str, tuple[dict[str, Any], Volume]] = {
    "a directory of the host": ({"kind": "host", "source": "/tmp"}, Volume(ACName("foobar"), "host", "/tmp")),
    "one not to be written": (
        {"kind": "host", "source": "/tmp", "readOnly": True, "recursive": False},
        Volume(ACName("foobar"), "host", "/tmp", read_only=True, recursive=False),
    ),
    "an empty one": ({"kind": "empty"}, Volume(ACName("foobar"), "empty")),
    "an empty one of somebody": (
        {"kind": "empty", "mode": "0777", "uid": 1000, "gid": 0},
        Volume(ACName("foobar"), "empty", mode=0o777, uid=1000, gid=0),
    ),
    "a mode that means nothing, as the specification allows": (
        {"kind": "host", "source": "/tmp", "mode": "0755", "uid": 3},
        Volume(ACName("foobar"), "host", "/tmp", mode=0o755, uid=3),
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_volume_may_be(case: str) -> None:
    values, expected = TAKEN[case]
    assert volume(**values) == expected
    assert Volume.read(Fields(expected.to_json(), "m")) == expected


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "of no kind": ({}, "m: kind: is required"),
    "of another kind": ({"kind": "tmpfs"}, 'm: kind: "tmpfs" is neither host nor empty'),
    "of the host and from nowhere": ({"kind": "host"}, "m: source: is required"),
    "of the host and from somewhere": ({"kind": "host", "source": "tmp"}, "m: source: is not an absolute path"),
    "empty and from somewhere": ({"kind": "empty", "source": "/tmp"}, "m: source: a volume of kind empty has no source"),
    "perhaps recursive": ({"kind": "host", "source": "/", "recursive": "MAYBE"}, "m: recursive: is neither true nor false"),
    "of nobody": ({"kind": "empty", "uid": -1}, "m: uid: -1 is not from 0"),
    "of a bad name": ({"kind": "empty", "name": "#foobar"}, "m: name: .* is not an AC Name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_volume_may_not_be(case: str) -> None:
    values, words = REFUSED[case]
    with pytest.raises(FormatError, match=words):
        volume(**values)


@given(st.text(max_size=10) | st.text("01234567", max_size=10))
def test_a_mode_is_octal_and_has_no_bit_too_many(text: str) -> None:
    good = 0 < len(text) <= 8 and all(character in "01234567" for character in text) and int(text, 8) <= 0o7777
    try:
        assert parse_mode(text, "p") == int(text, 8)
        assert good
    except FormatError:
        assert not good


def test_a_mount_point_comes_back() -> None:
    value = {"name": "foobar", "path": "/tmp", "readOnly": True}
    assert MountPoint.read(Fields(value, "m")).to_json() == value


@pytest.mark.parametrize("value", [{"name": "a"}, {"path": "/a"}, {"name": "a", "path": ""}, {"name": "a", "path": "/a\0"}])
def test_a_mount_point_needs_a_name_and_an_absolute_path(value: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"^m: (name|path): "):
        MountPoint.read(Fields(value, "m"))


def test_a_mount_may_bring_its_own_volume() -> None:
    value = {"volume": "a", "path": "/a", "appVolume": {"name": "b", "kind": "empty"}}
    assert Mount.read(Fields(value, "m")).to_json() == value
