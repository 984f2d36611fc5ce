"""Differences as lines for people and for programs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.entry import Entry, Kind
from actool.comparing.difference_lines import format_json, format_text, format_time
from actool.comparing.differences import WORDS, Difference
from actool.comparing.manifest_differences import MISSING, PlaceDifference
from actool.comparing.snapshot import NO_DIGEST, File

OLD = File(Entry(b"", Kind.FILE, 0o755, 0, 0, 10**9, 10, xattrs={b"user.a": b"1"}), b"\1" * 32)
NEW = File(Entry(b"", Kind.FILE, 0o644, 5, 6, 10**9 + 500, 12), b"\2" * 32, b"rootfs/other")
LINK = File(Entry(b"", Kind.SYMLINK, link_name=b"a b"), NO_DIGEST)
DEVICE = File(Entry(b"", Kind.CHARACTER_DEVICE, major=1, minor=3), NO_DIGEST)
PATH = b"rootfs/bin/sh"

LINES = {
    "a file more": (Difference(PATH, None, OLD), "added    rootfs/bin/sh  regular file of 10 bytes"),
    "a name more": (Difference(PATH, None, NEW), "added    rootfs/bin/sh  hard link to rootfs/other"),
    "a link less": (Difference(PATH, LINK, None), "removed  rootfs/bin/sh  symbolic link to a b"),
    "a device less": (Difference(PATH, DEVICE, None), "removed  rootfs/bin/sh  character device"),
    "a type": (Difference(PATH, OLD, LINK, ("type",)), "changed  rootfs/bin/sh  type regular file -> symbolic link"),
    "content of another length": (Difference(PATH, OLD, NEW, ("content",)), "changed  rootfs/bin/sh  content of 10 -> 12 bytes"),
    "content of the same length": (Difference(PATH, OLD, OLD, ("content",)), "changed  rootfs/bin/sh  content"),
    "mode and owner": (
        Difference(PATH, OLD, NEW, ("mode", "owner")),
        "changed  rootfs/bin/sh  mode 0755 -> 0644, owner 0/0 -> 5/6",
    ),
    "a time": (
        Difference(PATH, OLD, NEW, ("time",)),
        "changed  rootfs/bin/sh  time 1970-01-01 00:00:01 -> 1970-01-01 00:00:01.0000005",
    ),
    "an attribute": (Difference(PATH, OLD, NEW, ("xattr",)), "changed  rootfs/bin/sh  xattr user.a"),
    "a target": (
        Difference(PATH, LINK, LINK, ("target",)),
        "changed  rootfs/bin/sh  target a b -> a b",
    ),
    "a device": (Difference(PATH, DEVICE, DEVICE, ("device",)), "changed  rootfs/bin/sh  device 1,3 -> 1,3"),
    "names": (Difference(PATH, OLD, NEW, ("links",)), "changed  rootfs/bin/sh  hard link to none -> rootfs/other"),
    "a place changed": (PlaceDifference("app.exec[0]", "/a", "/b"), 'changed  manifest  app.exec[0] "/a" -> "/b"'),
    "a place more": (PlaceDifference("app", MISSING, {"user": "0"}), 'added    manifest  app {"user":"0"}'),
    "a place less": (PlaceDifference("x", None, MISSING), "removed  manifest  x null"),
}


@pytest.mark.parametrize("sentence", LINES)
def test_a_difference_is_one_line(sentence: str) -> None:
    difference, line = LINES[sentence]
    assert format_text(difference) == line


def test_many_attributes_are_counted() -> None:
    many = OLD._replace(entry=OLD.entry._replace(xattrs={b"user.%d" % number: b"" for number in range(9)}))
    line = format_text(Difference(PATH, many, many._replace(entry=many.entry._replace(xattrs={})), ("xattr",)))
    assert line.endswith("xattr user.0 user.1 user.2 and 6 more")


def test_json_has_what_differs_of_both_sides() -> None:
    words = ("content", "mode", "owner", "time", "xattr", "links")
    assert json.loads(format_json(Difference(PATH, OLD, NEW, words))) == {
        "change": "changed",
        "path": "rootfs/bin/sh",
        "differs": list(words),
        "old": {
            "size": 10,
            "mode": "0755",
            "uid": 0,
            "gid": 0,
            "mtimeNs": 10**9,
            "xattrs": {"user.a": "31"},
            "hardLinkTo": None,
        },
        "new": {
            "size": 12,
            "mode": "0644",
            "uid": 5,
            "gid": 6,
            "mtimeNs": 10**9 + 500,
            "xattrs": None,
            "hardLinkTo": "rootfs/other",
        },
    }
    assert json.loads(format_json(Difference(PATH, OLD, LINK, ("type",)))) == {
        "change": "changed",
        "path": "rootfs/bin/sh",
        "differs": ["type"],
        "old": {"type": "file"},
        "new": {"type": "symlink"},
    }


def test_json_has_all_of_what_came_or_went() -> None:
    assert json.loads(format_json(Difference(PATH, None, NEW))) == {
        "change": "added",
        "path": "rootfs/bin/sh",
        "new": {
            "type": "file",
            "mode": "0644",
            "uid": 5,
            "gid": 6,
            "mtimeNs": 10**9 + 500,
            "size": 12,
            "hardLinkTo": "rootfs/other",
        },
    }
    assert json.loads(format_json(Difference(PATH, LINK, None)))["old"]["target"] == "a b"


def test_json_has_values_of_the_manifest_as_they_are() -> None:
    assert json.loads(format_json(PlaceDifference("app", MISSING, None))) == {
        "change": "added",
        "path": "manifest",
        "place": "app",
        "new": None,
    }
    assert json.loads(format_json(PlaceDifference("x", [1], MISSING)))["old"] == [1]


NAMES = some.binary(min_size=1, max_size=30)


@given(NAMES, NAMES, some.dictionaries(NAMES, NAMES, max_size=5), some.sampled_from([(), WORDS]))
def test_no_name_moves_a_terminal(path: bytes, link: bytes, xattrs: dict[bytes, bytes], words: tuple[str, ...]) -> None:
    file = File(Entry(b"", Kind.FILE, link_name=link, xattrs=xattrs), NO_DIGEST, link)
    for difference in (
        Difference(path, file, OLD if words else None, words),
        Difference(path, OLD if words else None, LINK, words),
    ):
        assert format_text(difference).isprintable()
        line = format_json(difference)
        assert line.isprintable()
        assert json.loads(line)["path"].encode("utf-8", "surrogateescape") == path


@given(some.text(), some.recursive(some.one_of(some.text(), some.none()), some.lists))
def test_no_manifest_moves_a_terminal(place: str, value: object) -> None:
    difference = PlaceDifference(place, value, MISSING)  # type: ignore[arg-type]
    assert format_text(difference).isprintable()
    assert json.loads(format_json(difference))["place"] == place


@given(some.integers(-(2**62), 2**62), some.integers(0, 10**9 - 1))
def test_any_time_has_a_form(seconds: int, rest: int) -> None:
    assert format_time(seconds * 10**9 + rest).isprintable()
