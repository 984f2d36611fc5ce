"""Images taken out of the store: all that were named or none, and never one that something else needs.

While somebody removes images, nobody else adds or removes any; who uses one holds its lock. The record goes first, and of images
that depend on each other the one that needs goes before the one that is needed: a kill at any moment leaves only whole images with
all that they depend on, and at worst files that a collection finds.

Source: spec/store.md, Removing images and Locks.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from acfetch.dependency_graph import find_dependents, order_removal
from acfetch.errors import NeededError
from acfetch.image_lookup import get_image_id
from acspec.durable import sync_directory
from acspec.errors import BusyError, FormatError, MissingInputError
from acspec.labels import label_map
from acspec.locks import open_locked
from acspec.pods import Pods
from acspec.references import format_reference
from acspec.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acspec.names import ImageID
    from acspec.store import ImageRecord

_NAMED = 3


def remove_images(texts: Sequence[str], data_directory: str, run_directory: str) -> list[tuple[ImageRecord, int]]:
    """Remove the images that *texts* mean, and return the record and the size in bytes of each.

    Raises: UsageError; MissingInputError; NeededError; BusyError when somebody uses one of them; OSError.
    Source: spec/store.md, Removing images.
    """
    store = Store.open(data_directory)
    image_ids = dict.fromkeys(get_image_id(text, store) for text in texts)
    with store.changing(), ExitStack() as locks:
        records = store.whole_records()
        chosen = {record.id: record for record in (_get_record(image_id, store) for image_id in image_ids)}
        _check_dependents(chosen, records)
        for record in chosen.values():
            locks.callback(os.close, _lock(record, store))
        _check_pods(chosen, run_directory)  # after the locks: who had one a moment ago may have named the image in a pod
        removed = [(record, store.size(record.id)) for record in chosen.values()]
        withdraw(store, order_removal(chosen, chosen))
    return removed


def withdraw(store: Store, groups: Iterable[Iterable[ImageID]]) -> None:
    """Remove images, group by group; whoever calls changes the store, and holds the lock of each.

    Raises: OSError.
    Source: spec/store.md, Removing images.
    """
    withdrawn = []
    for group in groups:
        for image_id in group:
            os.unlink(store.record_path(image_id))
            withdrawn.append(image_id)
        sync_directory(store.images)  # a power cut, too, must not leave an image without those that it needs
    for image_id in withdrawn:
        for path in (store.signature_path(image_id), store.image_path(image_id)):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
    sync_directory(store.images)


def images_in_pods(run_directory: str) -> dict[str, str]:
    """Return the images that pods were made from, whatever their phase, each with the UUID of such a pod.

    Raises: OSError.
    Source: spec/pod-directory.md, Files.
    """
    return {image_id: pod.uuid for pod in Pods(run_directory).all() for lines in pod.read_trees() for image_id in lines[1:]}


def _get_record(image_id: str, store: Store) -> ImageRecord:
    try:
        record = store.find(image_id)
    except FormatError as error:
        raise FormatError(error.what, error.why, "acfetch images verify sets it aside") from None
    if record is None:
        raise MissingInputError(image_id, f"not in the store {store.path}")
    return record


def _check_dependents(chosen: Mapping[ImageID, ImageRecord], records: Mapping[ImageID, ImageRecord]) -> None:
    dependents = find_dependents(chosen, records)
    if dependents:
        needed = dependents[0][0]
        names = list(dict.fromkeys(_describe(record) for image_id, record in dependents if image_id == needed))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise NeededError(_describe(chosen[needed]), f"is needed by {', '.join(names[:_NAMED])}{more}")


def _check_pods(chosen: Mapping[ImageID, ImageRecord], run_directory: str) -> None:
    in_pods = images_in_pods(run_directory)
    for record in chosen.values():
        if record.id in in_pods:
            uuid = in_pods[record.id]
            raise NeededError(_describe(record), f"is needed by pod {uuid}", f"acrun rm {uuid[:8]} removes that one")


def _lock(record: ImageRecord, store: Store) -> int:
    try:
        return open_locked(store.image_path(record.id))
    except BusyError:
        raise BusyError(_describe(record), "in use by another process") from None


def _describe(record: ImageRecord) -> str:
    return f"{format_reference(record.name, label_map(record.labels))} ({record.id[:19]})"
