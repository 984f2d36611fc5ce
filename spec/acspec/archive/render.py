"""One image laid over a tree: filtered by a whitelist, hard links kept whole, the image ID computed on the way.

Which images make up a tree, and in which order, is `acspec.layer_plan`'s to say.

Source: ace.md, Filesystem Setup.
"""

from __future__ import annotations

from collections.abc import Callable

from acspec.archive.extract import Donor, TreeWriter
from acspec.archive.image import GLANCE, ImageReader
from acspec.archive.links import plan_moved


def render_image(
    writer: TreeWriter,
    descriptor: int,
    what: str,
    *,
    keep: Callable[[bytes], bool] | None = None,
    donor: Donor | None = None,
) -> ImageReader:
    """Write the rootfs of the image in *descriptor*, a regular file, over what *writer* has written so far.

    *keep* says of an absolute path inside the rootfs whether it stays (see `acspec.layer_plan.whitelist_filter`); *donor* may have
    files that need not be written. Return the reader, closed, for its `manifest_bytes` and its `image_id`.

    Raises: FormatError; StorageError; OSError with the name of the entry.
    Source: ace.md, Filesystem Setup, steps 2 and 3.
    """
    moved = None
    if keep is not None:
        with ImageReader(descriptor, what, hashed=False, window=GLANCE) as reader:
            moved = plan_moved(reader, keep)
    with ImageReader(descriptor, what) as reader:
        writer.add(reader, keep, moved, donor)
    return reader
