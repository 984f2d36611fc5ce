"""Meta tags as a browser sees them, in pages that are honest, odd, poisoned or huge."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.meta import READ_BYTES, Tag, flatten, parse_tags

URL = "https://example.com/{name}.{ext}"
TAG = f'<meta name="ac-discovery" content="example.com {URL}">'
BAIT = '<meta name="ac-discovery" content="example.com https://evil.example/{name}.{ext}">'
FOUND = [Tag("ac-discovery", "example.com", URL)]

FORMS = {
    "as the specification writes it": TAG,
    "without quotes, in capitals": f"<META NAME=AC-Discovery CONTENT='example.com {URL}'/>",
    "with attributes in another order": f'<meta content="example.com {URL}" lang=en name="ac-discovery">',
    "with references for characters": f'<meta name="ac&#45;discovery" content="example&period;com&#x20;{URL}">',
    "with line feeds and tabs between the words": f'<meta\nname="ac-discovery"\tcontent="\n example.com\n\t{URL} \n">',
    "in the body, after a broken element": f"<html><body><div <p>text{TAG}",
    "without any html around it": TAG,
    "after a comment that is closed oddly": f"<!-->{TAG}",
    "with attributes twice, of which the first count": f'{TAG[:-1]} name="x" content="y z">',
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_tag_is_found(text: str) -> None:
    assert parse_tags(text.encode()) == FOUND


HIDDEN = {
    "in a comment": f"<!-- {BAIT} -->",
    "in a comment that looks closed": f"<!-- > -- > {BAIT} -->",
    "in a script": f"<script>document.write('{BAIT}')</script>",
    "in a script's comment": f"<script><!-- <script> {BAIT} --></script>",
    "in a style": f"<style>/* {BAIT} */</style>",
    "in a title": f"<title>{BAIT}</title>",
    "in a text area": f"<textarea>{BAIT}</textarea>",
    "in a template": f"<template>{BAIT}</template>",
    "in a frame's text": f"<iframe>{BAIT}</iframe>",
    "in preformatted text of old": f"<xmp>{BAIT}</xmp>",
    "in an attribute": f"<p title='{BAIT}'>",
    "escaped": html.escape(BAIT),
    "with an end that is none": f"<script></scriptx>{BAIT}</script>",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_a_browser_would_not_see_is_not_found(text: str) -> None:
    assert parse_tags(f"<html><head>{text}{TAG}</head></html>".encode()) == FOUND


NONE = {
    "empty": b"",
    "of other tags": b'<meta name="go-import" content="example.com git https://example.com">',
    "of a tag without a URL": b'<meta name="ac-discovery" content="example.com">',
    "of a tag with three words": b'<meta name="ac-discovery" content="example.com https://a b">',
    "of a tag without content": b'<meta name="ac-discovery">',
    "of attributes without values": b"<meta name content>",
    "of a name with a zero byte": b'<meta name="ac-discovery\0" content="a b">',
    "in UTF-16": TAG.encode("utf-16"),
    "that is open for ever": b'<meta name="ac-discovery" content="example.com https://a',
}


@pytest.mark.parametrize("page", NONE.values(), ids=NONE)
def test_there_are_no_tags_in_a_page(page: bytes) -> None:
    assert parse_tags(page) == []


def test_kinds_and_order_are_kept() -> None:
    keys = '<meta name="ac-discovery-pubkeys" content="example.com https://example.com/keys">'
    found = parse_tags((keys + TAG + TAG.replace("example.com ", "example.com/app ")).encode())
    assert [(tag.kind, tag.prefix) for tag in found] == [
        ("ac-discovery-pubkeys", "example.com"),
        ("ac-discovery", "example.com"),
        ("ac-discovery", "example.com/app"),
    ]


def test_only_the_beginning_of_a_page_is_read() -> None:
    assert parse_tags(b" " * (READ_BYTES - len(TAG)) + TAG.encode()) == FOUND
    assert parse_tags(b" " * READ_BYTES + TAG.encode()) == []


HUGE = {
    "nested blocks": b"<div>" * 200_000,
    "open formatting before paragraphs": b"".join(b"<font a=%d>" % n for n in range(40_000)) + b"<p></p>" * 80_000,
    "one tag of many attributes": b"<meta " + b" ".join(b"a%d" % n for n in range(120_000)) + b">",
    "nested templates": b"<template>" * 100_000,
    "tags alone": TAG.encode() * 9_000,
}


@pytest.mark.parametrize("page", HUGE.values(), ids=HUGE)
def test_a_hostile_page_costs_little(page: bytes) -> None:
    # As it is, it would keep the parser busy for minutes.
    flat = flatten(page)
    assert set(re.findall(rb"</?([a-z]+)", flat)) <= {b"wbr", b"meta", b"template"}
    assert set(parse_tags(page)) <= set(FOUND)


PREFIXES = st.lists(st.text("ab0", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)
URLS = st.text("az09:/.{}%&;<>\"'=#é→", min_size=1, max_size=30)


@given(st.lists(st.tuples(PREFIXES, URLS), max_size=4))
def test_what_is_written_into_a_page_is_read_back(pairs: list[tuple[str, str]]) -> None:
    page = "".join(f'<meta name="ac-discovery" content="{prefix} {html.escape(url)}">' for prefix, url in pairs)
    assert parse_tags(page.encode()) == [Tag("ac-discovery", prefix, url) for prefix, url in pairs]


@given(
    st.lists(
        st.sampled_from([b"<", b"meta", b" name=", b"ac-discovery", b'"', b">", b"<!--", b"<title>", b"\xff"])
        | st.binary(max_size=9)
    )
)
def test_any_bytes_are_a_page(parts: list[bytes]) -> None:
    for tag in parse_tags(b"".join(parts)):
        assert tag.kind in ("ac-discovery", "ac-discovery-pubkeys")
        assert len(f"{tag.prefix} {tag.url}".split()) == 2
