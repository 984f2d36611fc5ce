"""Keys that somebody wants to trust: read from a file, a URL or where discovery leads, shown, agreed to, added.

Nothing is trusted that nobody agreed to: a person at a terminal, a fingerprint, or --yes, which is for files, and for the network
only where TLS says who answers.

Source: discovery.md, ac-discovery-pubkeys; spec/store.md, Trust.
"""

from __future__ import annotations

import sys

from acfetch import insecure
from acfetch.errors import TransportRefusedError
from acfetch.keystore import add_key
from acfetch.transports import is_foreign
from acfetch.trust import ROOT
from acspec import limits
from acspec.errors import FormatError, MissingInputError, TrustError, UsageError
from acspec.escape import escape
from acspec.openpgp.keys import read_keys
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from acfetch.config import Config
    from acfetch.connection import Connection
    from acspec.openpgp.keys import Key


class AddOptions(Value):
    """What the command line says: for which prefixes, which keys (a file or a URL; None: discover them), and how to agree."""

    prefixes: tuple[str, ...]
    place: str | None
    fingerprints: frozenset[str] = frozenset()
    yes: bool = False
    insecure: frozenset[str] = frozenset()
    cafile: str | None = None


class Offer(Value):
    """A key, for which prefixes it is to be trusted, and the URLs that it came from, if it came over the network."""

    key: Key
    prefixes: tuple[str, ...]
    urls: tuple[str, ...] = ()


def add_keys(
    options: AddOptions,
    config: Config,
    directories: Sequence[str],
    agree: Callable[[Offer], bool],
    tell: Callable[[str], object],
) -> list[str]:
    """Trust the keys that are named or that *agree* says yes to, in the last of *directories*, and return their files.

    *tell* hears of those that are unfit.

    Raises: UsageError; TrustError when none is agreed to, or a named one is not there or unfit; FormatError; MissingInputError;
    what discovery and http raise; OSError.
    Source: spec/store.md, Trust.
    """
    _check(options)
    what = options.place if options.place is not None else ", ".join(options.prefixes)
    offers = list(_read_offers(options, config))
    missing = options.fingerprints - {offer.key.fingerprint for offer in offers}
    if missing:
        raise TrustError(what, f"holds no key {escape(min(missing))}")
    named = options.fingerprints
    fit = _fit(offers, options, tell)
    chosen = [offer for offer in fit if (offer.key.fingerprint in named if named else agree(offer))]
    if not chosen:
        raise TrustError(what, "no key of it is trusted")
    return [add_key(directories[-1], prefix, offer.key) for offer in chosen for prefix in offer.prefixes]


def _check(options: AddOptions) -> None:
    if options.place is None and ROOT in options.prefixes:
        raise UsageError("--discover", "finds the keys of a prefix", "--prefix PREFIX, or --root with a URL")
    if options.yes and options.insecure and (options.place is None or "://" in options.place):
        raise UsageError("--yes", "trusts keys from the network only where TLS says who answers", "--fingerprint HEX names the key")


def _read_offers(options: AddOptions, config: Config) -> Iterator[Offer]:
    if options.place is not None and "://" not in options.place:
        for key in read_keys(_read_file(options.place), options.place):
            yield Offer(key, options.prefixes)
        return
    over_http = bool({insecure.HTTP, insecure.PUBKEY} & options.insecure)
    with _connect(options, config, plain_http=over_http) as connection:
        if options.place is not None:
            yield from _fetch_offers(connection, [options.place], options.prefixes, options.place)
            return
        for prefix in options.prefixes:
            urls = _discover_urls(options, config, prefix)
            yield from _fetch_offers(connection, urls, (prefix,), prefix)


def _connect(options: AddOptions, config: Config, *, plain_http: bool) -> Connection:
    from acfetch.connection import Connection

    return Connection(config, plain_http=plain_http, any_certificate=insecure.TLS in options.insecure, cafile=options.cafile)


def _discover_urls(options: AddOptions, config: Config, prefix: str) -> list[str]:
    """Return where the keys of a prefix are: `pubkey` gives up nothing on the way there."""
    from acfetch.discovery import discover_keys
    from acfetch.progress import tell_waiting
    from acfetch.retrying import Retrier, RetryingGetter

    with _connect(options, config, plain_http=insecure.HTTP in options.insecure) as connection:
        patient = RetryingGetter(connection, lambda: Retrier(config.settings.retries, tell_waiting))
        urls = list(dict.fromkeys(discover_keys(patient, prefix).key_urls))
    if len(urls) > limits.KEY_URLS:
        raise FormatError(prefix, f"its page names {len(urls)} places of keys, more than the limit of {limits.KEY_URLS}")
    return urls


def _fetch_offers(connection: Connection, urls: Sequence[str], prefixes: tuple[str, ...], what: str) -> Iterator[Offer]:
    """Yield the keys at all of *urls*, each once and with all that any of them says of it: one may have its revocation."""
    for url in urls:
        if is_foreign(url):
            raise TransportRefusedError(url, "keys come over https only", "acfetch trust add FILE takes those of a file")
    found = [(key, url) for url in urls for key in read_keys(connection.get(url, limits.KEY_FILE_BYTES), url)]
    for key in read_keys(b"\n".join(key.armoured for key, _ in found), what):
        places = tuple(url for one, url in found if one.fingerprint == key.fingerprint)
        yield Offer(key, prefixes, tuple(dict.fromkeys(places)))


def _read_file(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(limits.KEY_FILE_BYTES + 1)
    try:
        with open(path, "rb") as stream:
            return stream.read(limits.KEY_FILE_BYTES + 1)
    except FileNotFoundError:
        raise MissingInputError(path, "no such file") from None
    except IsADirectoryError:
        raise FormatError(path, "a directory, not a file of keys") from None


def _fit(offers: Sequence[Offer], options: AddOptions, tell: Callable[[str], object]) -> list[Offer]:
    """Return the keys that may sign; the others are told. Raises: TrustError when one is named, or there is no other."""
    unfit = [offer.key for offer in offers if offer.key.unfit]
    named = [key for key in unfit if key.fingerprint in options.fingerprints]
    if named or len(unfit) == len(offers):
        key = (named or unfit)[0]
        raise TrustError(f"key {key.fingerprint}", f"{key.unfit}, and is not trusted")
    for key in () if options.fingerprints else unfit:
        tell(f"key {key.fingerprint}: {key.unfit}, and is not trusted")
    return [offer for offer in offers if not offer.key.unfit]
