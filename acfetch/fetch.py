"""The sequence: an image with all it depends on, discovered, downloaded, verified and put into the store.

Order for each image: the store, when it has what was pinned; the places; the signature; the download; the decision; the
dependencies; the record, last of all. An image is in the store only when everything it depends on is.

Source: discovery.md; aci.md, Dependency Matching; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from acfetch.download import Served, download, read_signature
from acfetch.errors import DiscoveryError, MismatchError
from acfetch.keystore import read_keystore
from acfetch.progress import Progress, human_size
from acfetch.sources import Place, Request, find_places, parse_request, request_for
from acfetch.trust import check_identity, check_verdict, keys_for
from acspec import limits
from acspec.durable import NewFile
from acspec.errors import FormatError, UnavailableError
from acspec.openpgp import Verdict, verify
from acspec.store import ImageRecord, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acfetch.http import Client
    from acfetch.trust import TrustedKey
    from acspec.names import ImageID
    from acspec.store import NewImage

INSECURE = ("image", "tls", "http", "pubkey")


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What the command line says about a fetch."""

    data_directory: str
    config_directories: tuple[str, ...]
    insecure: frozenset[str] = frozenset()
    quiet: bool = False
    output: str | None = None


class Fetcher:
    """One run of acfetch over one store: what was fetched in it is not fetched again."""

    def __init__(self, options: FetchOptions, client: Client, progress: Progress) -> None:
        self._options = options
        self._client = client
        self._progress = progress
        self._store = Store.open(options.data_directory, create=True)
        self._keys: list[TrustedKey] | None = None
        self._done: dict[str, ImageRecord] = {}

    def fetch(self, request: Request, chain: tuple[tuple[ImageID, str], ...] = (), output: str | None = None) -> ImageRecord:
        """Return the record of the image asked for, in the store with all it depends on. *chain* led to it.

        Raises: TrustError, UnavailableError, ProtocolError, FormatError, as the reason may be; OSError.
        """
        known = self._done.get(_key(request)) or self._pinned(request)
        if known is None or output is not None:
            known = self._try_places(request, chain, output)
        self._done[_key(request)] = known
        return known

    def _pinned(self, request: Request) -> ImageRecord | None:
        """Return the image from the store when its ID is asked for and what was given up for it may be given up now."""
        record = self._store.find(request.image_id) if request.image_id is not None else None
        if record is None or not set(record.given_up) <= self._options.insecure:
            return None
        if record.signer is not None and record.signer not in keys_for(record.name, self._keystore()):
            return None  # signed by a key that is trusted no more
        with open(self._store.image_path(record.id), "rb"):
            return record

    def _try_places(self, request: Request, chain: tuple[tuple[ImageID, str], ...], output: str | None) -> ImageRecord:
        places = find_places(request, self._client, plain_http="http" in self._options.insecure)
        failures: list[UnavailableError] = []
        for place in places:
            try:
                return self._fetch_from(place, request, chain, output)
            except UnavailableError as error:
                failures.append(error)  # not there: the next template may have it
        if len(failures) == 1:
            raise failures[0]
        raise DiscoveryError(request.text, f"no template led to the image: {'; '.join(str(item) for item in failures)}")

    def _fetch_from(
        self, place: Place, request: Request, chain: tuple[tuple[ImageID, str], ...], output: str | None
    ) -> ImageRecord:
        signature = self._read_signature(place, request)
        with self._store.new_image() as new, os.fdopen(self._open_nameless(), "r+b", buffering=0) as served:
            image = download(place, self._client, new, served.fileno(), self._progress, request.size)
            signer = self._decide(place, request, image, signature, served.fileno())
            if any(image.image.image_id == seen for seen, _ in chain):
                cycle = " -> ".join([*(name for _, name in chain), str(image.image.manifest.name)])
                raise FormatError(request.text, f"dependency cycle {cycle}")
            dependencies = self._fetch_dependencies(image, chain)
            record = self._publish(new, place, image, signature, signer, dependencies)
            if output is not None:
                _copy_out(served.fileno(), output, signature)
        return record

    def _read_signature(self, place: Place, request: Request) -> bytes | None:
        """Return the signature, None when the user does without; where nothing could count, the image is not even fetched."""
        if "image" in self._options.insecure:
            return None
        if request.name is not None and not keys_for(request.name, self._keystore()):
            check_verdict(request.text, request.name, Verdict(None, "no key is trusted for this name"), _domain(request.name))
        return read_signature(place, self._client)

    def _open_nameless(self) -> int:
        """Return a file for the bytes as served, without a name: it goes with this process, however that ends."""
        path = os.path.join(self._store.path, "tmp", f"served-{os.urandom(8).hex()}")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
        return descriptor

    def _decide(self, place: Place, request: Request, image: Served, signature: bytes | None, served: int) -> str | None:
        """Return who signed the image, None when the user does without. Raises: TrustError. Source: acfetch.trust, steps 1 to 4."""
        manifest = image.image.manifest
        if request.image_id is not None and image.image.image_id != request.image_id:
            raise MismatchError(request.text, f"the image is {image.image.image_id}, not the one asked for")
        check_identity(request.text, request.name, request.labels, manifest)
        if signature is None:
            return None
        keys = keys_for(manifest.name, self._keystore())
        verdict = verify(f"/proc/{os.getpid()}/fd/{served}", signature, keys)
        return check_verdict(place.signature, manifest.name, verdict, _domain(manifest.name))

    def _keystore(self) -> list[TrustedKey]:
        if self._keys is None:
            self._keys = read_keystore(self._options.config_directories)
        return self._keys

    def _fetch_dependencies(self, image: Served, chain: tuple[tuple[ImageID, str], ...]) -> tuple[ImageID, ...]:
        name = str(image.image.manifest.name)
        if len(chain) >= limits.DEPENDENCY_DEPTH:
            raise FormatError(chain[0][1], f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")
        below = (*chain, (image.image.image_id, name))
        found = []
        for dependency in image.image.manifest.dependencies:
            if len(self._done) > limits.DEPENDENCIES:
                raise FormatError(below[0][1], f"more than the limit of {limits.DEPENDENCIES} dependencies")
            found.append(self.fetch(request_for(dependency), below).id)
        return tuple(found)

    def _publish(
        self,
        new: NewImage,
        place: Place,
        served: Served,
        signature: bytes | None,
        signer: str | None,
        dependencies: tuple[ImageID, ...],
    ) -> ImageRecord:
        manifest = served.image.manifest
        record = ImageRecord(
            id=served.image.image_id,
            name=manifest.name,
            labels=manifest.labels,
            dependencies=dependencies,
            origin=place.image,
            served_size=served.size,
            served_digest=served.digest,
            signer=signer,
            given_up=tuple(word for word in INSECURE if word in self._options.insecure),
            imported=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}Z",
        )
        new.publish(record, signature)
        by = f"signed by {signer}" if signer else "signature not asked for"
        self._progress.say(f"{manifest.name}: {record.id[:19]}, {human_size(served.size)}, {by}")
        return record


