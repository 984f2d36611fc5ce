"""The rest of a body whose start is here already: what is asked of the server, and whether its answer fits on (no input or output).

Only a strong validator tells whether two answers are parts of one thing: an ETag that is not weak, or a Last-Modified that the
server's own clock has left behind. Where there is none, what has come is of no use.

Source: RFC 9110, sections 8.8.1, 8.8.2.2, 13.1.5, 14.2 and 14.4.
"""

from __future__ import annotations

import re

from acfetch.errors import StartOverError
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,512}"')
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_LENGTH = re.compile(r"\d{1,30}", re.ASCII)
_DATE_LENGTH = 40


class Version(Value):
    """What one state of something on a server goes by: its validator, and its size in bytes when that is known."""

    validator: str
    size: int | None = None


class Rest(Value):
    """What is asked for of a version: all from the byte *start* on."""

    version: Version
    start: int

    def headers(self) -> dict[str, str]:
        """Return what asks for it, and for all when there is another version now. Source: RFC 9110, 13.1.5 and 14.2."""
        return {"Range": f"bytes={self.start}-", "If-Range": self.version.validator}

    def get_size(self, url: str, headers: Mapping[str, str]) -> int:
        """Return the size of the whole, from the head of an answer 206 that is just this rest.

        Raises: StartOverError when it is something else.
        Source: RFC 9110, section 14.4.
        """
        match = _RANGE.fullmatch(headers.get("content-range", ""))
        first, last, size = map(int, match.groups()) if match else (-1, -1, -1)
        if first != self.start or last != size - 1 or self.version.size not in (None, size):
            raise StartOverError(url, "the server sent another part than it was asked for")
        etag = headers.get("etag")
        if self.version.validator.startswith('"') and etag not in (None, self.version.validator):
            raise StartOverError(url, "it has changed on the server meanwhile")
        return size


def parse_size(headers: Mapping[str, str]) -> int | None:
    """Return the bytes of a body as its head says, or None when it does not say. Source: RFC 9110, section 8.6."""
    match = _LENGTH.fullmatch(headers.get("content-length", ""))
    return int(match[0]) if match else None


def find_version(headers: Mapping[str, str]) -> Version | None:
    """Return the version that an answer 200 is a copy of, or None when parts of it cannot be asked for. Source: RFC 9110, 8.8."""
    if headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    etag = headers.get("etag")
    if etag is not None:  # where there is one, the date is not to be used instead of it
        return Version(etag, parse_size(headers)) if _STRONG.fullmatch(etag) else None
    modified = headers.get("last-modified", "")
    return Version(modified, parse_size(headers)) if _is_past(modified, headers.get("date", "")) else None


def _is_past(modified: str, date: str) -> bool:
    """Tell whether nothing can have been modified twice in the second *modified*, as the server saw it at *date*."""
    then, now = parse_date(modified), parse_date(date)
    return then is not None and now is not None and then < now


def parse_date(text: str) -> float | None:
    """Return an HTTP date in seconds since 1970, or None when it is none. Source: RFC 9110, section 5.6.7."""
    from email.utils import parsedate_to_datetime

    if len(text) > _DATE_LENGTH:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
