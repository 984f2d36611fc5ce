"""What the head of an answer says of how long the answer is good, and how to ask whether it has changed (no input or output).

Source: RFC 9111, sections 4.2 and 5.2.2; RFC 9110, sections 13.1.2 and 13.1.3; spec/store.md, Freshness.
"""

from __future__ import annotations

import re
import time

from acfetch.ranges import parse_date
from acspec.freshness import Freshness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 7 * 24 * 3600  # seconds; whoever says more could keep a user from a repaired image by one careless header
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{1,512}"')
_SECONDS = re.compile(r"[0-9]{1,10}")


def read_freshness(asked: str, headers: Mapping[str, str], now: float) -> Freshness:
    """Return what the head of an answer says, which came at *now* (seconds since 1970)."""
    etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
    return Freshness(
        asked,
        _timestamp(now),
        _timestamp(now + min(max(_lifetime(headers), 0), LONGEST)),
        etag if _ETAG.fullmatch(etag) else None,
        modified if parse_date(modified) is not None else None,
    )


def renew(old: Freshness, headers: Mapping[str, str], now: float) -> Freshness:
    """Return what counts after the answer that nothing has changed. Source: RFC 9111, section 4.3.4."""
    new = read_freshness(old.asked, headers, now)
    return Freshness(old.asked, new.checked, new.until, new.etag or old.etag, new.last_modified or old.last_modified)


def condition(freshness: Freshness) -> dict[str, str]:
    """Return the headers that ask whether it has changed, and for one byte if it has; none when there is nothing to ask by."""
    if freshness.etag is not None:
        return {"If-None-Match": freshness.etag, "Range": "bytes=0-0"}
    if freshness.last_modified is not None:
        return {"If-Modified-Since": freshness.last_modified, "Range": "bytes=0-0"}
    return {}


def _lifetime(headers: Mapping[str, str]) -> float:
    """Return the seconds for which an answer is fresh from now on, less than nothing when it is not. Source: RFC 9111, 4.2."""
    directives = _directives(headers.get("cache-control", ""))
    if "no-cache" in directives or "no-store" in directives:
        return 0
    age = _seconds(headers.get("age", "")) or 0
    if "max-age" in directives:
        return (_seconds(directives["max-age"]) or 0) - age
    expires, date = parse_date(headers.get("expires", "")), parse_date(headers.get("date", ""))
    return 0 if expires is None or date is None else expires - date - age


def _directives(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _seconds(text: str) -> int | None:
    match = _SECONDS.fullmatch(text.strip())
    return int(match[0]) if match else None


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
