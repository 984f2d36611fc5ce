"""Names of the specification as types of their own: AC Identifier, AC Name, image ID, AC Kind, AC Version.

Each `parse_` function checks the whole text against the grammar and returns it under its type; nothing is ever repaired but by
`sanitise_ac_name`, which makes an app name out of an image name. No regular expression is imported for this.

Source: types.md.
"""

from __future__ import annotations

from acspec import SPEC_VERSION
from acspec.errors import FormatError
from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NewType

    ACIdentifier = NewType("ACIdentifier", str)
    ACName = NewType("ACName", str)
    ACKind = NewType("ACKind", str)
    ACVersion = NewType("ACVersion", str)
    ImageID = NewType("ImageID", str)
else:
    ACIdentifier = ACName = ACKind = ACVersion = ImageID = str

_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
_VERSION_TEXT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_IDENTIFIER_SEPARATORS = "-._~/"
_HASH_PREFIX = "sha512-"
_HASH_DIGITS = 128

IMAGE_KIND = ACKind("ImageManifest")
POD_KIND = ACKind("PodManifest")

# Kinds of drafts before 0.5, named so that a person with an old image learns what it is.
_OLD_KINDS = {
    "AppManifest": "an app manifest of a draft before 0.1.1",
    "FilesetManifest": "a fileset manifest of a draft before 0.1.1",
    "ContainerRuntimeManifest": "a container runtime manifest of a specification before 0.5, which pods have replaced",
}

# The tagged versions of the specification.
RELEASED_VERSIONS = frozenset(
    {
        "0.1.1", "0.2.0", "0.3.0", "0.4.0", "0.4.1", "0.5.0", "0.5.1", "0.5.2", "0.6.0", "0.6.1",
        "0.7.0", "0.7.1", "0.7.2", "0.7.3", "0.7.4",
        "0.8.0", "0.8.1", "0.8.2", "0.8.3", "0.8.4", "0.8.5", "0.8.6", "0.8.7", "0.8.8", "0.8.9", "0.8.10", "0.8.11",
    }
)  # fmt: skip


def parse_ac_identifier(text: str, place: str) -> ACIdentifier:
    """Return *text* as an AC Identifier: lower-case letters and digits, single `-._~/` between them.

    Raises: FormatError.
    Source: types.md, AC Identifier Type.
    """
    if not _is_separated(text, _IDENTIFIER_SEPARATORS):
        hint = "lower-case letters and digits, single - . _ ~ / between them"
        if "/~" in text:
            hint = "its grammar allows one separator at a time, so /~ is not allowed"
        raise FormatError(place, f'"{escape(text)}" is not an AC Identifier', hint)
    return ACIdentifier(text)


def parse_ac_name(text: str, place: str) -> ACName:
    """Return *text* as an AC Name: lower-case letters and digits, single `-` between them.

    Raises: FormatError.
    Source: types.md, AC Name Type.
    """
    if not _is_separated(text, "-"):
        raise FormatError(place, f'"{escape(text)}" is not an AC Name', "lower-case letters, digits and single - between them")
    return ACName(text)


def _is_separated(text: str, separators: str) -> bool:
    """Tell whether *text* is runs of lower-case letters and digits with exactly one separator between two runs."""
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    return all(run and _ALPHANUMERIC.issuperset(run) for run in text.split(separators[0]))


def sanitise_ac_name(text: str) -> ACName:
    """Return an AC Name made from the last path component of *text*; "app" when nothing of it can be kept.

    Source: pods.md, apps: name; what rkt does with image names.
    """
    last = text.rstrip("/").rpartition("/")[2].lower()
    runs = "".join(character if character in _ALPHANUMERIC else " " for character in last).split()
    return ACName("-".join(runs) or "app")


def parse_image_id(text: str, place: str) -> ImageID:
    """Return *text* as an image ID: `sha512-` and 128 lower-case hex digits.

    Raises: FormatError.
    Source: types.md, Image ID Type; docs/decisions, image IDs are whole.
    """
    prefix, digits = text[: len(_HASH_PREFIX)], text[len(_HASH_PREFIX) :]
    if prefix != _HASH_PREFIX or not _HEX.issuperset(digits):
        raise FormatError(place, f'"{escape(text, 80)}" is not an image ID', "sha512- and 128 lower-case hex digits")
    if len(digits) != _HASH_DIGITS:
        raise FormatError(place, f"an image ID has 128 hex digits, this one {len(digits)}")
    return ImageID(text)


def parse_ac_kind(text: str, place: str) -> ACKind:
    """Return *text* as an AC Kind of this specification.

    Raises: FormatError, which names what a manifest of an older kind is.
    Source: types.md, AC Kind Type.
    """
    if text in (IMAGE_KIND, POD_KIND):
        return ACKind(text)
    old = _OLD_KINDS.get(text)
    raise FormatError(place, f"this is {old}" if old else f'"{escape(text)}" is neither {IMAGE_KIND} nor {POD_KIND}')


def parse_ac_version(text: str, place: str) -> ACVersion:
    """Return *text* as an AC Version: SemVer 2.0.0, the major version of this specification, and not newer than it.

    Within the major version every older one is compatible, also one that was never released, such as a build from between two.

    Raises: FormatError.
    Source: types.md, AC Version Type.
    """
    numbers = version_numbers(text)
    if numbers is None:
        raise FormatError(place, f'"{escape(text)}" is not a SemVer 2.0.0 version', f'such as "{SPEC_VERSION}"')
    known = tuple(int(number) for number in SPEC_VERSION.split("."))
    if numbers[0] != known[0]:
        raise FormatError(place, f"version {escape(text)} of the specification is not compatible with {SPEC_VERSION}")
    if numbers > known:
        raise FormatError(
            place, f"version {escape(text)} of the specification is newer than {SPEC_VERSION}, which this program knows"
        )
    if not any(numbers):
        raise FormatError(place, f"the specification has no version {escape(text)}")
    return ACVersion(text)


def version_numbers(text: str) -> tuple[int, int, int] | None:
    """Return major, minor and patch version of a SemVer 2.0.0 version, None when it is none.

    Source: types.md, AC Version Type; SemVer 2.0.0, 2, 9 and 10.
    """
    rest, plus, build = text.partition("+")
    core, dash, pre = rest.partition("-")
    numbers = core.split(".")
    if len(numbers) != 3 or not all(_is_number(number) for number in numbers):
        return None
    if plus and not all(part and _VERSION_TEXT.issuperset(part) for part in build.split(".")):
        return None
    if dash and not all(_is_prerelease(part) for part in pre.split(".")):
        return None
    return int(numbers[0]), int(numbers[1]), int(numbers[2])


def _is_number(text: str) -> bool:
    return bool(text) and len(text) < 10 and _DIGITS.issuperset(text) and (text == "0" or text[0] != "0")


def _is_prerelease(text: str) -> bool:
    return bool(text) and _VERSION_TEXT.issuperset(text) and (not _DIGITS.issuperset(text) or text == "0" or text[0] != "0")
