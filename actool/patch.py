"""From an image to one with another manifest: the rootfs goes through untouched, in one pass, whole or not at all.

How the bytes come about is `acspec.archive.splice`'s business, what changes `manifest_changes`'s.

Source: aci.md, Image Archives and Image Manifest Schema.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager

from acspec.archive.splice import Recompression, splice_manifest
from acspec.archive.write import WrittenImage
from acspec.errors import FormatError, UsageError
from acspec.image_outputs import Output, check_image_output, new_output
from acspec.jsontext import read_limited
from acspec.limits import MANIFEST_BYTES
from acspec.values import Value
from actool.changes.manifest_changes import ManifestChanges, change_manifest
from actool.inputs import Input, opened
from actool.outputs import new_content

_REPLACE = "--replace"


class PatchRequest(Value):
    """What `actool patch-manifest` was asked for: *replace* writes to the image itself."""

    image: str
    output: str | None
    replace: bool
    overwrite: bool
    manifest: str | None
    changes: ManifestChanges
    compressed: Recompression


def patch(request: PatchRequest) -> WrittenImage:
    """Write the image of a request with its manifest changed, and return what was written.

    An encrypted one is refused: its copy would be plain.

    Raises: FormatError, MissingInputError, OutputError, StorageError, UsageError; OSError.
    Source: aci.md, Image Archives.
    """
    _check(request)
    with opened(request.image) as source:
        change = _make_change(request, source.name)
        with _open_output(request, source) as output:
            return splice_manifest(source.origin, source.name, output.write, change, request.compressed)


def find_signature(request: PatchRequest) -> str | None:
    """Return the signature that lies beside the image which *request* has written, None when there is none.

    Source: aci.md, Image Archives (signatures).
    """
    path = request.image if request.output is None else request.output
    signature = f"{path}.asc"
    return signature if path != "-" and os.path.lexists(signature) else None


def _check(request: PatchRequest) -> None:
    if request.image == "-" and request.manifest == "-":
        raise UsageError("-", "the image and its manifest cannot both be standard input")
    if request.replace:
        _check_replacement(request)
    elif request.output is None:
        raise UsageError("OUTPUT.aci", "missing argument", f"{_REPLACE} writes to {request.image} itself")
    else:
        check_image_output(request.output, overwrite=request.overwrite)


def _check_replacement(request: PatchRequest) -> None:
    if request.output is not None:
        raise UsageError(request.output, f"there is no output beside {_REPLACE}, which writes to {request.image} itself")
    if request.overwrite:
        raise UsageError(f"{_REPLACE} and --overwrite", "exclude each other")
    if request.image == "-":
        raise UsageError(_REPLACE, "standard input cannot be replaced", "- as OUTPUT.aci is standard output")


def _make_change(request: PatchRequest, name: str) -> Callable[[bytes], bytes]:
    """Return what makes the new manifest out of the old one, which errors call that of *name*."""
    changes = request.changes
    if request.manifest is not None:
        changed = change_manifest(_read_manifest(request.manifest), request.manifest, changes)
        return lambda _: changed

    def change(data: bytes) -> bytes:
        try:
            return change_manifest(data, f"{name}: manifest", changes)
        except FormatError as error:
            raise FormatError(error.what, error.why, error.hint or "--manifest FILE puts another one in its place") from None

    return change


def _read_manifest(path: str) -> bytes:
    with opened(path) as source:
        if source.is_directory:
            raise FormatError(path, "a directory, not a manifest")
        return read_limited(source.descriptor, MANIFEST_BYTES)


def _open_output(request: PatchRequest, source: Input) -> AbstractContextManager[Output]:
    if request.output is not None:
        return new_output(request.output, overwrite=request.overwrite)
    if not stat.S_ISREG(os.fstat(source.descriptor).st_mode):
        raise UsageError(request.image, f"not a regular file, so {_REPLACE} cannot replace it")
    return new_content(request.image, source.descriptor)
