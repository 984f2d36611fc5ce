"""From a name to templates and keys: the discovery page of the name, then of each parent path, until one has what is looked for.

Only what says "not here" leads to the parent: a 4xx status, no tags, tags for other prefixes. A server that fails, or cannot
be reached, ends the search: what its page would have said, nobody else may say.

Source: discovery.md, Discovery URL; docs/decisions, discovery and parents.
"""

from __future__ import annotations

from acfetch.errors import DiscoveryError, HTTPStatusError
from acfetch.meta import DISCOVERY, PUBLIC_KEYS, parse_tags
from acfetch.trust import is_prefix
from acspec import limits
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acfetch.retrying import Getter


class Page(Value):
    """A discovery page that was asked: its URL, what came of it, and its image templates and key URLs for the name, in order.

    *hint* says what to do where the page was refused.
    """

    url: str
    outcome: str
    templates: tuple[str, ...] = ()
    key_urls: tuple[str, ...] = ()
    hint: str | None = None

    def __str__(self) -> str:
        """Return what came of it, as part of a sentence."""
        return f"{self.url.partition('://')[2].partition('?')[0]} {self.outcome}"


class Found(Value):
    """What discovery found: image templates and key URLs, in the order of the page, and the walk to it."""

    templates: tuple[str, ...]
    key_urls: tuple[str, ...]
    walk: tuple[Page, ...]


def ask_pages(connection: Getter, name: str) -> Iterator[Page]:
    """Yield the discovery page of *name*, and of each parent path, as far as anybody goes on to ask.

    Raises: HTTPStatusError for 5xx; UnreachableError; ProtocolError; HostRefusedError.
    Source: discovery.md, Discovery URL.
    """
    path = name
    while path:
        yield _ask(connection, f"https://{path}?ac-discovery=1", name)
        path = path.rpartition("/")[0]


def discover(connection: Getter, name: str) -> Found:
    """Return the templates and key URLs of the nearest page that has templates for *name*.

    Raises: DiscoveryError when no page has any; what `ask_pages` raises.
    Source: discovery.md, Discovery URL.
    """
    return _find_nearest(connection, name, "cannot be discovered", lambda page: bool(page.templates))


def discover_keys(connection: Getter, name: str) -> Found:
    """Return the key URLs, and templates, of the nearest page that has keys for *name*.

    Raises: DiscoveryError when no page has any; what `ask_pages` raises.
    Source: discovery.md, Discovery URL.
    """
    return _find_nearest(connection, name, "no keys can be discovered", lambda page: bool(page.key_urls))


def _find_nearest(connection: Getter, name: str, failure: str, has_it: Callable[[Page], bool]) -> Found:
    walk: list[Page] = []
    for page in ask_pages(connection, name):
        walk.append(page)
        if has_it(page):
            return Found(page.templates, page.key_urls, tuple(walk))
    hint = next((page.hint for page in walk if page.hint), None)
    raise DiscoveryError(name, f"{failure}: {'; '.join(map(str, walk))}", hint)


def _ask(connection: Getter, url: str, name: str) -> Page:
    try:
        body = connection.get(url, limits.DISCOVERY_PAGE_BYTES)
    except HTTPStatusError as error:
        if not 400 <= error.status < 500:
            raise
        return Page(url, f"answered {error.status}", hint=error.hint)
    tags = parse_tags(body)
    own = [tag for tag in tags if (prefix := tag.prefix.rstrip("/")) and is_prefix(prefix, name)]
    templates = tuple(tag.url for tag in own if tag.kind == DISCOVERY)
    key_urls = tuple(tag.url for tag in own if tag.kind == PUBLIC_KEYS)
    if own:
        return Page(url, f"has {_count(templates, 'template')} and {_count(key_urls, 'key')}", templates, key_urls)
    return Page(url, "has tags for other names only" if tags else "has no ac-discovery tags")


def _count(found: tuple[str, ...], noun: str) -> str:
    return f"no {noun}" if not found else f"{len(found)} {noun}{'s' * (len(found) > 1)}"
