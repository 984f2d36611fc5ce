"""What a file is, told by its content, and whether it keeps the rules: an image, a layout directory or a manifest.

A manifest that the typed reader takes is good. Only when it refuses one are the schemas asked, to name all faults at once.

Source: aci.md, pods.md; spec/image-archive.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from acspec import limits
from acspec.archive.image import ImageReader
from acspec.archive.walk import LayoutWalk
from acspec.errors import FormatError
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.jsontext import parse_json, read_limited
from acspec.names import IMAGE_KIND, POD_KIND, ACKind
from acspec.pod_manifest import parse_pod_manifest
from actool.inputs import Input, glance, opened
from actool.read import get_manifest

T = TypeVar("T")

MAX_WARNINGS = 100

# Which file names of users and groups are looked up in.
_DATABASES = {"user": b"rootfs/etc/passwd", "group": b"rootfs/etc/group"}


class ManifestError(FormatError):
    """A manifest with faults: all of them, and as an error of its own the first."""

    def __init__(self, faults: Sequence[FormatError]) -> None:
        super().__init__(faults[0].what, faults[0].why, faults[0].hint)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that keeps the rules: what it is, in words, and what is odd about it all the same."""

    kind: str
    warnings: tuple[str, ...] = ()


def validate(path: str) -> Finding:
    """Check the file or directory at *path*, or standard input for `-`, and return what it is.

    Raises: FormatError for the first thing that is wrong with it, a ManifestError for all that is wrong with its manifest;
        MissingInputError; StorageError; OSError.
    Source: aci.md, pods.md.
    """
    with opened(path) as source:
        if source.is_directory:
            return _validate_layout(path, source)
        head, rest = glance(source)
        if head and head.lstrip(b" \t\r\n")[:1] in (b"", b"{"):
            return _validate_manifest(rest)
        return _validate_image(rest)


def get_faults(error: FormatError) -> tuple[FormatError, ...]:
    """Return all that is wrong with a file, each fault as an error of its own.

    Source: spec/exit-codes.md.
    """
    return error.faults if isinstance(error, ManifestError) else (error,)


def _validate_layout(path: str, source: Input) -> Finding:
    count, names = 0, set()
    for entry, _ in LayoutWalk(source.descriptor, source.name):
        count += 1
        if entry.name in _DATABASES.values():
            names.add(entry.name)
    data = get_manifest(path, pretty=False, for_terminal=False)
    return Finding(f"image layout, {count:,} entries", _check_inner(data, source.name, names))


def _validate_image(source: Input) -> Finding:
    with ImageReader(source.origin, source.name, head=source.head) as reader:
        names = {entry.name for entry in reader if entry.name in _DATABASES.values()}
        warnings = _check_inner(reader.manifest_bytes, source.name, names)
        return Finding(f"image, {reader.image_id}", (*reader.warnings, *warnings))


def _validate_manifest(source: Input) -> Finding:
    data = source.head + read_limited(source.descriptor, limits.MANIFEST_BYTES)
    value = parse_json(data, source.name)
    if isinstance(value, dict) and value.get("acKind") == POD_KIND:
        _, warnings = _read(data, source.name, POD_KIND, parse_pod_manifest)
        return Finding("pod manifest", _limited(warnings))
    _, warnings = _read(data, source.name, IMAGE_KIND, parse_image_manifest)
    return Finding("image manifest", _limited(warnings))


def _check_inner(data: bytes, name: str, databases: set[bytes]) -> tuple[str, ...]:
    """Return what is odd about the manifest of an image that has these *databases*. Raises: FormatError."""
    manifest, warnings = _read(data, f"{name}: manifest", IMAGE_KIND, parse_image_manifest)
    warnings += _find_unresolved(manifest, databases)
    return _limited([f"manifest: {warning}" for warning in warnings])


def _limited(warnings: list[str]) -> tuple[str, ...]:
    rest = len(warnings) - MAX_WARNINGS
    return (*warnings[:MAX_WARNINGS], *([f"and {rest:,} more"] if rest > 0 else []))


def _read(data: bytes, what: str, kind: ACKind, parse: Callable[[bytes, str, list[str]], T]) -> tuple[T, list[str]]:
    """Return the manifest in *data* and what is odd about it. Raises: FormatError, a ManifestError when it is JSON."""
    warnings: list[str] = []
    try:
        return parse(data, what, warnings), warnings
    except FormatError as error:
        raise _explain(error, data, what, kind) from None


def _explain(error: FormatError, data: bytes, what: str, kind: ACKind) -> FormatError:
    """Return all that is wrong with the manifest in *data*, which *error* refused; of one of another kind, that alone is said."""
    value = parse_json(data, what)
    if isinstance(value, dict) and isinstance(value.get("acKind"), str) and value["acKind"] != kind:
        return error
    from acspec.schema import find_faults

    return ManifestError(find_faults(value, kind, what) or [error])


def _find_unresolved(manifest: ImageManifest, names: set[bytes]) -> Iterator[str]:
    """Return a warning for each name of a user or group that nothing in the image gives a number; dependencies may do so."""
    if manifest.app is None or manifest.dependencies:
        return
    for key, name in (("user", manifest.app.user), ("group", manifest.app.group)):
        if not (name.startswith("/") or (name.isascii() and name.isdigit()) or _DATABASES[key] in names):
            end = "so it counts as 0" if name == "root" else "so the app cannot start"
            yield f'app.{key}: there is no {_DATABASES[key].decode()} to look up "{name}" in, {end}'
