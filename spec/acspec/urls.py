"""URLs with the scheme http or https, as annotations hold them: checked, never changed, never opened.

Source: aci.md, annotations: homepage, documentation; RFC 3986.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape

_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_NOWHERE = frozenset(' "<>\\^`{}|')  # no URL holds these but percent-encoded
_NOT_IN_HOST = frozenset("[]@")
MAX_PORT = 65535


def parse_http_url(text: str, place: str) -> str:
    """Return *text* when it is a URL with the scheme http or https and a host; letters beyond ASCII may stand as they are.

    Raises: FormatError.
    Source: aci.md, annotations: homepage, documentation; RFC 3986, section 3.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise FormatError(place, f'"{escape(text)}" is not a URL with the scheme http or https')
    if not text.isprintable() or not _NOWHERE.isdisjoint(text) or not _is_encoded(text) or not _is_authority(_authority(rest)):
        raise FormatError(place, f'"{escape(text)}" is not a URL')
    return text


def _authority(rest: str) -> str:
    end = next((index for index, character in enumerate(rest) if character in "/?#"), len(rest))
    return rest[:end]


def _is_encoded(text: str) -> bool:
    """Tell whether two hex digits follow each percent sign."""
    return all(len(part) >= 2 and _HEX.issuperset(part[:2]) for part in text.split("%")[1:])


def _is_authority(text: str) -> bool:
    host = text.rpartition("@")[2]
    if host.startswith("["):
        address, bracket, port = host[1:].partition("]")
        if not bracket or ":" not in address or not (_HEX | frozenset(":.")).issuperset(address) or port[:1] not in ("", ":"):
            return False
        return _is_port(port[1:])
    name, _, port = host.partition(":")
    return bool(name) and _NOT_IN_HOST.isdisjoint(name) and _is_port(port)


def _is_port(text: str) -> bool:
    return not text or (len(text) <= 5 and _DIGITS.issuperset(text) and int(text) <= MAX_PORT)
