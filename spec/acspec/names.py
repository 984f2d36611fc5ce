"""Names of the specification as types of their own: AC Identifier, AC Name, image ID, AC Version.

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
    ACVersion = NewType("ACVersion", str)
    ImageID = NewType("ImageID", str)
else:
    ACIdentifier = ACName = ACVersion = ImageID = str

_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
_VERSION_TEXT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_IDENTIFIER_SEPARATORS = "-._~/"
_HASH_PREFIX = "sha512-"
_HASH_DIGITS = 128


def parse_ac_identifier(text: str, place: str) -> ACIdentifier:
    """Return *text* as an AC Identifier: lower-case letters and digits, single `-._~/` between them.

    Raises: FormatError.
    Source: types.md, AC Identifier Type.
    """
    if not _is_separated(text, _IDENTIFIER_SEPARATORS):
        hint = "its grammar allows one separator at a time, so /~ is not allowed" if "/~" in text else None
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


def parse_ac_version(text: str, place: str) -> ACVersion:
    """Return *text* as an AC Version: SemVer 2.0.0, the major version of this specification, and not newer than it.

    Raises: FormatError.
    Source: types.md, AC Version Type.
    """
    numbers = _semver(text)
    if numbers is None:
        raise FormatError(place, f'"{escape(text)}" is not a SemVer 2.0.0 version', f'such as "{SPEC_VERSION}"')
    known = tuple(int(number) for number in SPEC_VERSION.split("."))
    if numbers[0] != known[0]:
        raise FormatError(place, f"version {text} of the specification is not compatible with {SPEC_VERSION}")
    if numbers > known:
        raise FormatError(place, f"version {text} of the specification is newer than {SPEC_VERSION}, which this program knows")
    return ACVersion(text)


def _semver(text: str) -> tuple[int, int, int] | None:
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
