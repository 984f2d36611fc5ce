"""Where an image may come from: the places a name, a URL or a path leads to, each with its signature's.

An image and its signature always come from one place. Nothing is fetched here but discovery pages.

Source: discovery.md; spec/store.md, Image arguments; docs/decisions, templates.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from acfetch.discovery import Discovered, discover
from acfetch.errors import DiscoveryError, TransportRefusedError, UnreachableError
from acfetch.templates import IMAGE, SIGNATURE, check_url, render, why_unusable
from acspec.errors import UsageError
from acspec.labels import host_platform, label_map
from acspec.references import ImageIDArgument, ImageReference, PathArgument, URLArgument, format_reference, parse_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from acfetch.connection import Connection
    from acspec.image_manifest import Dependency
    from acspec.names import ImageID


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image and its signature lie: two URLs, or two paths on this machine."""

    image: str
    signature: str
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What an image must turn out to be: as it was asked for, its name (None: any), labels, ID and size as served."""

    text: str
    name: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    image_id: ImageID | None = None
    size: int | None = None
    place: Place | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two requests one: all but how they were typed."""
        return self.name, tuple(sorted(self.labels.items())), self.image_id, self.size, self.place


def parse_request(text: str) -> Request:
    """Return what the word *text* asks for. Raises: UsageError.

    Source: spec/store.md, Image arguments.
    """
    argument = parse_argument(text)
    match argument:
        case PathArgument(path):
            return Request(text, place=_local(path))
        case URLArgument(url):
            return Request(text, place=_from_url(url))
        case ImageReference(name, labels, image_id):
            return Request(text, str(name), dict(labels), image_id)
        case ImageIDArgument():
            raise UsageError(text, "an image cannot be found by its ID alone", "acfetch NAME@IMAGE-ID")


def request_for(dependency: Dependency) -> Request:
    """Return what a dependency asks for. Source: aci.md, Dependency Matching."""
    labels = label_map(dependency.labels)
    text = format_reference(dependency.image_name, labels)
    return Request(text, str(dependency.image_name), labels, dependency.image_id, dependency.size)


def _local(path: str) -> Place:
    absolute = os.path.abspath(path)
    return Place(absolute, f"{absolute}.asc", is_local=True)


def _from_url(url: str) -> Place:
    scheme = url.partition("://")[0].lower()
    if scheme == "file":
        return _local(_path_of(url))
    if scheme not in ("https", "http"):
        raise UsageError(url, f'the scheme "{scheme}" is none of https, http and file')
    try:
        check_url(url)
    except TransportRefusedError as error:
        raise UsageError(url, error.why) from None
    if "#" in url:
        raise UsageError(url, "an image's URL has no #: that of its signature is the same with .asc at the end")
    return Place(url, f"{url}.asc")


def _path_of(url: str) -> str:
    """Return the path that a file: URL means. Raises: UsageError. Source: RFC 8089."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError(url, "is not a URL") from None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path or parts.query or parts.fragment:
        raise UsageError(url, "is not the URL of a file on this machine")
    return path


def _discover(request: Request, connection: Connection) -> Discovered:
    name = request.name or ""
    try:
        return discover(connection, name)
    except UnreachableError:
        if not name.isalnum():  # without a dot or a slash, more likely a command than a host
            raise
        raise DiscoveryError(request.text, "neither a command nor a name such as example.com/hello", "acfetch --help") from None


def get_places(request: Request, connection: Connection, *, plain_http: bool, tell: Callable[[str], object]) -> list[Place]:
    """Return where the image may be, in the order in which the places are to be tried; *tell* hears of templates left out.

    Raises: DiscoveryError when there is none; TransportRefusedError for labels that hide something; what discovery raises.
    Source: discovery.md.
    """
    if request.place is not None:
        return [request.place]
    if request.name is None:
        raise AssertionError("a request has a place or a name")
    values = {"version": "latest", **host_platform(), **request.labels, "name": request.name}
    places, skipped = [], []
    for template in _discover(request, connection).templates:
        reason = why_unusable(template, values) or _why_unreachable(template, plain_http)
        if reason is None:
            places.append(_render(template, values))
        else:
            skipped.append(f"template {template}: {reason}")
    if not places:
        raise DiscoveryError(request.text, f"no template can be used: {'; '.join(skipped)}")
    for line in skipped:
        tell(f"{request.text}: left out {line}")
    return places


def _why_unreachable(template: str, plain_http: bool) -> str | None:
    scheme, separator, _ = template.partition("://")
    if not separator:
        return "it is not a URL"
    schemes = ("https", "http") if plain_http else ("https",)
    return None if scheme.lower() in schemes else f'its scheme is "{scheme}"'


def _render(template: str, values: Mapping[str, str]) -> Place:
    return Place(render(template, values, IMAGE), render(template, values, SIGNATURE))
