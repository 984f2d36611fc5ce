"""Names of members, in one spelling."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.archive.faults import Fault
from acspec.archive.member_names import normalise

SPELLINGS = {
    b"rootfs/bin/sh": b"rootfs/bin/sh",
    b"./rootfs/bin": b"rootfs/bin",
    b"rootfs/bin/": b"rootfs/bin",
    b"rootfs//bin": b"rootfs/bin",
    b"rootfs/./bin": b"rootfs/bin",
    b"rootfs/bin/.": b"rootfs/bin",
    b"././/rootfs": b"rootfs",
    b".": b"",
    b"./": b"",
    b"rootfs/.hidden": b"rootfs/.hidden",
    b"rootfs/..hidden": b"rootfs/..hidden",
    b"rootfs/...": b"rootfs/...",
    b"...": b"...",
    b"rootfs/a\\..\\b": b"rootfs/a\\..\\b",
    b"rootfs/\xff\n\x1b": b"rootfs/\xff\n\x1b",
}


@pytest.mark.parametrize(("name", "spelt"), SPELLINGS.items())
def test_a_name_is_spelt(name: bytes, spelt: bytes) -> None:
    assert normalise(name) == spelt


BAD = {
    "empty": (b"", "empty"),
    "absolute": (b"/rootfs", "absolute"),
    "absolute after two slashes": (b"//rootfs", "absolute"),
    "above the image": (b"../rootfs", '".."'),
    "above the rootfs": (b"rootfs/..", '".."'),
    "up and down again": (b"rootfs/a/../b", '".."'),
    "up behind a dot": (b"./../rootfs", '".."'),
    "with a zero byte": (b"rootfs/a\0b", "zero byte"),
    "with a zero byte at its end": (b"rootfs/a\0", "zero byte"),
    "longer than the limit": (b"rootfs/" + b"a" * 65536, "longer than the limit of 65536 bytes"),
    "deeper than the limit": (b"a/" * 4096 + b"a", "more than the limit of 4096 components"),
    "deeper than the limit, oddly spelt": (b"./" + b"a/" * 4096 + b"a", "more than the limit of 4096 components"),
}


@pytest.mark.parametrize(("name", "why"), BAD.values(), ids=BAD)
def test_a_name_is_refused_that_is(name: bytes, why: str) -> None:
    with pytest.raises(Fault, match=why):
        normalise(name)


def test_a_name_as_deep_as_the_limit_is_read() -> None:
    assert normalise(b"a/" * 4095 + b"a").count(b"/") == 4095


@given(st.lists(st.sampled_from([b"a", b"bc", b".", b"", b".d", b"e."]), max_size=8))
def test_names_are_spelt_as_the_file_system_takes_them(parts: list[bytes]) -> None:
    name = b"/".join(parts)
    if not name or name.startswith(b"/"):
        with pytest.raises(Fault):
            normalise(name)
    else:
        usual = posixpath.normpath(name)
        assert normalise(name) == (b"" if usual == b"." else usual)


@given(st.binary(max_size=40))
def test_no_name_that_is_read_leads_out(name: bytes) -> None:
    try:
        spelt = normalise(name)
    except Fault:
        return
    assert not spelt.startswith(b"/")
    assert b"\0" not in spelt
    assert not {b"..", b"."} & set(spelt.split(b"/"))
