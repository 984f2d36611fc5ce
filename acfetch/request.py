"""What is asked for: an image by its name, by a URL or by a path, and what it must turn out to be.

Source: spec/store.md, Image arguments; aci.md, Dependency Matching.
"""

from __future__ import annotations

import os

from acspec.errors import UsageError
from acspec.labels import label_map
from acspec.references import ImageIDArgument, ImageReference, PathArgument, URLArgument, format_reference, parse_argument
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.image_manifest import Dependency
    from acspec.names import ImageID


class Place(Value):
    """Where an image and its signature lie: two URLs, or two paths on this machine."""

    image: str
    signature: str
    is_local: bool = False


class Request(Value):
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

    @property
    def asked(self) -> str:
        """The name and labels, in one form, or the URL."""
        return self.place.image if self.place is not None else format_reference(self.get_name(), dict(sorted(self.labels.items())))

    def get_name(self) -> str:
        """Return the name that is asked for, where no place is."""
        if self.name is None:
            raise AssertionError("a request has a place or a name")
        return self.name


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
    from acfetch.errors import TransportRefusedError
    from acfetch.templates import check_url
    from acfetch.transports import why_no_program

    scheme = url.partition("://")[0].lower()
    if scheme == "file":
        return _local(_path_of(url))
    why = None if scheme in ("https", "http") else why_no_program(url.partition("://")[0])
    if why is not None:
        raise UsageError(url, why, "https, http and file need no program")
    try:
        check_url(url)
    except TransportRefusedError as error:
        raise UsageError(error.what, error.why) from None
    if "#" in url:
        raise UsageError(url, "an image's URL has no #: that of its signature is the same with .asc at the end")
    return Place(url, f"{url}.asc")


def _path_of(url: str) -> str:
    """Return the path that a file: URL means. Raises: UsageError. Source: RFC 8089."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError(url, "is not a URL") from None
    path = unquote(parts.path, errors="surrogateescape")
    if parts.netloc not in ("", "localhost") or not path.startswith("/") or "\0" in path or parts.query or parts.fragment:
        raise UsageError(url, "is not the URL of a file on this machine")
    return path
