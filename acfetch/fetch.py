"""The sequence: an image with all it depends on, discovered, downloaded, verified and put into the store.

Order for each image: the store, when it has what was pinned; the places; the signature; the download; the decision; the
dependencies. When all that was asked for has come so far, the images go into the store, dependencies first: an image is in the
store only when everything it depends on is, and a run that fails leaves the store as it was.

Source: discovery.md; aci.md, Dependency Matching; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

from acfetch.attempts import try_places
from acfetch.caching import condition, read_freshness, renew
from acfetch.config import Config
from acfetch.connection import Connection
from acfetch.download import Served, download, read_signature
from acfetch.errors import MismatchError, MissingSignatureError
from acfetch.following import Discovered, Done, Following, Started, Stored, Tried, Verified
from acfetch.keystore import read_keystore
from acfetch.lockfile import read_lock, write_lock
from acfetch.pending import Output, Pending
from acfetch.presence import Presence, Pull, join
from acfetch.progress import Progress
from acfetch.room import Room
from acfetch.sources import Place, Request, iterate_places, parse_request, request_for
from acfetch.transports import is_foreign
from acfetch.trust import check_any_key, check_identity, get_signer, keys_for
from acspec import limits
from acspec.errors import FormatError, ImageNotFoundError
from acspec.openpgp.verification import Verdict, Verification
from acspec.store import ImageRecord, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acfetch.download import Network, Sink
    from acfetch.partial import Partial
    from acfetch.trust import TrustedKey
    from acspec.freshness import Freshness
    from acspec.names import ImageID
    from acspec.passphrase import Passphrase
    from acspec.store import NewImage

    Chain = tuple[tuple[ImageID, str], ...]

INSECURE = ("image", "tls", "http")
# Those under which anybody on the way may have answered.
_UNVERIFIED = frozenset({"tls", "http"})


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What the command line says about a fetch."""

    data_directory: str
    config_directories: tuple[str, ...]
    insecure: frozenset[str] = frozenset()
    quiet: bool = False
    output: str | None = None
    cafile: str | None = None
    pull: Pull = Pull.UPDATE
    lock: str | None = None
    locked: str | None = None
    events: int | None = None
    passphrase: Passphrase | None = None


@dataclass(frozen=True, slots=True)
class _Verified:
    """An image that may be kept: where it came from, what it is, its signature as served, who made that, and its files."""

    place: Place
    served: Served
    signature: bytes | None
    signer: str | None
    new: NewImage
    output: Output | None
    freshness: Freshness | None


