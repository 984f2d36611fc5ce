"""Which images need which: reachability and order over the records of a store. No input, no output.

Source: spec/store.md, Removing images.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from acspec.names import ImageID
    from acspec.store import ImageRecord


def close_over(roots: Iterable[ImageID], records: Mapping[ImageID, ImageRecord]) -> set[ImageID]:
    """Return *roots* with all that they depend on, down to the last, whether it is in *records* or not."""
    needed: set[ImageID] = set()
    waiting = list(roots)
    while waiting:
        image_id = waiting.pop()
        if image_id in needed:
            continue
        needed.add(image_id)
        if image_id in records:
            waiting.extend(records[image_id].dependencies)
    return needed


def find_dependents(images: Collection[ImageID], records: Mapping[ImageID, ImageRecord]) -> list[tuple[ImageID, ImageRecord]]:
    """Return each of *images* that another image depends on directly, with that other one, which is not of them."""
    others = (record for record in records.values() if record.id not in images)
    return [(image_id, record) for record in others for image_id in record.dependencies if image_id in images]


def order_removal(images: Iterable[ImageID], records: Mapping[ImageID, ImageRecord]) -> list[list[ImageID]]:
    """Return *images* in groups: no image of a group depends on one of an earlier group, nor on one of its own.

    Only images in a circle, which no fetch makes, are in one group all the same.
    """
    left, groups = set(images), []
    while left:
        needed = {other for image_id in left for other in records[image_id].dependencies if other != image_id}
        groups.append(sorted(left - needed) or sorted(left))
        left.difference_update(groups[-1])
    return groups
