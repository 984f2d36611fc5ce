"""Files in a store that belong to no image in it: of additions and removals cut off, broken downloads, damaged images set aside.

Source: spec/store.md, Layout and Collecting images.
"""

from __future__ import annotations

import os
import stat
from math import inf

from acspec.durable import list_names, remove_tree
from acspec.errors import FormatError
from acspec.locks import iterate_unlocked
from acspec.names import parse_image_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from acspec.store import Store

_KINDS = ("aci", "json", "asc")


def find_orphans(store: Store) -> list[str]:
    """Return the paths of all that bears the name of an image which is not in the store, for want of its record or its file.

    Raises: OSError.
    Source: spec/store.md, Layout.
    """
    names = list_names(store.images)
    present = set(names)
    return [os.path.join(store.images, name) for name in names if _belongs_to_none(name, present)]


def _belongs_to_none(name: str, present: set[str]) -> bool:
    stem, _, kind = name.rpartition(".")
    try:
        parse_image_id(stem, name)
    except FormatError:
        return False  # not of our making
    return kind in _KINDS and not present.issuperset((f"{stem}.aci", f"{stem}.json"))


def find_unrecorded(store: Store) -> list[str]:
    """Return the paths of images' files that have no record, and that nobody is just adding. Raises: OSError."""
    files = (path for path in find_orphans(store) if path.endswith(".aci") and _changed_before(path, inf))
    return [path for path in iterate_unlocked(files) if not os.path.exists(f"{path.removesuffix('.aci')}.json")]


def find_put_by(store: Store) -> list[str]:
    """Return the paths of what broken downloads left, and of damaged images that were set aside.

    Raises: OSError.
    Source: spec/store.md, Layout.
    """
    places = (os.path.join(store.path, "partial"), store.damaged)
    return [os.path.join(place, name) for place in places for name in list_names(place)]


def remove_old(paths: Iterable[str], before: float, *, dry_run: bool) -> Iterator[tuple[str, int]]:
    """Remove those of *paths* that changed last before that moment (seconds since 1970) and that nobody holds.

    Yield each with its size in bytes.

    Raises: OSError.
    Source: spec/store.md, Collecting images.
    """
    for path in iterate_unlocked(path for path in paths if _changed_before(path, before)):
        status = _find_status(path)
        if status is None:
            continue
        if not dry_run:
            remove_tree(path)
        yield path, status.st_size


def _changed_before(path: str, before: float) -> bool:
    """Tell whether *path* is a file or a directory that changed last before that moment."""
    status = _find_status(path)
    return status is not None and status.st_ctime < before and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))


def _find_status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:  # it has gone meanwhile
        return None
