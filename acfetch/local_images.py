"""Images that need not be fetched: those of the store, or of this run, that will do as they are, with all that they depend on.

Whoever is found is held until the run ends, and only then read.

Source: spec/store.md, Locks and Freshness.
"""

from __future__ import annotations

from enum import Enum

from acfetch.trust import check_identity, keys_for
from acspec import limits
from acspec.errors import ImageNotFoundError
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from acfetch.pending import Pending
    from acfetch.policy import Policy
    from acfetch.request import Request
    from acfetch.trust import TrustedKey
    from acspec.names import ImageID
    from acspec.store import ImageRecord, Store


class Pull(Enum):
    """When an image comes from the network: what is not there, also what may have changed, or nothing."""

    NEW = "new"
    UPDATE = "update"
    NEVER = "never"


class Closure(Value):
    """An image with all that it depends on, and how many steps the longest way down has."""

    ids: frozenset[ImageID]
    height: int


def join(image_id: ImageID, below: Sequence[Closure]) -> Closure:
    """Return the closure of an image, given those of what it depends on."""
    ids = frozenset({image_id}).union(*(closure.ids for closure in below))
    return Closure(ids, max((closure.height + 1 for closure in below), default=0))


class LocalImages:
    """The images that one run need not fetch, in one store; `closures` are those of all images that it has dealt with."""

    def __init__(
        self, store: Store, pending: Pending, insecure: frozenset[str], policy: Policy, keystore: Callable[[], list[TrustedKey]]
    ) -> None:
        self.closures: dict[ImageID, Closure] = {}
        self._store = store
        self._pending = pending
        self._insecure = insecure
        self._policy = policy
        self._keystore = keystore

    def find_pinned(self, request: Request) -> ImageRecord | None:
        """Return the image when its ID is asked for, and it and all below it may be had as they are there.

        Raises: MismatchError when that image is not what else was asked for.
        """
        if request.image_id is None:
            return None
        record = self._pending.find(request.image_id) or self._find_usable(request.image_id)
        if record is None or request.size not in (None, record.served_size):
            return None
        check_identity(request.text, request.name, request.labels, record)
        return record

    def find_unpinned(self, request: Request, pull: Pull, now: float) -> ImageRecord | None:
        """Return the image of the store that is as good as one from the network, by what *pull* says; no file is one.

        Raises: ImageNotFoundError when there is none, and nothing may be fetched.
        """
        if request.place is not None and request.place.is_local:
            return None
        if pull is Pull.UPDATE:
            record = self.find_asked(request)
            return record if record is not None and record.freshness is not None and record.freshness.holds(now) else None
        record = self._check_candidate(request, self._candidate(request))
        if record is None and pull is Pull.NEVER:
            raise ImageNotFoundError(request.text, "is not in the store", "--pull=new fetches it")
        return record

    def find_asked(self, request: Request) -> ImageRecord | None:
        """Return the image that the same words have led to, when it was last known to be current."""
        if request.image_id is not None:
            return None
        asked = request.asked
        records = self._store.whole_records().values()
        known = [record for record in records if record.freshness is not None and record.freshness.asked == asked]
        return self._check_candidate(request, max(known, key=_when_checked, default=None))

    def _candidate(self, request: Request) -> ImageRecord | None:
        if request.image_id is not None:
            return None
        if request.name is not None:
            return self._store.find_named(request.name, request.labels)
        records = [record for record in self._store.whole_records().values() if record.origin == request.asked]
        return max(records, key=lambda record: (record.imported, record.id), default=None)

    def _check_candidate(self, request: Request, candidate: ImageRecord | None) -> ImageRecord | None:
        record = None if candidate is None else self._find_usable(candidate.id)
        return None if record is None or request.size not in (None, record.served_size) else record

    def _find_usable(self, image_id: ImageID) -> ImageRecord | None:
        """Return an image of the store, held, that may be had with all below it as they are there."""
        if not self._pending.hold(self._store, image_id):
            return None
        if self._find_closure(image_id, limits.DEPENDENCY_DEPTH) is None:
            return None
        return self._store.find_whole(image_id)

    def _find_closure(self, image_id: ImageID, depth: int) -> Closure | None:
        """Return what an image in the store consists of, None when some of it is missing or would not be accepted now."""
        if image_id in self.closures:
            return self.closures[image_id]
        record = self._store.find_whole(image_id)
        if record is None or depth < 0 or not self._is_acceptable(record):
            return None
        below = []
        for dependency in record.dependencies:
            closure = self._find_closure(dependency, depth - 1)
            if closure is None:
                return None
            below.append(closure)
        self.closures[image_id] = join(image_id, below)
        return self.closures[image_id]

    def _is_acceptable(self, record: ImageRecord) -> bool:
        """Tell whether nothing was given up for an image that is not given up now, and its signer is still trusted."""
        if not set(record.given_up) <= self._insecure:
            return False
        if record.signer is None and self._policy.why_signed(record.name) is not None:
            return False
        return record.signer is None or record.signer in keys_for(record.name, self._keystore())


def _when_checked(record: ImageRecord) -> tuple[str, str]:
    return record.freshness.checked if record.freshness is not None else "", record.id
