"""What `acfetch discover` shows: where an image of a name may lie, where keys for it are, and every page that was asked.

Only discovery pages are asked, never for an image or a key.

Source: discovery.md, Discovery URL; spec/discovery.md, Looking without fetching.
"""

from __future__ import annotations

from acfetch.discovery import Page, ask_pages
from acfetch.errors import DiscoveryError
from acfetch.mirrors import mirrors_for
from acfetch.progress import tell_waiting
from acfetch.request import Place, parse_request
from acfetch.retrying import Retrier, RetryingGetter
from acfetch.sources import Candidate, render_templates
from acspec.errors import ProtocolError, TrustError, UnavailableError, UsageError
from acspec.escape import escape
from acspec.jsontext import dump_json
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.config import Config
    from acfetch.connection import Connection
    from acfetch.request import Request
    from acfetch.retrying import Getter
    from acspec.jsontext import JSONValue


class Found(Value):
    """What was found for a name: candidates in the order in which they are tried, key URLs, the pages that were asked.

    *only_in* is the operator's file that leaves no room for discovery.
    """

    name: str
    labels: dict[str, str]
    candidates: tuple[Candidate, ...]
    key_urls: tuple[str, ...]
    walk: tuple[Page, ...]
    only_in: str | None = None


def get_endpoints(text: str, config: Config, connection: Connection, *, plain_http: bool = False) -> Found:
    """Return what there is for the name and labels in *text*: the operator's sources, then what discovery pages say.

    The walk goes on until a page with templates and one with keys have been found, and ends where a page fails, as a fetch does.

    Raises: UsageError; DiscoveryError when there is no place and no key; TransportRefusedError for labels that hide something;
    ConfigError; OSError.
    Source: discovery.md; spec/configuration.md, Sources.
    """
    request = parse_request(text)
    if request.name is None:
        raise UsageError(text, "is the place of an image already", "a name such as example.com/hello is discovered")
    candidates: list[Candidate] = []
    for said in mirrors_for(request.name, config.mirrors):
        candidates += render_templates(request, said.value.templates, said.file, plain_http=plain_http)
        if said.value.only:
            return _checked(text, Found(request.name, request.labels, tuple(candidates), (), (), said.file))
    walk = _walk(RetryingGetter(connection, lambda: Retrier(config.settings.retries, tell_waiting)), request)
    templates = next((page.templates for page in walk if page.templates), ())
    key_urls = next((page.key_urls for page in walk if page.key_urls), ())
    candidates += render_templates(request, templates, plain_http=plain_http)
    return _checked(text, Found(request.name, request.labels, tuple(candidates), key_urls, tuple(walk)))


def _walk(connection: Getter, request: Request) -> list[Page]:
    """Return the pages that were asked, the last of them perhaps one that failed."""
    walk: list[Page] = []
    name = path = str(request.name)
    try:
        for page in ask_pages(connection, name):
            walk.append(page)
            path = path.rpartition("/")[0]
            if any(page.templates for page in walk) and any(page.key_urls for page in walk):
                break
    except (UnavailableError, ProtocolError, TrustError) as error:
        walk.append(Page(f"https://{path}?ac-discovery=1", f"failed: {error.why}", hint=error.hint))
    return walk


def _checked(text: str, found: Found) -> Found:
    """Return *found* when there is anything in it. Raises: DiscoveryError."""
    if found.key_urls or any(isinstance(candidate.leads_to, Place) for candidate in found.candidates):
        return found
    reasons = [f"template {candidate.template}: {candidate.leads_to}" for candidate in found.candidates]
    reasons += [str(page) for page in found.walk]
    reasons += [f"is looked for nowhere else, says {found.only_in}"] if found.only_in else []
    hint = next((page.hint for page in found.walk if page.hint), None)
    raise DiscoveryError(text, f"cannot be discovered: {'; '.join(reasons)}", hint)


def endpoint_lines(found: Found) -> str:
    """Return it for people: a line for each page, place and key, and two for an image with its signature."""
    lines = [f"page       {page.url}  {page.outcome}" for page in found.walk]
    lines += [f"only       {found.only_in}  leaves no room for discovery"] if found.only_in else []
    for candidate in found.candidates:
        source = f"  (source: {candidate.said_in})" if candidate.said_in else ""
        if isinstance(candidate.leads_to, Place):
            lines += [f"image      {candidate.leads_to.image}{source}", f"signature  {candidate.leads_to.signature}{source}"]
        else:
            lines.append(f"left out   {candidate.template}  {candidate.leads_to}{source}")
    lines += [f"keys       {url}" for url in found.key_urls]
    return "".join(f"{escape(line, len(line))}\n" for line in lines)


def endpoint_object(found: Found) -> bytes:
    """Return it as one JSON object. Source: spec/discovery.md, Looking without fetching."""
    return dump_json(
        {
            "name": found.name,
            "labels": [{"name": label, "value": value} for label, value in found.labels.items()],
            "pages": [{"url": page.url, "outcome": page.outcome} for page in found.walk],
            "only": _text(found.only_in),
            "endpoints": [_endpoint(candidate) for candidate in found.candidates],
            "keys": list(found.key_urls),
        }
    )


def _endpoint(candidate: Candidate) -> JSONValue:
    place = candidate.leads_to
    whole = isinstance(place, Place)
    return {
        "template": candidate.template,
        "source": _text(candidate.said_in),
        "image": _text(place.image) if isinstance(place, Place) else None,
        "signature": _text(place.signature) if isinstance(place, Place) else None,
        "leftOut": None if whole else str(place),
    }


def _text(path: str | None) -> str | None:
    """Return a path as JSON can hold it."""
    return None if path is None else path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
