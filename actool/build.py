"""From the sources of an image to its archive: checked first, written once, whole or not at all.

How the bytes come about is `acspec.archive.write`'s business.

Source: aci.md, Image Layout and Image Archives.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from acspec.archive.write import ImageSettings, WrittenImage, write_walk
from acspec.errors import UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.image_outputs import check_image_output, new_output
from acspec.values import Value
from actool.sources import STANDARD_INPUT, SourceRequest, Sources, opened_sources

if TYPE_CHECKING:
    from actool.depfile import Depfile


class BuildRequest(Value):
    """What `actool build` was asked for; the output `-` is standard output."""

    source: SourceRequest
    output: str
    overwrite: bool
    settings: ImageSettings
    depfile: str | None = None


def build(request: BuildRequest) -> WrittenImage:
    """Build the image of a request and return what was written.

    Raises: OutputError, FormatError, MissingInputError, StorageError, UsageError; OSError.
    Source: aci.md, Image Archives.
    """
    _check(request)
    with opened_sources(request.source) as sources:
        parse_image_manifest(*sources.read_manifest())
        if request.depfile is not None:
            return _write_with_depfile(sources, request, request.depfile)
        return _write(sources, request, None)


def _check(request: BuildRequest) -> None:
    check_image_output(request.output, overwrite=request.overwrite)
    for path in (request.output, request.depfile):
        _check_outside(path, request.source)
    if request.depfile is not None and request.source.manifest == STANDARD_INPUT:
        raise UsageError("--depfile", "standard input has no name that a rule could depend on", "--manifest FILE names one")
    if request.depfile is not None:
        _check_depfile(request.depfile, request)
    if request.depfile is not None and request.output == "-":
        raise UsageError("--depfile", "standard output has no name that a rule could be for")


def _check_outside(path: str | None, source: SourceRequest) -> None:
    """Check that what is written does not lie in what is read."""
    if path in (None, "-"):
        return
    place = os.path.realpath(os.path.dirname(path) or ".")
    for directory in (source.layout, source.rootfs):
        if directory and os.path.commonpath((place, inside := os.path.realpath(directory))) == inside:
            raise UsageError(path, f"lies inside {directory}, which is what is to be packed", f"name a file outside of {directory}")


def _check_depfile(path: str, request: BuildRequest) -> None:
    """Check that the file of dependencies takes the place of nothing that is read or written beside it. Raises: UsageError."""
    for other in (request.output, request.source.manifest, request.source.ignore_file):
        if other is not None and os.path.realpath(path) == os.path.realpath(other):
            raise UsageError(f"--depfile {path}", "is read or written as something else already")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"--depfile {path}", "is there, and not a regular file")


def _write_with_depfile(sources: Sources, request: BuildRequest, name: str) -> WrittenImage:
    """Write the image, then the file of its dependencies: one that is there speaks of an image that is there."""
    from actool.depfile import Depfile

    with Depfile(name, request.output) as depfile:
        for path in sources.find_files():
            depfile.add(path)
        written = _write(sources, request, depfile)
        depfile.commit()
    return written


def _write(sources: Sources, request: BuildRequest, depfile: Depfile | None) -> WrittenImage:
    with new_output(request.output, overwrite=request.overwrite) as output:
        walk = sources.walk(refused=output.identity)
        return write_walk(walk, output.write, request.settings, on_path=depfile.add if depfile is not None else None)
