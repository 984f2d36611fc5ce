"""What the operator allows: decisions only, from what `policy.json` says, each refusal with the file that says so.

1. The system's files are one: of each key what the later says counts.
2. A file of the user's, or of $APPC_CONFIG, stands beside it: only what both allow is allowed.
3. What no file mentions is allowed.

Hosts are compared by whole components, and as they are asked for: this is a rule for acfetch, and no firewall.

Source: spec/configuration.md, Policy.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from acfetch import insecure
from acfetch.errors import HostRefusedError, PolicyError
from acfetch.templates import is_host
from acfetch.trust import ROOT, is_prefix
from acspec import limits
from acspec.configuration import Said
from acspec.names import parse_ac_identifier
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from acspec.configuration import ConfigFile
    from acspec.fields import Fields
    from acspec.jsontext import JSONValue

    Layer = Mapping[str, Said["Rule"]]

FILE = "policy.json"
EVERYTHING = "*"


class Rule(Value):
    """What one key says: prefixes, hosts or words, or else a number of bytes."""

    entries: tuple[str, ...] = ()
    size: int | None = None

    def to_json(self) -> JSONValue:
        """Return it as the file has it. Source: spec/configuration.md, Policy."""
        return list(self.entries) if self.size is None else self.size


class Policy(Value):
    """What is allowed: of each key what each file says that counts."""

    signed: tuple[Said[Rule], ...] = ()
    allow_hosts: tuple[Said[Rule], ...] = ()
    deny_hosts: tuple[Said[Rule], ...] = ()
    insecure_options: tuple[Said[Rule], ...] = ()
    served_bytes: tuple[Said[Rule], ...] = ()
    unpacked_bytes: tuple[Said[Rule], ...] = ()

    def check_words(self, words: Collection[str]) -> None:
        """Check that what the user gives up may be given up. Raises: PolicyError."""
        for said in self.insecure_options:
            for word in sorted(set(words).difference(said.value.entries)):
                raise PolicyError(f"--insecure-options={word}", f"is not allowed, says insecureOptions in {said.file}")

    def why_signed(self, name: str) -> str | None:
        """Return why images of that name need a signature whatever the user gives up, or None."""
        for said in self.signed:
            if any(is_prefix(ROOT if prefix == EVERYTHING else prefix, name) for prefix in said.value.entries):
                return f"must be signed, says signed in {said.file}"
        return None

    def check_unsigned(self, what: str, name: str) -> None:
        """Check that an image of that name may go without a signature. Raises: PolicyError."""
        why = self.why_signed(name)
        if why is not None:
            raise PolicyError(what, why)

    def check_url(self, url: str) -> None:
        """Check that the host of *url* may be reached. Raises: HostRefusedError."""
        if not self.allow_hosts and not self.deny_hosts:
            return
        host = _canonical(urlsplit(url).hostname or "")
        if host is None:
            raise HostRefusedError(url, "names its host by an unusual form of an address, which the policy cannot be held against")
        for said in self.deny_hosts:
            if any(_covers(entry, host) for entry in said.value.entries):
                raise HostRefusedError(url, f"{host} may not be reached, says denyHosts in {said.file}")
        for said in self.allow_hosts:
            if not any(_covers(entry, host) for entry in said.value.entries):
                raise HostRefusedError(url, f"{host} is none of the hosts that may be reached, says allowHosts in {said.file}")

    def served_cap(self, what: str) -> Cap:
        """Return the cap on the size of *what* as served."""
        return Cap(what, "servedBytes", self.served_bytes)

    def unpacked_cap(self, what: str) -> Cap:
        """Return the cap on the size of *what* as the uncompressed tar."""
        return Cap(what, "unpackedBytes", self.unpacked_bytes)


class Cap:
    """How many bytes may come; the smallest number counts."""

    def __init__(self, what: str, key: str, said: Iterable[Said[Rule]] = ()) -> None:
        self._what = what
        self._key = key
        sizes = [(one.value.size, one.file) for one in said if one.value.size is not None]
        self._least = min(sizes, default=None)
        self._size = 0

    def check(self, size: int) -> None:
        """Check that *size* bytes in all may come. Raises: PolicyError."""
        if self._least is not None and size > self._least[0]:
            most, file = self._least
            raise PolicyError(self._what, f"is larger than the {most} bytes of {self._key} in {file}")

    def guard(self, write: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """Return *write* with the bytes that go through it counted. Raises: PolicyError, when called."""

        def counted(data: bytes) -> None:
            self._size += len(data)
            self.check(self._size)
            write(data)

        return write if self._least is None else counted


def _canonical(host: str) -> str | None:
    """Return the one form of a host: lower-case, without a final dot, addresses as they are usually written; None for odd ones.

    A resolver takes 127.1, 0x7f.1 and ::ffff:127.0.0.1 for 127.0.0.1.
    """
    host = host.lower().removesuffix(".")
    last = host.rpartition(".")[2]
    if ":" not in host and not last.isdigit() and not last.startswith("0x"):
        return host
    from ipaddress import ip_address

    try:
        address = ip_address(host)
    except ValueError:
        return None
    if "%" in host:  # a zone, which means one thing here and another there
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _covers(entry: str, host: str) -> bool:
    """Tell whether *entry* is *host*, or whole components at its end, which those of an address never are."""
    return entry in (EVERYTHING, host) or host.endswith("." + entry)


def parse_policy(file: ConfigFile) -> dict[str, Rule | None]:
    """Return what a file says, by key; None where it has a null. Raises: FormatError.

    Source: spec/configuration.md, Policy.
    """
    fields = file.fields
    found: dict[str, Rule | None] = {}
    for key, check in _LISTS.items():
        entries = tuple(check(text, fields, f"{key}[{number}]") for number, text in enumerate(fields.texts(key)))
        found[key] = Rule(entries) if fields.has(key) else None
    for key, most in _SIZES.items():
        size = fields.integer(key, 1, most)
        found[key] = None if size is None else Rule(size=size)
    fields.check_known()
    return {key: rule for key, rule in found.items() if fields.holds(key)}


def _check_prefix(text: str, fields: Fields, key: str) -> str:
    return text if text == EVERYTHING else parse_ac_identifier(text, fields.at(key))


def _check_host(text: str, fields: Fields, key: str) -> str:
    known = text == EVERYTHING or (is_host(text, bracketed=":" in text) and _canonical(text) == text)
    if not known:
        raise fields.fault(key, "is not the name of a host, an address or *", "a name stands for all below it; no scheme, no port")
    return text


def _check_word(text: str, fields: Fields, key: str) -> str:
    if text not in insecure.WORDS:
        raise fields.fault(key, f"is none of {', '.join(insecure.WORDS)}")
    return text


_LISTS = {"signed": _check_prefix, "allowHosts": _check_host, "denyHosts": _check_host, "insecureOptions": _check_word}
_SIZES = {"servedBytes": limits.IMAGE_SERVED_BYTES, "unpackedBytes": limits.IMAGE_UNPACKED_BYTES}


def make_policy(layers: Iterable[Layer]) -> Policy:
    """Return what *layers* allow together: that of the system's files, and those that can only tighten it.

    Source: spec/configuration.md, Policy.
    """
    all_layers = tuple(layers)

    def said(key: str) -> tuple[Said[Rule], ...]:
        return tuple(layer[key] for layer in all_layers if key in layer)

    return Policy(
        signed=said("signed"),
        allow_hosts=said("allowHosts"),
        deny_hosts=said("denyHosts"),
        insecure_options=said("insecureOptions"),
        served_bytes=said("servedBytes"),
        unpacked_bytes=said("unpackedBytes"),
    )