def _domain(name: str) -> str:
    return name.partition("/")[0]


def _key(request: Request) -> str:
    return f"{request.text}@{request.image_id}"


def _copy_out(served: int, output: str, signature: bytes | None) -> None:
    """Write the image as it was served, and its signature beside it, whole or not at all. Raises: OutputError; OSError."""
    with NewFile(output) as file:
        offset = 0
        while data := os.pread(served, 1 << 20, offset):
            file.write(data)
            offset += len(data)
        if signature is not None:
            with NewFile(f"{output}.asc") as beside:
                beside.write(signature)
                beside.commit(overwrite=True)
        file.commit(overwrite=True)


def fetch_images(texts: Sequence[str], options: FetchOptions) -> list[tuple[ImageRecord, str]]:
    """Return record and path of each image asked for, in order; all of them are in the store, or an exception says why not.

    Raises: UsageError; what `Fetcher.fetch` raises.
    Source: spec/store.md, What acfetch prints.
    """
    requests = [parse_request(text) for text in texts]
    from acfetch.http import Client

    progress = Progress(quiet=options.quiet)
    with Client(plain_http="http" in options.insecure, any_certificate="tls" in options.insecure) as client:
        fetcher = Fetcher(options, client, progress)
        try:
            records = [fetcher.fetch(request, output=options.output) for request in requests]
        finally:
            progress.end()
    store = Store.open(options.data_directory)
    return [(record, store.image_path(record.id)) for record in records]
