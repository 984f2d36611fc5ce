"""Images put into a store as acfetch does it, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acspec.image_manifest import parse_image_manifest
from acspec.store import ImageRecord, Store
from tests.support import images


def add_image(
    data: Path, manifest: bytes, files: images.Files | None = None, dependencies: tuple[Any, ...] = (), day: int = 1
) -> str:
    """Add an image, imported on some *day* of January, and return its ID; *dependencies* are the IDs that its own resolved to."""
    tar = images.tar({} if files is None else files, manifest)
    image_id: Any = images.image_id(tar)
    parsed = parse_image_manifest(manifest)
    imported = f"2026-01-{day:02d}T00:00:00Z"
    with Store.open(str(data), create=True).new_image() as image:
        image.write(tar)
        image.publish(ImageRecord(image_id, parsed.name, parsed.labels, dependencies, imported=imported), None)
    return str(image_id)
