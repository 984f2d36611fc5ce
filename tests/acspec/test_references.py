"""What a word on the command line means: by its form alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import ToolError, UsageError
from acspec.references import Argument, ImageIDArgument, ImageReference, PathArgument, URLArgument, format_reference, parse_argument

ID = "sha512-" + "ab" * 64

MEANINGS: dict[str, Argument] = {
    "/x/y": PathArgument("/x/y"),
    "./x": PathArgument("./x"),
    "../x.aci": PathArgument("../x.aci"),
    "app.aci": PathArgument("app.aci"),
    "dir/app.aci": PathArgument("dir/app.aci"),
    "https://example.com/x.aci": URLArgument("https://example.com/x.aci"),
    "hdfs://x": URLArgument("hdfs://x"),
    "sha512-0123456789ab": ImageIDArgument("sha512-0123456789ab"),
    ID: ImageIDArgument(ID),
    "example.com/app": ImageReference("example.com/app"),  # type: ignore[arg-type]
    "app": ImageReference("app"),  # type: ignore[arg-type]
    "example.com/app:1.0": ImageReference("example.com/app", {"version": "1.0"}),  # type: ignore[arg-type]
    "example.com/app:1.0,os=linux,arch=amd64": ImageReference(
        "example.com/app",
        {"version": "1.0", "os": "linux", "arch": "amd64"},  # type: ignore[arg-type]
    ),
    f"example.com/app,channel=a=b@{ID}": ImageReference("example.com/app", {"channel": "a=b"}, ID),  # type: ignore[arg-type]
    "example.com/app:1.0.aci": ImageReference("example.com/app", {"version": "1.0.aci"}),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("text", MEANINGS)
def test_each_form_has_one_meaning(text: str) -> None:
    assert parse_argument(text) == MEANINGS[text]


REFUSED = {
    "": "names no image",
    "a\0b": "names no image",
    "sha512-0123": "beginning of one",
    "sha512-" + "0" * 129: "beginning of one",
    "sha512-XYZ123456789": "beginning of one",
    "UPPER": "not an AC Identifier",
    "app:": "not a label of the form",
    "app,os": "not a label of the form",
    "app,=x": "not an AC Identifier",
    "app:1,version=2": "given twice",
    "app,name=x": "cannot be called",
    "app@sha512-ab": "128 hex digits",
    "app@": "not an image ID",
    "app/../../etc": "not an AC Identifier",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_means_nothing_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[text]):
        parse_argument(text)


@given(st.text() | st.text(alphabet="ab./:,=@-sh512"))
def test_any_text_has_a_meaning_or_is_refused_with_our_error(text: str) -> None:
    try:
        parse_argument(text)
    except ToolError as error:
        assert error.exit_code == 2


VALUES = st.text(min_size=1).filter(lambda value: not {",", "@", "\0"} & set(value))


@given(st.dictionaries(st.sampled_from(["version", "os", "arch", "channel"]), VALUES))
def test_a_reference_that_is_written_is_read_back(labels: dict[str, str]) -> None:
    assert parse_argument(format_reference("example.com/app", labels)) == ImageReference("example.com/app", labels)  # type: ignore[arg-type]
