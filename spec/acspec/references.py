"""How people name images on a command line: a path, a URL, an image ID or its beginning, a name with labels.

What a word is follows from its form alone, never from what lies in the working directory, so that a file cannot shadow a name.

Source: discovery.md; spec/store.md, Image arguments.
"""

from __future__ import annotations

from acspec.errors import FormatError, UsageError
from acspec.escape import escape
from acspec.names import ACIdentifier, ImageID, parse_ac_identifier, parse_image_id
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_HASH_PREFIX = "sha512-"
_SHORTEST_PREFIX = 12
_HEX = frozenset("0123456789abcdef")
_MARKS = frozenset(":,@")


class PathArgument(Value):
    """A file on this machine."""

    path: str


class URLArgument(Value):
    """A URL, whatever its scheme."""

    url: str


class ImageIDArgument(Value):
    """An image ID, or a beginning of one with at least 12 hex digits."""

    prefix: str


class ImageReference(Value):
    """A name with the labels asked for, and the image ID that it must turn out to have."""

    name: ACIdentifier
    labels: dict[str, str] = field(default_factory=dict)
    image_id: ImageID | None = None


Argument = PathArgument | URLArgument | ImageIDArgument | ImageReference


def parse_argument(text: str) -> Argument:
    """Return what the word *text* means.

    A path is absolute, begins with `./` or `../`, or ends in `.aci`; a URL has `://`; an ID begins with `sha512-`; all else is
    `NAME[:VERSION][,LABEL=VALUE…][@IMAGE-ID]`.

    Raises: UsageError when it is none of them.
    Source: discovery.md; spec/store.md, Image arguments.
    """
    if not text or "\0" in text:
        raise UsageError(f'"{escape(text)}"', "names no image")
    if "://" in text:
        return URLArgument(text)
    if text.startswith(("/", "./", "../")) or text in (".", ".."):
        return PathArgument(text)
    if text.startswith(_HASH_PREFIX):
        return _image_id(text)
    if text.endswith(".aci") and not _MARKS.intersection(text):
        return PathArgument(text)
    try:
        return parse_reference(text)
    except FormatError as error:
        raise UsageError(text, error.why, error.hint) from None


def _image_id(text: str) -> ImageIDArgument:
    digits = text[len(_HASH_PREFIX) :]
    if not _HEX.issuperset(digits) or not _SHORTEST_PREFIX <= len(digits) <= 128:
        raise UsageError(text, f"not an image ID or the beginning of one ({_SHORTEST_PREFIX} to 128 lower-case hex digits)")
    return ImageIDArgument(text)


def parse_reference(text: str) -> ImageReference:
    """Return the name, labels and image ID in `NAME[:VERSION][,LABEL=VALUE…][@IMAGE-ID]`.

    A value may hold any character but `,` and `@`.

    Raises: FormatError.
    Source: discovery.md; aci.md, labels.
    """
    rest, at, image_id = text.partition("@")
    first, *words = rest.split(",")
    name, colon, version = first.partition(":")
    labels: dict[str, str] = {}
    if colon:
        words.insert(0, f"version={version}")
    for word in words:
        label, equals, value = word.partition("=")
        if not equals or not value:
            raise FormatError(text, f'"{escape(word)}" is not a label of the form NAME=VALUE')
        parse_ac_identifier(label, text)
        if label == "name" or label in labels:
            raise FormatError(text, f'label "{label}" is given twice' if label in labels else 'a label cannot be called "name"')
        labels[label] = value
    identifier = parse_ac_identifier(name, text)
    return ImageReference(identifier, labels, parse_image_id(image_id, text) if at else None)


def format_reference(name: str, labels: Mapping[str, str]) -> str:
    """Return how an image of that name with these labels is asked for: `NAME[:VERSION][,LABEL=VALUE…]`.

    Source: spec/store.md, Image arguments.
    """
    version = f":{labels['version']}" if labels.get("version") else ""
    rest = (f",{label}={value}" for label, value in labels.items() if label != "version" or not version)
    return "".join((name, version, *rest))
