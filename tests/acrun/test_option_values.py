"""What the words behind options mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.option_values import (
    parse_annotation,
    parse_gids,
    parse_mount,
    parse_variable,
    parse_volume,
    parse_volume_size,
    parse_volumes,
    read_variables,
)
from acspec.errors import FormatError, UsageError
from acspec.names import ACName
from acspec.volumes import Mount, Volume


def test_a_volume_option_means_a_volume() -> None:
    assert parse_volume("w,kind=host,source=/srv,readOnly=true,recursive=false") == Volume(
        ACName("w"), "host", source="/srv", read_only=True, recursive=False
    )
    assert parse_volume("w,kind=empty,mode=1777,uid=5,gid=6") == Volume(ACName("w"), "empty", mode=0o1777, uid=5, gid=6)
    assert parse_volume("w,source=/srv").kind == "host"
    assert parse_volume("w").kind == "empty"
    assert parse_mount("volume=w,target=/x") == Mount(ACName("w"), "/x")


def test_the_size_of_an_empty_volume_is_read_apart() -> None:
    assert parse_volume("w,size=64Mi,mode=1777") == Volume(ACName("w"), "empty", mode=0o1777)
    assert parse_volume_size("w,size=64Mi,mode=1777") == ("w", 64 * 2**20)
    assert parse_volume_size("w,kind=empty,size=4096") == ("w", 4096)
    assert parse_volume_size("w,kind=empty") is None
    assert parse_volume_size("./here,size=64Mi:/there") is None


@pytest.mark.parametrize("size", ["", "0", "-1", "1", "4095", "64X", "2Pi", "1e3", "ten"])
def test_sizes_that_make_no_sense(size: str) -> None:
    with pytest.raises(UsageError, match="--volume w,size="):
        parse_volume_size(f"w,size={size}")


@pytest.mark.parametrize("text", ["w,source=/srv,size=1Mi", "w,kind=host,source=/srv,size=1Mi"])
def test_a_volume_of_the_host_has_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="kind empty"):
        parse_volume_size(text)


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


SHORT = {
    "a directory": ("/srv/x:/data", ("bind-data", "/srv/x", None), ("bind-data", "/data")),
    "read-only": ("/srv:/var/lib/data:ro", ("bind-var-lib-data", "/srv", True), ("bind-var-lib-data", "/var/lib/data")),
    "for writing, said": ("/srv:/data:rw", ("bind-data", "/srv", None), ("bind-data", "/data")),
    "with a comma in its name": ("/a,b:/data", ("bind-data", "/a,b", None), ("bind-data", "/data")),
    "beside the caller": ("./x:/data", ("bind-data", os.path.abspath("x"), None), ("bind-data", "/data")),
    "where the caller is": (".:/data", ("bind-data", os.getcwd(), None), ("bind-data", "/data")),
    "above the caller": ("..:/data:ro", ("bind-data", os.path.dirname(os.getcwd()), True), ("bind-data", "/data")),
}


@pytest.mark.parametrize("case", SHORT)
def test_the_short_form_is_a_volume_and_its_mount(case: str) -> None:
    text, (name, source, read_only), (mounted, target) = SHORT[case]
    volumes, mounts = parse_volumes([text])
    assert volumes == (Volume(ACName(name), "host", source, read_only=read_only),)
    assert mounts == (Mount(ACName(mounted), target),)


def test_short_forms_stand_beside_the_long_one_and_never_share_a_name() -> None:
    volumes, mounts = parse_volumes(["/a:/data", "/b:/Data", "bind-data,kind=empty", "bind-data:/more"])
    assert [volume.name for volume in volumes] == ["bind-data", "bind-data-2", "bind-data-3"]
    assert [(mount.volume, mount.path) for mount in mounts] == [
        ("bind-data-2", "/data"),
        ("bind-data-3", "/Data"),
        ("bind-data", "/more"),
    ]


@pytest.mark.parametrize(
    "text", ["/srv", "/srv:data", "/srv:", ":/data", "/srv:/data:z", "a:b:c:d", "w:/data:ro", "W:/data", "/a:/b:/c", ""]
)
def test_short_forms_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse_volumes([text])


def test_a_file_of_variables(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes("# a comment\n\nA=1\n  # another\nB= x = y \nC=\nD=\u00fc\nA=2".encode())
    assert read_variables(str(path)) == [("A", "1"), ("B", " x = y "), ("C", ""), ("D", "\u00fc"), ("A", "2")]


@pytest.mark.parametrize("line", [b"A", b"=1", b"1A=x", b"A B=1", b"A=\xff", b"A=\0", b"export A=1"])
def test_a_line_that_is_no_variable_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"X=1\n" + line + b"\n")
    with pytest.raises(FormatError, match=f"{path}:2"):
        read_variables(str(path))


@given(st.binary(max_size=200) | st.text(alphabet="AB=#\n \r\t").map(str.encode))
def test_any_file_of_variables_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-env"
    path.write_bytes(data)
    try:
        read_variables(str(path))
    except FormatError:
        pass


def test_groups_and_annotations_are_read_or_refused() -> None:
    assert parse_gids("5,6,4294967294") == (5, 6, 4294967294)
    assert parse_gids(None) == ()
    assert parse_annotation("example.com/why=a=b").value == "a=b"
    for text in ("", "5,", "x", "-1", "4294967295", "5 6"):
        with pytest.raises(UsageError, match="--supplementary-gids"):
            parse_gids(text)
    for text in ("", "A b=c", "x"):
        with pytest.raises(UsageError, match="--annotation"):
            parse_annotation(text)


def _each(text: str) -> object:
    return parse_volumes([text])


@given(st.text() | st.text(alphabet="w,=kindhostempyurc0/:."))
def test_any_words_mean_something_or_are_refused_with_our_error(text: str) -> None:
    for parse in (_each, parse_volume, parse_mount, parse_variable, parse_gids, parse_annotation):
        try:
            parse(text)
        except UsageError:
            continue
