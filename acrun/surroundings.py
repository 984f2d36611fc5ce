"""What manifests have no keys for: the files by which a pod resolves names, and the sizes of its empty volumes.

Source: spec/stage1.md, stage1.json; hosts(5), resolv.conf(5).
"""

from __future__ import annotations

import os

from acspec.errors import UsageError
from acspec.execution import make_hosts
from acspec.jsontext import read_limited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acspec.jsontext import JSONValue

HOST, NONE = "host", "none"
# More than any resolver or list of hosts has any use for.
_FILE_BYTES = 64 * 1024
_RESOLV_CONF, _HOSTS = "/etc/resolv.conf", "/etc/hosts"


class Surroundings:
    """What the command line says of names and sizes. *dns* and *hosts* are words as `parse_surroundings` has checked them."""

    __slots__ = ("_dns", "_hosts", "_sizes")

    def __init__(self, dns: Sequence[str], hosts: Sequence[str], sizes: Mapping[str, int]) -> None:
        self._dns = tuple(dns)
        self._hosts = tuple(hosts)
        self._sizes = dict(sizes)

    def to_note(self) -> JSONValue:
        """Return what makes them again."""
        return [list(self._dns), list(self._hosts), {**self._sizes}]

    def switches(self, hostname: str) -> dict[str, JSONValue]:
        """Return the keys of stage1.json for a pod with that host name. Raises: OSError when a file of the host cannot be read."""
        files: dict[str, JSONValue] = {}
        if self._dns and self._dns != (NONE,):
            lines = "".join(f"nameserver {address}\n" for address in self._dns)
            files[_RESOLV_CONF] = _read(_RESOLV_CONF) if self._dns == (HOST,) else lines
        if self._hosts:
            parts = (_read(_HOSTS) if entry == HOST else _host_line(entry) for entry in self._hosts)
            files[_HOSTS] = make_hosts(hostname) + "".join(parts)
        volumes: dict[str, JSONValue] = {name: {"size": size} for name, size in self._sizes.items()}
        return {name: value for name, value in (("files", files), ("volumes", volumes)) if value}


def parse_surroundings(dns: Sequence[str], hosts: Sequence[str], sizes: Iterable[tuple[str, int]]) -> Surroundings | None:
    """Return what the words behind --dns and --hosts-entry mean, with the sizes of volumes; None when nothing is said.

    Several addresses may stand behind one --dns, with commas between them. Raises: UsageError.
    """
    dns = [part for word in dns for part in word.split(",")]
    for word in dns:
        if word in (HOST, NONE) and len(dns) > 1:
            raise UsageError(f"--dns {word}", "stands alone")
        if word not in (HOST, NONE):
            _check_address(f"--dns {word}", word)
    for entry in hosts:
        if entry != HOST:
            _check_entry(entry)
    found = dict(sizes)
    return Surroundings(dns, hosts, found) if dns or hosts or found else None


def _check_entry(entry: str) -> None:
    option = f"--hosts-entry {entry}"
    address, _, names = entry.partition("=")
    for name in names.split(","):
        # Whatever a resolver makes of it: no white space, no comment, no second line.
        if not name or not name.isascii() or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
            raise UsageError(option, "not of the form ADDRESS=NAME[,NAME…]")
    _check_address(option, address)


def _check_address(option: str, text: str) -> None:
    from ipaddress import ip_address

    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        raise UsageError(option, f"{text or 'nothing'} is not an IP address") from None
    if not text.replace("%", "").replace("-", "").replace(":", "").replace(".", "").isalnum():
        raise UsageError(option, f"{text} is not an IP address")


def _host_line(entry: str) -> str:
    address, _, names = entry.partition("=")
    return f"{address}\t{names.replace(',', ' ')}\n"


def _read(path: str) -> str:
    """Return a file of the host, empty when there is none. Raises: UsageError when it is too long; OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        data = read_limited(descriptor, _FILE_BYTES)
    finally:
        os.close(descriptor)
    if len(data) > _FILE_BYTES:
        raise UsageError(path, f"longer than the limit of {_FILE_BYTES} bytes, so no pod gets it")
    text = data.decode("utf-8", "replace").replace("\0", "")
    return text if text.endswith("\n") or not text else text + "\n"
