"""Where an image may come from: the places a name, a URL or a path leads to, each with its signature's.

An image and its signature always come from one place. Nothing is fetched here but discovery pages.

Source: discovery.md; spec/store.md, Image arguments; docs/decisions, templates.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from acfetch.discovery import discover
from acfetch.errors import DiscoveryError, TransportRefusedError
from acfetch.templates import IMAGE, SIGNATURE, check_url, render, why_unusable
from acspec.errors import UsageError
from acspec.labels import host_platform
from acspec.references import ImageIDArgument, ImageReference, PathArgument, URLArgument, parse_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.http import Client
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


def parse_request(text: str) -> Request:
    """Return what the word *text* asks for. Raises: UsageError; TransportRefusedError.

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
    labels = {str(label.name): label.value for label in dependency.labels}
    words = ",".join([str(dependency.image_name), *(f"{name}={value}" for name, value in labels.items())])
    return Request(words, str(dependency.image_name), labels, dependency.image_id, dependency.size)


def _local(path: str) -> Place:
    absolute = os.path.abspath(path)
    return Place(absolute, f"{absolute}.asc", is_local=True)


def _from_url(url: str) -> Place:
    if url.lower().startswith("file://"):
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise TransportRefusedError(url, "is not the URL of a file on this machine")
        return _local(unquote(parts.path))
    check_url(url)
    return Place(url, f"{url}.asc")


def find_places(request: Request, client: Client, *, plain_http: bool) -> list[Place]:
    """Return where the image may be, in the order in which the places are to be tried.

    Raises: DiscoveryError when there is none; what discovery raises.
    Source: discovery.md.
    """
    if request.place is not None:
        return [request.place]
    if request.name is None:
        raise AssertionError("a request has a place or a name")
    found = discover(client, request.name)
    values = {"version": "latest", **host_platform(), **request.labels, "name": request.name}
    places, skipped = [], []
    for template in found.templates:
        reason = why_unusable(template, values)
        scheme = template.partition("://")[0].lower()
        if reason is None and scheme not in (("https", "http") if plain_http else ("https",)):
            reason = f'its scheme is "{scheme}"'
        if reason is None:
            places.append(Place(render(template, values, IMAGE), render(template, values, SIGNATURE)))
        else:
            skipped.append(f"template {template}: {reason}")
    if not places:
        raise DiscoveryError(request.text, f"no template can be used: {'; '.join(skipped)}")
    return places
