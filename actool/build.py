"""From a layout directory to an image archive: checked first, written once, whole or not at all.

How the bytes come about is `acspec.archive.write`'s business.

Source: aci.md, Image Layout and Image Archives.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from acspec.archive.walk import read_layout_manifest
from acspec.archive.write import ImageSettings, WrittenImage, write_image
from acspec.durable import NewFile, umasked
from acspec.errors import MissingInputError, UsageError
from acspec.image_manifest import parse_image_manifest
from actool.errors import OutputExistsError, OutputNameError

_SUFFIX = ".aci"
_OVERWRITE = "--overwrite replaces it"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What `actool build` was asked for; the output `-` is standard output."""

    layout: str
    output: str
    overwrite: bool
    settings: ImageSettings


def build(request: BuildRequest) -> WrittenImage:
    """Build the image of a request and return what was written.

    Raises: OutputError, FormatError, MissingInputError, StorageError, UsageError; OSError.
    Source: aci.md, Image Archives.
    """
    _check_output(request)
    layout = _open_layout(request.layout)
    try:
        parse_image_manifest(read_layout_manifest(layout, request.layout), os.path.join(request.layout, "manifest"))
        if request.output == "-":
            return _write_to_stdout(layout, request)
        return _write_to_file(layout, request)
    finally:
        os.close(layout)


def source_date_epoch() -> int | None:
    """Return the time after which no file of an image may be dated, in nanoseconds, from $SOURCE_DATE_EPOCH.

    Raises: UsageError when it is no number of seconds.
    Source: the SOURCE_DATE_EPOCH specification of reproducible-builds.org.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise UsageError("$SOURCE_DATE_EPOCH", f'"{text}" is not a number of seconds since 1970')
    return int(text) * 10**9


def _check_output(request: BuildRequest) -> None:
    if request.output == "-":
        if os.isatty(1):
            raise UsageError("standard output", "an image is not for a terminal", "use a pipe or name a file")
        return
    if not request.output.endswith(_SUFFIX):
        raise OutputNameError(request.output, f"the name of an image must end in {_SUFFIX}")
    if not request.overwrite and os.path.lexists(request.output):
        raise OutputExistsError(request.output, "already exists", _OVERWRITE)


def _open_layout(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingInputError(path or '""', "no such directory") from None
    except NotADirectoryError:
        raise UsageError(path, "not a directory", "build takes a directory that holds manifest and rootfs") from None


def _write_to_stdout(layout: int, request: BuildRequest) -> WrittenImage:
    written = write_image(layout, request.layout, sys.stdout.buffer.write, request.settings)
    sys.stdout.buffer.flush()
    return written


def _write_to_file(layout: int, request: BuildRequest) -> WrittenImage:
    with NewFile(request.output, mode=umasked(0o666)) as file:
        status = os.fstat(file.fd)
        refused = (status.st_dev, status.st_ino)
        written = write_image(layout, request.layout, file.write, request.settings, refused=refused)
        file.commit(overwrite=request.overwrite)
    return written
