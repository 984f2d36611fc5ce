"""What the words behind options mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.option_values import parse_mount, parse_variable, parse_volume
from acspec.errors import UsageError
from acspec.names import ACName
from acspec.volumes import Mount, Volume


def test_volume_options() -> None:
    assert parse_volume("w,kind=host,source=/srv,readOnly=true,recursive=false") == Volume(
        ACName("w"), "host", source="/srv", read_only=True, recursive=False
    )
    assert parse_volume("w,kind=empty,mode=1777,uid=5,gid=6") == Volume(ACName("w"), "empty", mode=0o1777, uid=5, gid=6)
    assert parse_volume("w,source=/srv").kind == "host"
    assert parse_volume("w").kind == "empty"
    assert parse_mount("volume=w,target=/x") == Mount(ACName("w"), "/x")


BAD_VOLUMES = [
    "w,kind=tmpfs",
    "w,kind=host",
    "w,kind=empty,source=/x",
    "w,kind=empty,mode=0999",
    "w,mode=77777",
    "w,uid=-1",
    "w,uid=4294967295",
    f"w,uid={'9' * 5000}",
    "w,source=/x,mode=0700",
    "w,readOnly=yes",
    "w,kind=empty,recursive=true",
    "w,colour=red",
    "w,kind",
    "W,kind=empty",
    ",kind=empty",
    "w,uid=1,uid=2",
    "w,source=",
    "",
]


@pytest.mark.parametrize("text", BAD_VOLUMES)
def test_volume_options_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_volume(text)


@pytest.mark.parametrize("text", ["", "volume=w", "target=/x", "volume=w,target=x", "volume=w,target=/x,y=z", "volume=W,target=/x"])
def test_mount_options_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_mount(text)


def test_mount_of_a_relative_target_is_usage() -> None:
    with pytest.raises(UsageError, match="not an absolute path"):
        parse_mount("volume=w,target=x")


def test_variables_have_a_name_and_any_value() -> None:
    assert parse_variable("A==b c") == ("A", "=b c")
    for text in ("A", "=b", ""):
        with pytest.raises(UsageError, match="NAME=VALUE"):
            parse_variable(text)


@given(st.text() | st.text(alphabet="w,=kindhostempyurc0/"))
def test_any_words_mean_something_or_are_refused_with_our_error(text: str) -> None:
    for parse in (parse_volume, parse_mount, parse_variable):
        try:
            parse(text)
        except UsageError:
            continue
