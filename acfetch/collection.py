"""The sequence of a collection: images that nobody has used for a while and nothing needs, and what was left half done.

An image is kept while it was used a short time ago, while a pod was made from it, while somebody holds its lock, and while an image
that is kept depends on it. All else goes, an image before those that it needs. Nobody adds or removes images meanwhile.

Source: spec/store.md, Collecting images.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext

from acfetch.dependency_graph import close_over, order_removal
from acfetch.leftovers import find_orphans, find_put_by, remove_old
from acfetch.removal import images_in_pods, withdraw
from acspec.errors import BusyError
from acspec.locks import open_locked
from acspec.store import Store
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acspec.names import ImageID
    from acspec.store import ImageRecord

# Each holds a descriptor while it is being removed, and a process may have 1,024 of them.
_AT_ONCE = 256


class CollectOptions(Value):
    """What the command line says about a collection; *keep_for* in seconds."""

    data_directory: str
    run_directory: str
    keep_for: int
    dry_run: bool = False


class Collected(Value):
    """What a collection removed, each with its size in bytes: images, and the paths of files that belonged to none."""

    images: list[tuple[ImageRecord, int]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)


def collect(options: CollectOptions, now: float) -> Collected:
    """Remove what is no longer needed and say what it was; *now* in seconds since 1970.

    Raises: OSError where nothing may be removed.
    Source: spec/store.md, Collecting images.
    """
    store = Store.open(options.data_directory)
    collected = Collected()
    if not os.path.isdir(store.images):
        return collected
    if not options.dry_run:
        store.sweep()
    before = now - options.keep_for
    with nullcontext() if options.dry_run else store.changing():
        _collect_images(store, options, before, collected.images)
        collected.files.extend(remove_old(find_orphans(store), before, dry_run=options.dry_run))
    collected.files.extend(remove_old(find_put_by(store), before, dry_run=options.dry_run))
    return collected


def _collect_images(store: Store, options: CollectOptions, before: float, collected: list[tuple[ImageRecord, int]]) -> None:
    records = store.whole_records()
    kept = _kept(records, store, options, before)
    while candidates := _unneeded(records, kept)[:_AT_ONCE]:
        with ExitStack() as locks:
            busy = {image_id for image_id in candidates if not _try_lock(store.image_path(image_id), locks)}
            # Read again: who had a lock a moment ago may have used the image, or named it in a pod.
            kept |= busy | _kept(candidates, store, options, before)
            needed = close_over(kept, records)
            going = [image_id for image_id in candidates if image_id not in needed]
            sizes = [store.size(image_id) for image_id in going]
            if not options.dry_run:
                withdraw(store, order_removal(going, records))
        collected += [(records.pop(image_id), size) for image_id, size in zip(going, sizes, strict=True)]


def _kept(image_ids: Iterable[ImageID], store: Store, options: CollectOptions, before: float) -> set[ImageID]:
    in_pods = images_in_pods(options.run_directory)
    return {image_id for image_id in image_ids if image_id in in_pods or store.last_used(image_id) >= before}


def _unneeded(records: dict[ImageID, ImageRecord], kept: set[ImageID]) -> list[ImageID]:
    groups = order_removal(records.keys() - close_over(kept, records), records)
    return [image_id for group in groups for image_id in group]


def _try_lock(path: str, locks: ExitStack) -> bool:
    try:
        locks.callback(os.close, open_locked(path))
    except (BusyError, FileNotFoundError):
        return False
    return True
