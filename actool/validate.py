"""What a file is, told by its content, and whether it keeps the rules: an image, a layout directory or a manifest.

Source: aci.md, pods.md; spec/image-archive.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acspec import limits
from acspec.archive.image import read_image
from acspec.archive.walk import check_layout
from acspec.errors import FormatError
from acspec.image_manifest import parse_image_manifest
from acspec.jsontext import parse_json
from acspec.pod_manifest import parse_pod_manifest
from actool.inputs import Input, glance, opened
from actool.read import get_manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that keeps the rules: what it is, in words, and what is odd about it all the same."""

    kind: str
    warnings: tuple[str, ...] = ()


def validate(path: str) -> Finding:
    """Check the file or directory at *path*, or standard input for `-`, and return what it is.

    Raises: FormatError for the first thing that is wrong with it; MissingInputError; StorageError; OSError.
    Source: aci.md, pods.md.
    """
    with opened(path) as source:
        if source.is_directory:
            return _validate_layout(path, source)
        head, source = glance(source)
        if head and head.lstrip(b" \t\r\n")[:1] in (b"", b"{"):
            return _validate_manifest(source)
        return _validate_image(source)


def _validate_layout(path: str, source: Input) -> Finding:
    count = check_layout(source.descriptor, source.name)
    parse_image_manifest(get_manifest(path, pretty=False, for_terminal=False), f"{source.name}: manifest")
    return Finding(f"image layout, {count:,} entries")


def _validate_image(source: Input) -> Finding:
    scanned = read_image(source.descriptor, source.name, head=source.head)
    return Finding(f"image, {scanned.image_id}", scanned.warnings)


def _validate_manifest(source: Input) -> Finding:
    data = b"".join(_read_limited(source))
    value = parse_json(data, source.name)
    if isinstance(value, dict) and value.get("acKind") == "PodManifest":
        parse_pod_manifest(data, source.name)
        return Finding("pod manifest")
    parse_image_manifest(data, source.name)
    return Finding("image manifest")


def _read_limited(source: Input) -> Iterator[bytes]:
    yield source.head
    size = len(source.head)
    with open(source.descriptor, "rb", buffering=0, closefd=False) as file:
        while data := file.read(1 << 16):
            yield data
            size += len(data)
            if size > limits.MANIFEST_BYTES:
                raise FormatError(source.name, f"a manifest larger than the limit of {limits.MANIFEST_BYTES} bytes")