class Fetcher:
    """One run of acfetch over one store: what was fetched in it is not fetched again."""

    def __init__(
        self, options: FetchOptions, config: Config, connection: Connection, following: Following, pending: Pending
    ) -> None:
        self._options = options
        self._config = config
        self._connection = connection
        self._following = following
        self._pending = pending
        self._store = Store.open(options.data_directory, create=True)
        self._keys: list[TrustedKey] | None = None
        self._done: dict[tuple[object, ...], ImageRecord] = {}
        self._present = Presence(self._store, pending, options.insecure, config.policy, self._keystore)
        self._tree: set[ImageID] = set()
        self._lock = None if options.locked is None else read_lock(options.locked)
        self.found: dict[str, ImageRecord] = {}  # by what asked for it

    def fetch(self, request: Request, output: str | None = None) -> ImageRecord:
        """Return the record of the image asked for; it and all it depends on are in the store, or pending.

        Raises: TrustError, UnavailableError, ProtocolError, FormatError, as the reason may be; OSError.
        """
        self._tree = set()
        if self._lock is None:
            return self._fetch(request, (), output)
        record = self._fetch(self._lock.pin(request), (), output)
        for one in self.whole(record):
            self._lock.check(one)
        return record

    def whole(self, record: ImageRecord) -> list[ImageRecord]:
        """Return the records of an image that was fetched and of all that it depends on. Raises: OSError."""
        ids = sorted(self._present.closures[record.id].ids)
        found = (self._pending.find(image_id) or self._store.find_whole(image_id) for image_id in ids)
        return [one for one in found if one is not None]

    def _fetch(self, request: Request, chain: Chain, output: str | None) -> ImageRecord:
        """Do so for an image that *chain* led to."""
        self._following.follow(Started(request.text, chain[-1][1] if chain else None))
        record = self._done.get(request.key) or self._present.find_pinned(request)
        if record is None and output is None:
            record = self._present.find_unpinned(request, self._options.pull, time.time())
        if record is None or output is not None:
            record = self._obtain(request, chain, output)
        self._done[request.key] = self.found[request.text] = record
        self._count(record, chain)
        return record

    def _obtain(self, request: Request, chain: Chain, output: str | None) -> ImageRecord:
        self._new_image().close()  # where nothing can be kept, nothing is fetched
        plain_http = "http" in self._options.insecure
        places = iterate_places(
            request,
            self._connection,
            self._config.mirrors,
            plain_http=plain_http,
            tell=self._following.tell,
            found=lambda found: self._following.follow(Discovered(request.text, tuple(place.image for place in found))),
        )
        if self._options.pull is Pull.NEVER:
            places = _check_local(request, places)
        known = self._present.find_asked(request) if output is None else None
        with ExitStack() as undo:

            def fetch(place: Place) -> _Verified | ImageRecord:
                return self._find_unchanged(place, known) or self._fetch_whole(place, request, output, undo)

            verified = try_places(places, request, fetch, self._following.tell)
            if isinstance(verified, ImageRecord):
                return verified
            record = self._make_record(verified, self._fetch_dependencies(request, verified.served, chain))
            undo.pop_all()
            self._pending.add(verified.new, record, verified.signature, verified.output)
        return record

    def _find_unchanged(self, place: Place, known: ImageRecord | None) -> ImageRecord | None:
        """Return the record of the image that is known to have come from *place*, when the server says that it is still that."""
        if known is None or known.freshness is None or place.image != known.origin or place.is_local or is_foreign(place.image):
            return None
        asked = condition(known.freshness)
        head = self._connection.find_head(place.image, asked) if asked else None
        if head is None:
            return None
        if not self._options.insecure & _UNVERIFIED <= set(known.given_up):
            return known  # who may have said this is not believed in runs to come
        record = replace(known, freshness=renew(known.freshness, head, time.time()))
        self._pending.renew(self._store, record)
        return record

    def _fetch_whole(self, place: Place, request: Request, output: str | None, undo: ExitStack) -> _Verified:
        """Return the image at *place*, tried again as often as it takes; *undo* gets what removes its files."""

        def attempt(network: Network) -> _Verified:
            with ExitStack() as files:
                verified = self._fetch_from(place, network, request, output, files)
                self._following.follow(Verified(request.text, verified.served.image_id, verified.signer))
                undo.enter_context(files.pop_all())
                return verified

        if place.is_local or is_foreign(place.image):
            return attempt(self._connection)
        from acfetch.retrying import Patience  # an image that is there needs none of it
        from acfetch.steady import fetch_whole

        with ExitStack() as letting_go:
            partial = letting_go.enter_context(self._open_partial(place, request))
            verified = fetch_whole(self._connection, Patience(self._config.settings.retries), partial, attempt)
            letting_go.pop_all()
            self._pending.keep(partial)
            return verified

    def _open_partial(self, place: Place, request: Request) -> Partial:
        from acfetch.partial import Partial

        directory = os.path.join(self._store.path, "partial")
        given_up = self._options.insecure & _UNVERIFIED  # what came under them is of that kind for ever
        return Partial(directory, place.image, given_up, is_signed=not self._goes_without(self._why_signed(request)))

    def _fetch_from(self, place: Place, network: Network, request: Request, output_path: str | None, undo: ExitStack) -> _Verified:
        self._following.follow(Tried(request.text, place.image))
        signature = self._read_signature(place, network, request)
        new = undo.enter_context(self._new_image())
        output = None if output_path is None else undo.enter_context(Output(output_path))
        sinks: list[Sink] = [] if output is None else [output.write]
        if signature is None:
            served = self._download(place, network, request, new, sinks)
            self._config.policy.check_unsigned(request.text, served.manifest.name)
            return _Verified(place, served, None, None, new, output, _freshness(network, request))
        with self._open_verification(place, signature, request) as verification:
            served = self._download(place, network, request, new, [*sinks, verification.write])
            signer = self._decide(place, served, verification.finish())
        return _Verified(place, served, signature, signer, new, output, _freshness(network, request))

    def _download(self, place: Place, network: Network, request: Request, new: NewImage, sinks: Sequence[Sink]) -> Served:
        policy = self._config.policy
        room = Room(self._store.path, place.image)
        on_tar = room.guard(policy.unpacked_cap(place.image).guard(new.write))
        cap, passphrase = policy.served_cap(place.image), self._options.passphrase
        meter = self._following.meter(request.text)
        served = download(place, network, on_tar, sinks, meter, request.size, cap, room, passphrase)
        _check_asked(request, served)
        return served

    def _new_image(self) -> NewImage:
        try:
            return self._store.new_image()
        except OSError as error:  # it is the store that matters, not the name of a temporary file in it
            raise OSError(error.errno, error.strerror, self._store.path) from None

    def _why_signed(self, request: Request) -> str | None:
        return self._config.policy.why_signed(request.name) if request.name is not None else None

    def _goes_without(self, required: str | None) -> bool:
        return "image" in self._options.insecure and required is None

    def _read_signature(self, place: Place, network: Network, request: Request) -> bytes | None:
        """Return the signature, None when the user does without; where nothing could count, the image is not even fetched."""
        required = self._why_signed(request)
        if self._goes_without(required):
            return None
        if request.name is not None:
            check_any_key(request.text, request.name, self._keystore())
        try:
            return read_signature(place, network)
        except MissingSignatureError as error:
            raise MissingSignatureError(error.what, error.why, required or error.hint) from None

    def _open_verification(self, place: Place, signature: bytes, request: Request) -> Verification:
        """Begin to verify with the keys for the name asked for; where none was, the manifest will say which of all keys count."""
        try:
            return Verification(signature, keys_for(request.name, self._keystore()))
        except FormatError as error:
            raise FormatError(place.signature, error.why) from None

    def _decide(self, place: Place, served: Served, verdict: Verdict) -> str:
        """Return who signed the image. Raises: UntrustedError. Source: acfetch.trust, steps 1 to 3."""
        return get_signer(place.signature, served.manifest.name, verdict, self._keystore())

    def _keystore(self) -> list[TrustedKey]:
        if self._keys is None:
            self._keys = read_keystore(self._options.config_directories)
        return self._keys

    def _fetch_dependencies(self, request: Request, served: Served, chain: Chain) -> tuple[ImageID, ...]:
        name = str(served.manifest.name)
        if any(served.image_id == seen for seen, _ in chain):
            cycle = " -> ".join([*(step for _, step in chain), name])
            raise FormatError(request.text, f"dependency cycle {cycle}")
        below = (*chain, (served.image_id, name))
        found = []
        for number, dependency in enumerate(served.manifest.dependencies):
            if len(below) > limits.DEPENDENCY_DEPTH:
                raise FormatError(below[0][1], f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")
            needed = request_for(dependency)
            if self._lock is not None:
                needed = self._lock.pin_dependency(served.image_id, number, needed)
            found.append(self._fetch(needed, below, None).id)
        closures = self._present.closures
        closures[served.image_id] = join(served.image_id, [closures[image_id] for image_id in found])
        return tuple(found)

    def _count(self, record: ImageRecord, chain: Chain) -> None:
        """Check the limits on what the image at the top consists of, now that *record* is a part of it. Raises: FormatError."""
        closure = self._present.closures[record.id]
        self._tree |= closure.ids
        top = chain[0][1] if chain else str(record.name)
        if len(self._tree.union(image_id for image_id, _ in chain)) > limits.DEPENDENCIES:
            raise FormatError(top, f"more than the limit of {limits.DEPENDENCIES} dependencies")
        if len(chain) + closure.height > limits.DEPENDENCY_DEPTH:
            raise FormatError(top, f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")

    def _given_up(self, verified: _Verified) -> frozenset[str]:
        """Return what was gone without: not the signature, when the policy asked for it all the same."""
        return self._options.insecure if verified.signer is None else self._options.insecure - {"image"}

    def _make_record(self, verified: _Verified, dependencies: tuple[ImageID, ...]) -> ImageRecord:
        served = verified.served
        now = time.time_ns()
        return ImageRecord(
            id=served.image_id,
            name=served.manifest.name,
            labels=served.manifest.labels,
            dependencies=dependencies,
            origin=os.fsencode(verified.place.image).decode("utf-8", "backslashreplace"),
            served_size=served.size,
            served_digest=served.digest,
            signer=verified.signer,
            given_up=tuple(word for word in INSECURE if word in self._given_up(verified)),
            imported=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now // 10**9))}.{now % 10**9:09d}Z",
            freshness=verified.freshness,
        )


def _freshness(network: Network, request: Request) -> Freshness | None:
    """Return what the server said of an image that is not pinned, None of a file."""
    head = getattr(network, "head", None)
    return None if head is None or request.image_id is not None else read_freshness(request.asked, head, time.time())


def _check_local(request: Request, places: Iterator[Place]) -> Iterator[Place]:
    """Yield the place that is a file. Raises: ImageNotFoundError for all others."""
    if request.place is None or not request.place.is_local:
        raise ImageNotFoundError(request.text, "would have to be fetched, and nothing may be")
    yield from places


def _check_asked(request: Request, served: Served) -> None:
    """Check that an image is what was asked for. Raises: MismatchError. Source: acfetch.trust, step 4; aci.md, imageID."""
    if request.image_id is not None and served.image_id != request.image_id:
        raise MismatchError(request.text, f"asked for {request.image_id}, the image is {served.image_id}")
    check_identity(request.text, request.name, request.labels, served.manifest)


def fetch_images(texts: Sequence[str], options: FetchOptions) -> list[tuple[ImageRecord, str]]:
    """Return record and path of each image asked for, in order; all of them are in the store, or an exception says why not.

    Raises: UsageError; what `Fetcher.fetch` raises.
    Source: spec/store.md, What acfetch prints.
    """
    followed = _followed(options)
    requests = [parse_request(text) for text in texts]
    config = Config(options.config_directories)
    _check_options(requests, options, config)
    plain_http, any_certificate = "http" in options.insecure, "tls" in options.insecure
    connection = Connection(config, plain_http=plain_http, any_certificate=any_certificate, cafile=options.cafile)
    with followed as following, connection, Pending() as pending:
        fetcher = Fetcher(options, config, connection, following, pending)
        records = [fetcher.fetch(request, options.output) for request in requests]
        store = Store.open(options.data_directory)
        asked = {record.id: text for text, record in reversed(fetcher.found.items())}
        for record in pending.publish():
            following.follow(Stored(asked.get(record.id, record.name), record, store.image_path(record.id)))
        if options.lock is not None:
            every = {one.id: one for record in records for one in fetcher.whole(record)}
            write_lock(options.lock, zip(requests, records, strict=True), every.values())
        for text, record in fetcher.found.items():
            following.follow(Done(text, record.id, store.image_path(record.id)))
    return [(record, store.image_path(record.id)) for record in records]


def _followed(options: FetchOptions) -> Following:
    """Return those who follow the run: a person, and a program that wants to. Raises: UsageError."""
    progress = Progress(quiet=options.quiet)
    if options.events is None:
        return Following(progress)
    from acfetch.events import Events

    return Following(progress, Events(options.events))


def _check_options(requests: Sequence[Request], options: FetchOptions, config: Config) -> None:
    """Check what can be known before anything is fetched. Raises: PolicyError; OutputError; ConfigError; OSError."""
    config.policy.check_words(options.insecure)
    if "image" in options.insecure:
        for request in requests:
            if request.name is not None:
                config.policy.check_unsigned(request.text, request.name)
    if options.cafile is not None:
        os.stat(options.cafile)
    if options.output is not None:
        Output(options.output).close()
