"""Which proxy leads to a URL: what the environment says in HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

A decision only. httpx would make it itself, but knows no networks in NO_PROXY, and speaks to a proxy over TLS under authorities of
its own.

Source: spec/configuration.md, Proxies; curl(1), ENVIRONMENT.
"""

from __future__ import annotations

from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = {"https": 443, "http": 80}


def find_proxy(url: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the variable that names a proxy for *url*, and what it says, as a URL; None when nothing is between.

    Of two variables that differ in case only, the lower-case one counts; an empty one names no proxy.

    Source: spec/configuration.md, Proxies.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").removesuffix(".")
    for variable in (f"{scheme}_proxy", "all_proxy"):
        found = _find_variable(variable, environment)
        if found is None:
            continue
        name, proxy = found
        if not proxy or _is_excepted(host, parts.port or _PORTS.get(scheme, 0), environment):
            return None
        return name, proxy if "://" in proxy else f"http://{proxy}"
    return None


def _find_variable(name: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    if name in environment:
        return name, environment[name].strip()
    upper = name.upper()
    # Under CGI, HTTP_PROXY is the header "Proxy" of somebody's request.
    if upper not in environment or (upper == "HTTP_PROXY" and "REQUEST_METHOD" in environment):
        return None
    return upper, environment[upper].strip()


def _is_excepted(host: str, port: int, environment: Mapping[str, str]) -> bool:
    found = _find_variable("no_proxy", environment)
    entries = [] if found is None else found[1].lower().replace(",", " ").split()
    return any(_matches(entry, host, port) for entry in entries)


def _matches(entry: str, host: str, port: int) -> bool:
    """Tell whether an entry of NO_PROXY is *host*, a domain that it is in, or a network that it is in."""
    if entry == "*":
        return True
    name, colon, number = entry.rpartition(":")
    if colon and number.isascii() and number.isdigit() and (":" not in name or name.endswith("]")):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".").removesuffix(".")
    if ":" in host or host.rpartition(".")[2].isdigit():
        return _is_in_network(entry, host)
    return bool(entry) and (host == entry or host.endswith("." + entry))


def _is_in_network(entry: str, host: str) -> bool:
    """Tell whether *host*, an address, is *entry* or in it."""
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return host == entry
