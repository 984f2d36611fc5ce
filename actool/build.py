"""From the sources of an image to its archive: checked first, written once, whole or not at all.

How the bytes come about is `acspec.archive.write`'s business.

Source: aci.md, Image Layout and Image Archives.
"""

from __future__ import annotations

import os

from acspec.archive.ignore import explain_unmatched
from acspec.archive.write import ImageSettings, write_walk
from acspec.errors import UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.image_outputs import check_image_output, new_output
from acspec.values import Value
from actool.sources import STANDARD_INPUT, SourceRequest, Sources, opened_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.archive.ignore import Pattern
    from acspec.names import ImageID
    from actool.depfile import Depfile

_SHOWN = 10  # patterns, each in a line of its own


class BuildRequest(Value):
    """What `actool build` was asked for; the output `-` is standard output."""

    source: SourceRequest
    output: str
    overwrite: bool
    settings: ImageSettings
    depfile: str | None = None


class Built(Value):
    """What came of it: the ID of the image, and what people should be warned of."""

    image_id: ImageID
    warnings: Sequence[str]


def build(request: BuildRequest) -> Built:
    """Build the image of a request and return what came of it.

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


def _write_with_depfile(sources: Sources, request: BuildRequest, name: str) -> Built:
    """Write the image, then the file of its dependencies: one that is there speaks of an image that is there."""
    from actool.depfile import Depfile

    with Depfile(name, request.output) as depfile:
        for path in sources.find_files():
            depfile.add(path)
        built = _write(sources, request, depfile)
        depfile.commit()
    return built


def _write(sources: Sources, request: BuildRequest, depfile: Depfile | None) -> Built:
    with new_output(request.output, overwrite=request.overwrite) as output:
        walk = sources.walk(refused=output.identity)
        written = write_walk(walk, output.write, request.settings, on_path=depfile.add if depfile is not None else None)
    return Built(written.image_id, _warn_of_unmatched(walk.unmatched, sources.what))


def _warn_of_unmatched(patterns: Sequence[Pattern], what: str) -> list[str]:
    """Return a warning for each of the first *patterns*, which have fitted nothing in *what*, and one for the rest."""
    lines = [f"{pattern.place}: warning: {explain_unmatched(pattern)}" for pattern in patterns[:_SHOWN]]
    rest = len(patterns) - _SHOWN
    return [*lines, *([f"{what}: warning: {rest:,} more patterns fit nothing"] if rest > 0 else [])]
