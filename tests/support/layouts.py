"""Layout directories, written and counted in one call."""

from __future__ import annotations

from collections.abc import Callable

from acspec.archive.walk import LayoutWalk
from acspec.archive.write import ImageSettings, WrittenImage, write_walk


def write_image(
    layout: int,
    what: str,
    output: Callable[[bytes], object],
    settings: ImageSettings | None = None,
    *,
    refused: tuple[int, int] | None = None,
) -> WrittenImage:
    """Write the layout directory *layout*, a descriptor, as an image archive to *output*."""
    return write_walk(LayoutWalk(layout, what, refused=refused), output, settings)


def check_layout(layout: int, what: str) -> int:
    """Return the number of entries of an image of the directory *layout*, a descriptor."""
    return sum(1 for _ in LayoutWalk(layout, what))
