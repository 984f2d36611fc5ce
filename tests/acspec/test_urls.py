"""URLs of the web, as annotations hold them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.urls import parse_http_url

GOOD = [
    "http://foo.com", "https://example.com/docs", "http://foo.com/huh/what?is=this#top", "HTTPS://Example.COM", "http://localhost:8080",
    "http://user:word@example.com/", "http://[2001:db8::1]:80/", "http://203.0.113.23/%7Ebob", "https://bücher.example/käse",
    "https://example.com:/",
]  # fmt: skip
BAD = [
    "", "example.com", "ftp://example.com", "unix:///hello", "not a url", "http:/example.com", "http://", "https:///path", "http://:80/",
    "http://a b.com", "http://example.com/a b", "http://example.com/%zz", "http://example.com/%2", "http://example.com:http/",
    "http://example.com:65536/", "http://example.com:123456/", "http://[::1", "http://[::1]x/", "http://[zz]/", "http://a]b/",
    "http://example.com/\n", "http://example.com/\0", "http://exa\u202emple.com/", 'http://example.com/"', "javascript:alert(1)",
    "mailto:a@example.com",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_url_comes_back_as_it_was(text: str) -> None:
    assert parse_http_url(text, "p") == text


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_url_of_the_web_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is not a URL") as caught:
        parse_http_url(text, "p")
    assert caught.value.what == "p"


@given(st.text() | st.text("htps:/[]@%.a1?#", max_size=20).map("http://".__add__))
def test_any_text_is_a_url_or_refused_with_our_error(text: str) -> None:
    try:
        assert parse_http_url(text, "p").isprintable()
    except FormatError as error:
        assert error.what == "p"
