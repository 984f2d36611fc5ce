"""One image laid over a tree: filtered by a whitelist, hard links kept whole, the image ID computed on the way.

Which images make up a tree, and in which order, is `acspec.rendering`'s to say.

Source: ace.md, Filesystem Setup.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from acspec.archive.extract import TreeWriter
from acspec.archive.image import GLANCE, ImageReader
from acspec.archive.links import plan_moved


def render_image(
    writer: TreeWriter,
    descriptor: int,
    what: str,
    *,
    keep: Callable[[str], bool] | None = None,
    hashed: bool = True,
) -> ImageReader:
    """Write the rootfs of the image in *descriptor*, a regular file, over what *writer* has written so far.

    *keep* says of an absolute path inside the rootfs whether it stays (see `acspec.rendering.whitelist_filter`). Return the reader,
    closed, for its `manifest_bytes` and, when *hashed*, its `image_id`.

    Raises: FormatError; StorageError; OSError with the name of the entry.
    Source: ace.md, Filesystem Setup, steps 2 and 3.
    """
    wanted, moved = None, None
    if keep is not None:
        wanted = _of_bytes(keep)
        with ImageReader(descriptor, what, hashed=False, window=GLANCE) as reader:
            moved = plan_moved(reader, wanted)
    with ImageReader(descriptor, what, hashed=hashed) as reader:
        writer.add(reader, wanted, moved)
    return reader


def _of_bytes(keep: Callable[[str], bool]) -> Callable[[bytes], bool]:
    return lambda path: keep(os.fsdecode(path))
