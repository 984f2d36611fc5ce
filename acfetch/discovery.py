"""From a name to templates: the discovery page of the name, then of each parent path, until one has tags for it.

Only what says "not here" leads to the parent: a 4xx status, no tags, tags for other prefixes. A server that fails, or cannot
be reached, ends the search: what its page would have said, nobody else may say.

Source: discovery.md, Discovery URL; docs/decisions, discovery and parents.
"""

from __future__ import annotations

from dataclasses import dataclass

from acfetch.errors import DiscoveryError, HTTPStatusError
from acfetch.meta import DISCOVERY, PUBLIC_KEYS, parse_tags
from acfetch.trust import is_prefix
from acspec import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.connection import Connection


@dataclass(frozen=True, slots=True)
class Discovered:
    """What discovery found: image templates and key URLs, in the order of the page, and the walk to it, a line each."""

    templates: tuple[str, ...]
    key_urls: tuple[str, ...]
    walk: tuple[str, ...]


def discover(connection: Connection, name: str) -> Discovered:
    """Return the templates and key URLs that count for *name*.

    Raises: DiscoveryError when no page has any; HTTPStatusError for 5xx; UnreachableError; ProtocolError.
    Source: discovery.md, Discovery URL.
    """
    walk: list[str] = []
    hints: list[str] = []
    path = name
    while path:
        found = _ask(connection, f"https://{path}?ac-discovery=1", name, walk, hints)
        if found is not None:
            return found
        path = path.rpartition("/")[0]
    raise DiscoveryError(name, f"cannot be discovered: {'; '.join(walk)}", hints[0] if hints else None)


def _ask(connection: Connection, url: str, name: str, walk: list[str], hints: list[str]) -> Discovered | None:
    place = url.partition("://")[2].partition("?")[0]
    try:
        page = connection.get(url, limits.DISCOVERY_PAGE_BYTES)
    except HTTPStatusError as error:
        if not 400 <= error.status < 500:
            raise
        walk.append(f"{place} answered {error.status}")
        if error.hint:
            hints.append(error.hint)
        return None
    tags = parse_tags(page)
    own = [tag for tag in tags if (prefix := tag.prefix.rstrip("/")) and is_prefix(prefix, name)]
    templates = tuple(tag.url for tag in own if tag.kind == DISCOVERY)
    if not templates:
        walk.append(f"{place} has tags for other names only" if tags else f"{place} has no ac-discovery tags")
        return None
    walk.append(f"{place} has them")
    return Discovered(templates, tuple(tag.url for tag in own if tag.kind == PUBLIC_KEYS), tuple(walk))
