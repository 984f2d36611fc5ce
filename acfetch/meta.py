"""Meta tags of a discovery page, as a browser would see them: not in comments, scripts, titles or text areas.

Source: discovery.md, Discovery URL.
"""

from __future__ import annotations

from dataclasses import dataclass

DISCOVERY = "ac-discovery"
PUBLIC_KEYS = "ac-discovery-pubkeys"


@dataclass(frozen=True, slots=True)
class Tag:
    """An ac-discovery or ac-discovery-pubkeys tag: its kind, its prefix-match, and its template or URL."""

    kind: str
    prefix: str
    url: str


def parse_tags(page: bytes) -> list[Tag]:
    """Return the discovery tags of an HTML page, in order; tags without both a prefix and a URL count for nothing.

    Source: discovery.md, Discovery URL.
    """
    from selectolax.lexbor import LexborHTMLParser

    tags = []
    for node in LexborHTMLParser(page).css("meta"):
        kind = (node.attributes.get("name") or "").lower()
        words = (node.attributes.get("content") or "").split()
        if kind in (DISCOVERY, PUBLIC_KEYS) and len(words) == 2:
            tags.append(Tag(kind, words[0], words[1]))
    return tags
