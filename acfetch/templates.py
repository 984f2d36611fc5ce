"""Discovery templates into URLs: plain substitution in one pass, values that cannot leave their place.

Source: discovery.md, Discovery Templates; docs/decisions, templates.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from acfetch.errors import TransportRefusedError
from acspec import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = "aci"
SIGNATURE = "aci.asc"

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_ADDRESS = frozenset("0123456789abcdef:.")
_LABEL_LENGTH = 63
_HOST_LENGTH = 253
_SHOWN = 200  # of a URL that is too long, in characters


def variables_in(template: str) -> list[str]:
    """Return the names between braces in *template*, in order. Source: discovery.md, Discovery Templates."""
    names = []
    for part in template.split("{")[1:]:
        name, closed, _ = part.partition("}")
        names.append(name if closed else "{" + name)
    return names


def why_unusable(template: str, values: Mapping[str, str]) -> str | None:
    """Return why *template* cannot be rendered with *values* (which lack ext), or None.

    Source: discovery.md, Discovery Templates ("the templates must contain {ext}").
    """
    names = variables_in(template)
    if "ext" not in names:
        return "it has no {ext}"
    unknown = next((name for name in names if name != "ext" and name not in values), None)
    return None if unknown is None else f"it has the unknown variable {{{unknown}}}"


def render(template: str, values: Mapping[str, str], ext: str) -> str:
    """Return the URL that *template* means: {name} as it is, label values percent-encoded; nothing substituted twice.

    Raises: TransportRefusedError for a URL with `.` or `..` segments, user information or odd characters.
    Source: discovery.md, "simple template substitution".
    """
    known = {key: value if key == "name" else quote(value, safe="") for key, value in values.items()}
    url = _substitute(template, {**known, "ext": ext})
    check_url(url)
    return url


def _substitute(template: str, values: Mapping[str, str]) -> str:
    head, *parts = template.split("{")
    pieces = [head]
    for part in parts:
        name, _, rest = part.partition("}")
        pieces += [values[name], rest]
    return "".join(pieces)


def why_no_path(template: str, values: Mapping[str, str]) -> str | None:
    """Return why *template*, of a path, cannot be rendered with *values* (which lack ext), or None.

    Source: spec/configuration.md, Sources.
    """
    reason = why_unusable(template, values)
    if reason is not None:
        return reason
    if any({"/", "\0"} & set(values[name]) for name in variables_in(template) if name not in ("name", "ext")):
        return "a label has a / in it"
    return "its path has . or .. in it" if {".", ".."} & set(render_path(template, values, IMAGE).split("/")) else None


def render_path(template: str, values: Mapping[str, str], ext: str) -> str:
    """Return the path that *template* means, every value as it is. Source: spec/configuration.md, Sources."""
    return _substitute(template, {**values, "ext": ext})


def check_url(url: str) -> None:
    """Check that nothing is hidden in *url*. Raises: TransportRefusedError, which does not show what is before an @."""
    shown = _without_user(url)
    if len(url) > limits.URL_BYTES:
        raise TransportRefusedError(f"{shown[:_SHOWN]}…", f"longer than the limit of {limits.URL_BYTES} bytes for a URL")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise TransportRefusedError(shown, "holds characters that no URL has")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise TransportRefusedError(shown, "is not a URL") from None
    if "@" in parts.netloc:
        raise TransportRefusedError(shown, "holds user information")
    if port == 0 or not is_host(host, bracketed=parts.netloc.startswith("[")):
        raise TransportRefusedError(shown, "names no host that can be asked")
    if any(segment in (".", "..") for segment in parts.path.replace("%2e", ".").replace("%2E", ".").split("/")):
        raise TransportRefusedError(shown, "its path has . or .. in it")


def _without_user(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}…@{authority.rpartition('@')[2]}{slash}{path}" if "@" in authority else url


def is_host(host: str, *, bracketed: bool) -> bool:
    """Tell whether *host* is a name that a resolver takes (RFC 1123, and the underscores of practice) or an address."""
    if bracketed:
        return _ADDRESS.issuperset(host)
    labels = host.removesuffix(".").split(".")
    return len(host) <= _HOST_LENGTH and all(0 < len(label) <= _LABEL_LENGTH and _LABEL.issuperset(label) for label in labels)
