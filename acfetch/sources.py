"""Where an image may come from: the places a name, a URL or a path leads to, each with its signature's.

A name leads to the operator's sources, in their order, and then to what discovery finds.

An image and its signature always come from one place. Nothing is fetched here but discovery pages.

Source: discovery.md; spec/store.md, Image arguments; docs/decisions, templates.
"""

from __future__ import annotations

from acfetch.discovery import Found, discover
from acfetch.errors import DiscoveryError, UnreachableError
from acfetch.request import Place
from acfetch.templates import IMAGE, SIGNATURE, render, render_path, why_no_path, why_unusable
from acfetch.transports import why_no_program
from acspec.escape import escape
from acspec.labels import host_platform
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from acfetch.mirrors import Mirror
    from acfetch.request import Request
    from acfetch.retrying import Getter
    from acspec.configuration import Said


class Candidate(Value):
    """A template, the operator's file that has it (None: a discovery page has), and where it leads to, or why nowhere."""

    template: str
    said_in: str | None
    leads_to: Place | str


def _discover(request: Request, connection: Getter) -> Found:
    name = request.get_name()
    try:
        return discover(connection, name)
    except UnreachableError:
        if not name.isalnum():  # without a dot or a slash, more likely a command than a host
            raise
        raise DiscoveryError(request.text, "neither a command nor a name such as example.com/hello", "acfetch --help") from None


def iterate_places(
    request: Request,
    connection: Getter,
    mirrors: Mapping[str, Said[Mirror]],
    *,
    plain_http: bool,
    tell: Callable[[str], object],
    found: Callable[[Sequence[Place]], object] = len,
) -> Iterator[Place]:
    """Yield where the image may be, in the order in which the places are to be tried: the operator's sources, then discovery's.

    Nothing is discovered before the sources have been tried, and nothing at all where one is to be the only one. *tell* hears of
    templates left out, *found* of what is discovered.

    Raises: DiscoveryError when there is no place left; TransportRefusedError for labels that hide something; what discovery raises.
    Source: spec/configuration.md, Sources; discovery.md.
    """
    if request.place is not None:
        yield request.place
        return
    from acfetch.mirrors import mirrors_for  # an image that is there needs none

    for said in mirrors_for(request.get_name(), mirrors):
        places, skipped = _sort(render_templates(request, said.value.templates, said.file, plain_http=plain_http))
        for line in skipped:
            tell(f"{request.text}: left out {line} ({said.file})")
        yield from places
        if said.value.only:
            raise DiscoveryError(request.text, f"is looked for nowhere else, says {said.file}")
    places = get_places(request, connection, plain_http=plain_http, tell=tell)
    found(places)
    yield from places


def get_places(request: Request, connection: Getter, *, plain_http: bool, tell: Callable[[str], object]) -> list[Place]:
    """Return where discovery leads to, in the order in which the places are to be tried; *tell* hears of templates left out.

    Raises: DiscoveryError when that is nowhere; TransportRefusedError for labels that hide something; what discovery raises.
    Source: discovery.md.
    """
    found = _discover(request, connection)
    places, skipped = _sort(render_templates(request, found.templates, plain_http=plain_http))
    if not places:
        raise DiscoveryError(request.text, f"no template can be used: {'; '.join(skipped)}")
    for line in skipped:
        tell(f"{request.text}: left out {line}")
    return places


def render_templates(
    request: Request, templates: Iterable[str], said_in: str | None = None, *, plain_http: bool
) -> list[Candidate]:
    """Return what each of *templates* leads to for a request by name; *said_in* is the operator's file that has them.

    Only such a file may lead to paths on this machine.

    Raises: TransportRefusedError for labels that hide something.
    Source: discovery.md, Discovery Templates; spec/configuration.md, Sources.
    """
    values = {"version": "latest", **host_platform(), **request.labels, "name": request.get_name()}
    found = []
    for template in templates:
        is_local = said_in is not None and template.startswith("/")
        leads_to = _make_local(template, values) if is_local else _make_remote(template, values, plain_http)
        found.append(Candidate(template, said_in, leads_to))
    return found


def _sort(candidates: Iterable[Candidate]) -> tuple[list[Place], list[str]]:
    """Return the places among *candidates*, and why there is none for each of the others, a line each."""
    places, skipped = [], []
    for candidate in candidates:
        if isinstance(candidate.leads_to, Place):
            places.append(candidate.leads_to)
        else:
            skipped.append(f"template {escape(candidate.template)}: {candidate.leads_to}")
    return places, skipped


def _make_local(template: str, values: Mapping[str, str]) -> Place | str:
    """Return the place of a template of paths, or why there is none."""
    reason = why_no_path(template, values)
    if reason is not None:
        return reason
    return Place(render_path(template, values, IMAGE), render_path(template, values, SIGNATURE), is_local=True)


def _make_remote(template: str, values: Mapping[str, str], plain_http: bool) -> Place | str:
    """Return the place of a template of URLs, or why there is none. Raises: TransportRefusedError."""
    reason = why_unusable(template, values) or _why_unreachable(template, plain_http)
    if reason is not None:
        return reason
    return Place(render(template, values, IMAGE), render(template, values, SIGNATURE))


def _why_unreachable(template: str, plain_http: bool) -> str | None:
    scheme, separator, _ = template.partition("://")
    if not separator:
        return "it is not a URL"
    schemes = ("https", "http") if plain_http else ("https",)
    return None if scheme.lower() in schemes else why_no_program(scheme)
