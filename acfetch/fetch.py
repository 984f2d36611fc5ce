"""The sequence: images with all they depend on, obtained, held against each other, and put into the store.

Order for each image: the store, when it has what was asked for; else its places; then the dependencies, of which some are on their
way already (`prefetch`). When all that was asked for has come so far, the images go into the store, dependencies first: an image is
in the store only when everything it depends on is, and a run that fails leaves the store as it was.

Source: discovery.md; aci.md, Dependency Matching; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from functools import cache
from threading import Lock

from acfetch import insecure
from acfetch.config import Config
from acfetch.connection import Connection
from acfetch.events import Done, Listeners, Started, Stored
from acfetch.keystore import read_keystore
from acfetch.local_images import LocalImages, Pull, join
from acfetch.pending import Output, Pending
from acfetch.progress import Progress
from acfetch.request import parse_request, request_for
from acspec import limits
from acspec.errors import FormatError
from acspec.store import ImageRecord, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from acfetch.download import Served
    from acfetch.lockfile import Lock as Pins
    from acfetch.obtaining import Obtained, Obtainer
    from acfetch.options import FetchOptions
    from acfetch.prefetch import Prefetcher
    from acfetch.request import Request
    from acspec.names import ImageID

    Chain = tuple[tuple[ImageID, str], ...]
    Found = Obtained | ImageRecord


class Fetcher:
    """One run of acfetch over one store: what was fetched in it is not fetched again. Used as a context manager."""

    def __init__(
        self, options: FetchOptions, config: Config, connection: Connection, listeners: Listeners, pending: Pending
    ) -> None:
        self._options = options
        self._config = config
        self._connection = connection
        self._listeners = listeners
        self._pending = pending
        self._store = Store.open(options.data_directory, create=True)
        self._keystore = cache(lambda: read_keystore(options.config_directories))
        self._done: dict[tuple[object, ...], ImageRecord] = {}
        self._wanting = Lock()
        self._wanted: set[tuple[str, str | None]] = set()
        self._local = LocalImages(self._store, pending, options.insecure, config.policy, self._keystore)
        self._tree: set[ImageID] = set()
        self._is_alone = True
        self._lock = None if options.locked is None else _read_lock(options.locked)
        self._obtainer: Obtainer | None = None
        self._prefetcher: Prefetcher[Found] | None = None
        self.found: dict[str, ImageRecord] = {}  # by what asked for it

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Break off what is under way."""
        if self._prefetcher is not None:
            self._prefetcher.close()

    def fetch_all(self, requests: Sequence[Request], output: str | None = None) -> list[ImageRecord]:
        """Return the records of the images asked for; they and all they depend on are in the store, or pending.

        Raises: TrustError, UnavailableError, ProtocolError, FormatError, as the reason may be; OSError.
        """
        self._is_alone = len(requests) == 1
        if not self._is_alone:
            self._prefetch([self._pin(request) for request in requests], 0, None)
        return [self._fetch_checked(request, output) for request in requests]

    def _pin(self, request: Request) -> Request:
        return request if self._lock is None else self._lock.pin(request)

    def _fetch_checked(self, request: Request, output: str | None) -> ImageRecord:
        self._tree = set()
        record = self._fetch(self._pin(request), (), output)
        if self._lock is not None:
            for one in self.whole(record):
                self._lock.check(one)
        return record

    def whole(self, record: ImageRecord) -> list[ImageRecord]:
        """Return the records of an image that was fetched and of all that it depends on. Raises: OSError."""
        ids = sorted(self._local.closures[record.id].ids)
        found = (self._pending.find(image_id) or self._store.find_whole(image_id) for image_id in ids)
        return [one for one in found if one is not None]

    def _fetch(self, request: Request, chain: Chain, output: str | None) -> ImageRecord:
        """Return the record of an image that *chain* led to."""
        self._want(request, chain[-1][1] if chain else None)
        record = self._done.get(request.key)
        if record is None or output is not None:
            record = self._complete(request, chain, output)
        self._done[request.key] = self.found[request.text] = record
        self._count(record, chain)
        return record

    def _want(self, request: Request, needed_by: str | None) -> None:
        with self._wanting:
            if (request.text, needed_by) not in self._wanted:
                self._wanted.add((request.text, needed_by))
                self._listeners.notify(Started(request.text, needed_by))

    def _complete(self, request: Request, chain: Chain, output: str | None) -> ImageRecord:
        """Return the record of an image that has come with all that it depends on."""
        with ExitStack() as files:
            if self._prefetcher is None:
                found = self._find(request, output, files)
            else:
                found = self._prefetcher.take(request, len(chain), chain[-1][1] if chain else None, files)
            if isinstance(found, ImageRecord):
                return found
            record = self._obtaining().make_record(found, self._fetch_dependencies(request, found.served, chain))
            files.pop_all()
            self._pending.add(found.new, record, found.signature, found.output)
        return record

    def _find(self, request: Request, output: str | None, files: ExitStack) -> Found:
        """Return the image of the store that will do, or else one that has come; *files* removes it."""
        record = self._local.find_pinned(request)
        if record is None and output is None:
            record = self._local.find_unpinned(request, self._options.pull, time.time())
        return record if record is not None and output is None else self._obtaining().obtain(request, output, files)

    def _obtaining(self) -> Obtainer:
        if self._obtainer is None:
            from acfetch.obtaining import Obtainer  # an image that is there needs none of it

            self._obtainer = Obtainer(
                self._options,
                self._config,
                self._connection,
                self._listeners,
                self._pending,
                self._store,
                self._local,
                self._keystore,
            )
        return self._obtainer

    def _prefetch(self, requests: Sequence[Request], depth: int, needed_by: str | None) -> None:
        """Let images come that will be asked for soon."""
        if self._options.pull is Pull.NEVER:
            return
        if self._prefetcher is None:
            from acfetch.prefetch import Prefetcher

            self._prefetcher = Prefetcher(self._find_in_thread, self._connection.interrupt)
        for request in requests:
            self._prefetcher.start(request, depth, needed_by)

    def _find_in_thread(self, request: Request, depth: int, needed_by: str | None, files: ExitStack) -> Found:
        """Do as `_find`, in a thread of its own, and see to it that the dependencies come."""
        self._want(request, needed_by)
        found = self._find(request, None, files)
        if not isinstance(found, ImageRecord) and depth < limits.DEPENDENCY_DEPTH:
            # Where several are asked for, one that is pinned may be another of these, or of what they depend on.
            needed = [one for one in self._needed(found.served) if self._is_alone or one.image_id is None]
            self._prefetch(needed, depth + 1, str(found.served.manifest.name))
        return found

    def _needed(self, served: Served) -> list[Request]:
        """Return what an image depends on. Raises: TrustError when the lock file has another opinion."""
        needed = [request_for(dependency) for dependency in served.manifest.dependencies]
        if self._lock is None:
            return needed
        return [self._lock.pin_dependency(served.image_id, number, request) for number, request in enumerate(needed)]

    def _fetch_dependencies(self, request: Request, served: Served, chain: Chain) -> tuple[ImageID, ...]:
        name = str(served.manifest.name)
        if any(served.image_id == seen for seen, _ in chain):
            cycle = " -> ".join([*(step for _, step in chain), name])
            raise FormatError(request.text, f"dependency cycle {cycle}")
        below = (*chain, (served.image_id, name))
        if served.manifest.dependencies and len(below) > limits.DEPENDENCY_DEPTH:
            raise FormatError(below[0][1], f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")
        needed = self._needed(served)
        if len(needed) > 1:
            self._prefetch(needed, len(below), name)
        found = tuple(self._fetch(one, below, None).id for one in needed)
        closures = self._local.closures
        closures[served.image_id] = join(served.image_id, [closures[image_id] for image_id in found])
        return found

    def _count(self, record: ImageRecord, chain: Chain) -> None:
        """Check the limits on what the image at the top consists of, now that *record* is a part of it. Raises: FormatError."""
        closure = self._local.closures[record.id]
        self._tree |= closure.ids
        top = chain[0][1] if chain else str(record.name)
        if len(self._tree.union(image_id for image_id, _ in chain)) > limits.DEPENDENCIES:
            raise FormatError(top, f"more than the limit of {limits.DEPENDENCIES} dependencies")
        if len(chain) + closure.height > limits.DEPENDENCY_DEPTH:
            raise FormatError(top, f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")


def _read_lock(path: str) -> Pins:
    from acfetch.lockfile import read_lock

    return read_lock(path)


def fetch_images(texts: Sequence[str], options: FetchOptions) -> list[tuple[ImageRecord, str]]:
    """Return record and path of each image asked for, in order; all of them are in the store, or an exception says why not.

    Raises: UsageError; what `Fetcher.fetch_all` raises.
    Source: spec/store.md, What acfetch prints.
    """
    listeners = _make_listeners(options)
    requests = [parse_request(text) for text in texts]
    config = Config(options.config_directories)
    _check_options(requests, options, config)
    plain_http, any_certificate = insecure.HTTP in options.insecure, insecure.TLS in options.insecure
    connection = Connection(config, plain_http=plain_http, any_certificate=any_certificate, cafile=options.cafile)
    with listeners, connection, Pending() as pending:
        with Fetcher(options, config, connection, listeners, pending) as fetcher:
            records = fetcher.fetch_all(requests, options.output)
        store = Store.open(options.data_directory)
        asked = {record.id: text for text, record in reversed(fetcher.found.items())}
        for record in pending.publish():
            listeners.notify(Stored(asked.get(record.id, record.name), record, store.image_path(record.id)))
        if options.lock is not None:
            from acfetch.lockfile import write_lock

            every = {one.id: one for record in records for one in fetcher.whole(record)}
            write_lock(options.lock, zip(requests, records, strict=True), every.values())
        for text, record in fetcher.found.items():
            listeners.notify(Done(text, record.id, store.image_path(record.id)))
    return [(record, store.image_path(record.id)) for record in records]


def _make_listeners(options: FetchOptions) -> Listeners:
    """Return those who listen to the run: a person, and a program that wants to. Raises: UsageError."""
    progress = Progress(quiet=options.quiet)
    if options.events is None:
        return Listeners(progress)
    from acfetch.event_stream import EventStream

    return Listeners(progress, EventStream(options.events))


def _check_options(requests: Sequence[Request], options: FetchOptions, config: Config) -> None:
    """Check what can be known before anything is fetched. Raises: PolicyError; OutputError; ConfigError; OSError."""
    config.policy.check_words(options.insecure)
    if insecure.IMAGE in options.insecure:
        for request in requests:
            if request.name is not None:
                config.policy.check_unsigned(request.text, request.name)
    if options.cafile is not None:
        os.stat(options.cafile)
    if options.output is not None:
        Output(options.output).close()
