"""One image, from the places where it may lie to files on the store's disk that are verified; the store has none of it yet.

Order: the places; the signature; the download; the decision. What an image depends on is for `fetch` to see to.

Source: discovery.md; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack

from acfetch import insecure
from acfetch.attempts import try_places
from acfetch.caching import condition, read_freshness, renew
from acfetch.disk_space import Disk, Reservation
from acfetch.download import DownloadRequest, Served, download, read_signature
from acfetch.errors import MismatchError, MissingSignatureError
from acfetch.events import Discovered, Tried, Verified, Waiting
from acfetch.local_images import Pull
from acfetch.pending import Output
from acfetch.request import Place, Request
from acfetch.resuming import fetch_whole
from acfetch.retrying import Retrier, RetryingGetter
from acfetch.sources import iterate_places
from acfetch.transports import is_foreign
from acfetch.trust import check_any_key, check_identity, get_signer, keys_for
from acspec.errors import FormatError, ImageNotFoundError
from acspec.openpgp.verification import Verdict, Verification
from acspec.store import ImageRecord
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from acfetch.config import Config
    from acfetch.connection import Connection
    from acfetch.download import Network, Sink
    from acfetch.events import Listeners
    from acfetch.local_images import LocalImages
    from acfetch.options import FetchOptions
    from acfetch.partial import Partial
    from acfetch.pending import Pending
    from acfetch.trust import TrustedKey
    from acspec.errors import ToolError
    from acspec.freshness import Freshness
    from acspec.names import ImageID
    from acspec.store import NewImage, Store


class Obtained(Value):
    """An image that may be kept: where it came from, what it is, its signature as served, who made that, and its files."""

    place: Place
    served: Served
    signature: bytes | None
    signer: str | None
    new: NewImage
    output: Output | None
    freshness: Freshness | None


class Obtainer:
    """What obtains the images of one run, several at once if need be."""

    def __init__(
        self,
        options: FetchOptions,
        config: Config,
        connection: Connection,
        listeners: Listeners,
        pending: Pending,
        store: Store,
        local: LocalImages,
        keystore: Callable[[], list[TrustedKey]],
    ) -> None:
        self._options = options
        self._config = config
        self._connection = connection
        self._listeners = listeners
        self._pending = pending
        self._store = store
        self._local = local
        self._keystore = keystore
        self._disk = Disk(store.path)

    def obtain(self, request: Request, output: str | None, undo: ExitStack) -> Obtained | ImageRecord:
        """Return the image asked for, or the record of the one in the store that it still is; *undo* gets what removes its files.

        Raises: TrustError, UnavailableError, ProtocolError, FormatError, as the reason may be; OSError.
        """
        self._new_image().close()  # where nothing can be kept, nothing is fetched
        places = iterate_places(
            request,
            RetryingGetter(self._connection, lambda: self._retrier(request)),
            self._config.mirrors,
            plain_http=insecure.HTTP in self._options.insecure,
            tell=self._listeners.tell,
            found=lambda found: self._listeners.notify(Discovered(request.text, tuple(place.image for place in found))),
        )
        if self._options.pull is Pull.NEVER:
            places = _check_local(request, places)
        known = self._local.find_asked(request) if output is None else None

        def fetch(place: Place) -> Obtained | ImageRecord:
            return self._find_unchanged(place, known) or self._fetch_whole(place, request, output, undo)

        return try_places(places, request, fetch, self._listeners.tell)

    def _retrier(self, request: Request) -> Retrier:
        """Return the retrier for one place, of whose waits everybody is told."""

        def tell(error: ToolError, seconds: float, number: int, most: int) -> None:
            self._listeners.notify(Waiting(request.text, str(error), seconds, number, most))

        return Retrier(self._config.settings.retries, tell, self._connection.ended)

    def _find_unchanged(self, place: Place, known: ImageRecord | None) -> ImageRecord | None:
        """Return the record of the image that is known to have come from *place*, when the server says that it is still that."""
        if known is None or known.freshness is None or place.image != known.origin or place.is_local or is_foreign(place.image):
            return None
        asked = condition(known.freshness)
        head = self._connection.find_head(place.image, asked) if asked else None
        if head is None:
            return None
        if not self._options.insecure & insecure.UNVERIFIED <= set(known.given_up):
            return known  # who may have said this is not believed in runs to come
        record = replace(known, freshness=renew(known.freshness, head, time.time()))
        self._pending.renew(self._store, record)
        return record

    def _fetch_whole(self, place: Place, request: Request, output: str | None, undo: ExitStack) -> Obtained:
        """Return the image at *place*, tried again as often as it takes."""

        def attempt(network: Network) -> Obtained:
            with ExitStack() as files:
                obtained = self._fetch_from(place, network, request, output, files)
                self._listeners.notify(Verified(request.text, obtained.served.image_id, obtained.signer))
                undo.enter_context(files.pop_all())
                return obtained

        if place.is_local or is_foreign(place.image):
            return attempt(self._connection)
        with ExitStack() as letting_go:
            partial = letting_go.enter_context(self._open_partial(place, request))
            obtained = fetch_whole(self._connection, self._retrier(request), partial, attempt)
            letting_go.pop_all()
            self._pending.keep(partial)
            return obtained

    def _open_partial(self, place: Place, request: Request) -> Partial:
        from acfetch.partial import Partial

        directory = os.path.join(self._store.path, "partial")
        given_up = self._options.insecure & insecure.UNVERIFIED  # what came under them is of that kind for ever
        return Partial(directory, place.image, given_up, is_signed=not self._goes_without(self._why_signed(request)))

    def _fetch_from(self, place: Place, network: Network, request: Request, output_path: str | None, undo: ExitStack) -> Obtained:
        self._listeners.notify(Tried(request.text, place.image))
        signature = self._read_signature(place, network, request)
        new = undo.enter_context(self._new_image())
        output = None if output_path is None else undo.enter_context(Output(output_path))
        sinks: list[Sink] = [] if output is None else [output.write]
        if signature is None:
            served = self._download(place, network, request, new, sinks)
            self._config.policy.check_unsigned(request.text, served.manifest.name)
            return Obtained(place, served, None, None, new, output, _freshness(network, request))
        with self._open_verification(place, signature, request) as verification:
            served = self._download(place, network, request, new, [*sinks, verification.write])
            signer = self._decide(place, served, verification.finish())
        return Obtained(place, served, signature, signer, new, output, _freshness(network, request))

    def _download(self, place: Place, network: Network, request: Request, new: NewImage, sinks: Sequence[Sink]) -> Served:
        policy = self._config.policy
        with Reservation(self._disk, place.image) as reservation:
            on_tar = reservation.guard(policy.unpacked_cap(place.image).guard(new.write))
            cap, passphrase = policy.served_cap(place.image), self._options.passphrase
            meter = self._listeners.meter(request.text)
            wanted = DownloadRequest(place, on_tar, sinks, meter, request.size, cap, reservation, passphrase)
            served = download(wanted, network)
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
        return insecure.IMAGE in self._options.insecure and required is None

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
            return Verification(signature, keys_for(request.name, self._keystore()), scratch=self._store.tmp)
        except FormatError as error:
            raise FormatError(place.signature, error.why) from None

    def _decide(self, place: Place, served: Served, verdict: Verdict) -> str:
        """Return who signed the image. Raises: UntrustedError. Source: acfetch.trust, steps 1 to 3."""
        return get_signer(place.signature, served.manifest.name, verdict, self._keystore())

    def make_record(self, obtained: Obtained, dependencies: tuple[ImageID, ...]) -> ImageRecord:
        """Return the record of an image, given what its dependencies turned out to be."""
        served = obtained.served
        now = time.time_ns()
        # What was gone without: not the signature, when the policy asked for it all the same.
        given_up = self._options.insecure if obtained.signer is None else self._options.insecure - {insecure.IMAGE}
        return ImageRecord(
            id=served.image_id,
            name=served.manifest.name,
            labels=served.manifest.labels,
            dependencies=dependencies,
            origin=os.fsencode(obtained.place.image).decode("utf-8", "backslashreplace"),
            served_size=served.size,
            served_digest=served.digest,
            signer=obtained.signer,
            given_up=tuple(word for word in insecure.FETCHING if word in given_up),
            imported=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now // 10**9))}.{now % 10**9:09d}Z",
            freshness=obtained.freshness,
        )


def _freshness(network: Network, request: Request) -> Freshness | None:
    """Return what the server said of an image that is not pinned, None of a file."""
    head = getattr(network, "head", None)
    return None if head is None or request.image_id is not None else read_freshness(request.asked, head, time.time())


def _check_local(request: Request, places: Iterator[Place]) -> Iterator[Place]:
    """Yield the place that is a file. Raises: ImageNotFoundError for all others."""
    if request.place is None or not request.place.is_local:
        raise ImageNotFoundError(request.text, "would have to be fetched, and nothing may be", "--pull=new fetches it")
    yield from places


def _check_asked(request: Request, served: Served) -> None:
    """Check that an image is what was asked for. Raises: MismatchError. Source: acfetch.trust, step 4; aci.md, imageID."""
    if request.image_id is not None and served.image_id != request.image_id:
        raise MismatchError(request.text, f"asked for {request.image_id}, the image is {served.image_id}")
    check_identity(request.text, request.name, request.labels, served.manifest)
