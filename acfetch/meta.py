"""Meta tags of a discovery page, as a browser would see them: not in comments, scripts, titles, text areas or templates.

A page is hostile, too: nested blocks or a tag with very many attributes cost a parser that builds trees the square of their
number, minutes for a page within our limit. So elements that can hide no tag are read as empty ones, and only the beginning of
a page is read.

Source: discovery.md, Discovery URL; HTML Living Standard, Parsing HTML documents.
"""

from __future__ import annotations

import re

from acspec.values import Value

DISCOVERY = "ac-discovery"
PUBLIC_KEYS = "ac-discovery-pubkeys"

READ_BYTES = 256 * 1024

# What is inside of these is text to a browser, or no part of the document.
_HIDING = frozenset(
    {b"iframe", b"noembed", b"noframes", b"plaintext", b"script", b"style", b"template", b"textarea", b"title", b"xmp"}
)
_TAG_NAME = re.compile(rb"(</?)([A-Za-z][^\t\n\f\r />]*)")


class Tag(Value):
    """An ac-discovery or ac-discovery-pubkeys tag: its kind, its prefix-match, and its template or URL."""

    kind: str
    prefix: str
    url: str


def parse_tags(page: bytes) -> list[Tag]:
    """Return the discovery tags in the first 256 KiB of an HTML page, in order.

    A tag without both a prefix and a URL counts for nothing.

    Source: discovery.md, Discovery URL.
    """
    from selectolax.lexbor import LexborHTMLParser

    tags = []
    for node in LexborHTMLParser(flatten(page)).css("meta"):
        kind = (node.attributes.get("name") or "").lower()
        words = (node.attributes.get("content") or "").split()
        if kind in (DISCOVERY, PUBLIC_KEYS) and len(words) == 2:
            tags.append(Tag(kind, words[0], words[1]))
    return tags


def flatten(page: bytes) -> bytes:
    """Return the first 256 KiB of a page in which nothing nests: elements that are neither meta nor hide one are empty ones."""
    return _TAG_NAME.sub(_flatten, page[:READ_BYTES])


def _flatten(tag: re.Match[bytes]) -> bytes:
    name = tag[2].lower()
    return tag[0] if name == b"meta" or name in _HIDING else tag[1] + b"wbr"
