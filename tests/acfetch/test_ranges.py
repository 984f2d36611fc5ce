"""The rest of a body: what may be asked for it by, and which answers are just that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.errors import StartOverError
from acfetch.ranges import Rest, Version, find_version, parse_date, parse_size

LONG_AGO, NOW = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"

VERSIONS: dict[str, tuple[dict[str, str], Version | None]] = {
    "an ETag": ({"etag": '"x"', "content-length": "9"}, Version('"x"', 9)),
    "an ETag and no length": ({"etag": '"x"'}, Version('"x"')),
    "a weak ETag": ({"etag": 'W/"x"', "last-modified": LONG_AGO, "date": NOW}, None),
    "an ETag without quotation marks": ({"etag": "x"}, None),
    "an ETag with a space": ({"etag": '"a b"'}, None),
    "a date that is past": ({"last-modified": LONG_AGO, "date": NOW}, Version(LONG_AGO)),
    "a date that is not past yet": ({"last-modified": NOW, "date": NOW}, None),
    "a date and no clock": ({"last-modified": LONG_AGO}, None),
    "a date that is none": ({"last-modified": "yesterday", "date": NOW}, None),
    "nothing": ({}, None),
    "an ETag, but no ranges": ({"etag": '"x"', "accept-ranges": "none"}, None),
}


@pytest.mark.parametrize(("headers", "version"), VERSIONS.values(), ids=VERSIONS)
def test_the_rest_can_be_asked_for_by(headers: dict[str, str], version: Version | None) -> None:
    assert find_version(headers) == version


def test_the_rest_is_asked_for_on_condition() -> None:
    assert Rest(Version('"x"', 9), 4).headers() == {"Range": "bytes=4-", "If-Range": '"x"'}


ANSWERS: dict[str, dict[str, str]] = {
    "no place": {},
    "another start": {"content-range": "bytes 3-8/9"},
    "an end before the end": {"content-range": "bytes 4-7/9"},
    "another size": {"content-range": "bytes 4-9/10"},
    "no size": {"content-range": "bytes 4-8/*"},
    "another unit": {"content-range": "lines 4-8/9"},
    "two places": {"content-range": "bytes 4-8/9, bytes 4-8/9"},
    "digits of another script": {"content-range": "bytes 4-8/٩"},
    "another ETag": {"content-range": "bytes 4-8/9", "etag": '"y"'},
    "a weak ETag": {"content-range": "bytes 4-8/9", "etag": 'W/"x"'},
}


@pytest.mark.parametrize("headers", ANSWERS.values(), ids=ANSWERS)
def test_no_rest_is_an_answer_with(headers: dict[str, str]) -> None:
    with pytest.raises(StartOverError, match=r"https://a\.b/c: "):
        Rest(Version('"x"', 9), 4).get_size("https://a.b/c", headers)


def test_the_rest_says_the_size_of_the_whole() -> None:
    for headers in ({"content-range": "bytes 4-8/9"}, {"content-range": "bytes 4-8/9", "etag": '"x"'}):
        assert Rest(Version('"x"', 9), 4).get_size("", headers) == 9
        assert Rest(Version('"x"'), 4).get_size("", headers) == 9


@given(st.text())
def test_a_date_is_a_number_or_nothing(text: str) -> None:
    assert isinstance(parse_date(text), float | None)


@given(st.dictionaries(st.sampled_from(["etag", "last-modified", "date", "content-length", "content-range"]), st.text()))
def test_no_head_makes_it_fail_in_another_way(headers: dict[str, str]) -> None:
    version = find_version(headers)
    assert version is None or version.size == parse_size(headers)
    try:
        size = Rest(Version('"x"'), 4).get_size("", headers)
    except StartOverError:
        return
    assert size > 4
