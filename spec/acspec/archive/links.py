"""Hard links of a filtered image whose target is filtered out: where the content goes instead.

The content comes with the target, before any link to it is seen, so this is found out in a pass of its own over the headers.

Source: aci.md, pathWhitelist; ace.md, Filesystem Setup, step 3.
"""

from __future__ import annotations

from collections.abc import Callable

from acspec import limits
from acspec.archive.entry import Kind
from acspec.archive.image import ImageReader
from acspec.errors import FormatError

_ROOTFS = b"rootfs/"


def plan_moved(reader: ImageReader, keep: Callable[[bytes], bool]) -> dict[bytes, bytes]:
    """Return where to write files that are not wanted, for the sake of hard links that are: the first of these links.

    *keep* says of an absolute path inside the rootfs whether it is wanted; the paths returned are relative to it.

    Raises: FormatError, also when the links are more than can be remembered.
    """
    moved: dict[bytes, bytes] = {}
    targets: dict[bytes, bytes] = {}  # of links that are not wanted themselves, but may be linked to
    size = 0
    for entry in reader:
        if entry.kind is not Kind.HARD_LINK:
            continue
        path, target = entry.name[len(_ROOTFS) :], entry.link_name[len(_ROOTFS) :]
        if keep(b"/" + target):
            continue
        origin = targets.get(target, target)
        if not keep(b"/" + path):
            targets[path] = origin
        elif keep(b"/" + origin):
            moved[target] = origin
        else:
            moved[target] = moved.setdefault(origin, path)
        size += len(path) + len(target)
        if size > limits.LINK_NAMES_BYTES:
            raise FormatError(reader.what, f"hard links to paths outside the whitelist: more than {limits.LINK_NAMES_BYTES} bytes")
    return moved
