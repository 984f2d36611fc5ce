"""Where an image to be built comes from: a layout directory, a manifest and a root file system given apart, what is left out.

Source: aci.md, Image Layout.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from acspec import limits
from acspec.archive.ignore import IGNORE_FILE, Pattern, parse_pattern, parse_patterns
from acspec.archive.layout import MANIFEST, ROOTFS
from acspec.archive.walk import Given, LayoutWalk, read_layout_manifest
from acspec.errors import FormatError, MissingInputError, UsageError
from acspec.jsontext import read_limited
from acspec.values import Value

STANDARD_INPUT = "-"  # where a manifest may come from
_MANIFEST = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class SourceRequest(Value):
    """What an image is to be made of, as typed: a layout directory, the parts that are taken from elsewhere, patterns to leave out.

    Raises: UsageError when a part is missing, or the layout is of no use.
    """

    layout: str | None
    manifest: str | None = None
    rootfs: str | None = None
    exclude: tuple[str, ...] = ()
    ignore_file: str | None = None

    def __post_init__(self) -> None:
        """Check that both parts are named, and once."""
        apart = self.manifest is not None and self.rootfs is not None
        if self.layout is None and not apart:
            raise UsageError("LAYOUT_DIR or image", "missing argument", "without LAYOUT_DIR name both --manifest and --rootfs")
        if self.layout is not None and apart:
            raise UsageError(self.layout, "nothing is left of it beside --manifest and --rootfs")


def split_sources(
    paths: Sequence[str], manifest: str | None, rootfs: str | None, exclude: Sequence[str], ignore_file: str | None
) -> tuple[SourceRequest, str]:
    """Return what *paths*, `[LAYOUT_DIR] IMAGE` as typed, and the options say of the sources, and the image.

    Raises: UsageError.
    """
    *layout, image = paths
    if not layout and (manifest is None or rootfs is None) and os.path.isdir(image):
        raise UsageError("image", "missing argument", f"{image} is the layout")
    if len(layout) > 1:
        raise UsageError(paths[2], "more than the command takes", "one layout directory and one image")
    return SourceRequest(layout[0] if layout else None, manifest, rootfs, tuple(exclude), ignore_file), image


class Sources:
    """The open sources of an image."""

    def __init__(self, request: SourceRequest, layout: int, given: dict[bytes, Given], patterns: list[Pattern]) -> None:
        self.what = request.layout or request.rootfs or ""
        self._request = request
        self._layout = layout
        self._given = given
        self._patterns = patterns

    def read_manifest(self) -> tuple[bytes, str]:
        """Return the bytes of the manifest and its path. Raises: FormatError; OSError."""
        given = self._given.get(MANIFEST)
        if given is None:
            return read_layout_manifest(self._layout, self.what), os.path.join(self.what, "manifest")
        os.lseek(given.descriptor, 0, os.SEEK_SET)
        return read_limited(given.descriptor, limits.MANIFEST_BYTES), given.path

    def find_files(self) -> list[str]:
        """Return the paths of what an image depends on beside its entries: the files of patterns, and where one may appear."""
        layout, named = self._request.layout, self._request.ignore_file
        own = [] if layout is None else [layout, os.path.join(layout, os.fsdecode(IGNORE_FILE))]
        return [path for path in own if os.path.lexists(path)] + ([] if named is None else [named])

    def walk(self, *, refused: tuple[int, int] | None = None) -> LayoutWalk:
        """Return a walk over the entries; *refused* as there. Raises: FormatError; OSError."""
        return LayoutWalk(self._layout, self.what, refused=refused, given=self._given, patterns=self._patterns)


@contextmanager
def opened_sources(request: SourceRequest) -> Iterator[Sources]:
    """Open what *request* names for the duration of a block.

    Raises: FormatError, MissingInputError, UsageError; OSError.
    Source: aci.md, Image Layout.
    """
    with ExitStack() as stack:
        patterns = _collect_patterns(request)
        given: dict[bytes, Given] = {}
        if request.manifest is not None:
            given[MANIFEST] = Given(_open_manifest(request.manifest, stack), request.manifest)
        if request.rootfs is not None:
            given[ROOTFS] = Given(_open_directory(request.rootfs, "--rootfs takes a directory", stack), request.rootfs)
        layout = -1
        if request.layout is not None:
            layout = _open_directory(request.layout, "a layout is a directory that holds manifest and rootfs", stack)
        yield Sources(request, layout, given, patterns)


def _collect_patterns(request: SourceRequest) -> list[Pattern]:
    """Return the patterns of the file, then those of the command line, which have the last word."""
    patterns: list[Pattern] = []
    if request.ignore_file is not None:
        with ExitStack() as stack:
            descriptor = _open(request.ignore_file, os.O_RDONLY | os.O_CLOEXEC, stack)
            patterns = parse_patterns(read_limited(descriptor, limits.IGNORE_FILE_BYTES), request.ignore_file)
    try:
        return patterns + [parse_pattern(text, "--exclude") for text in request.exclude]
    except FormatError as error:
        raise UsageError(error.what, error.why) from None


def _open_manifest(path: str, stack: ExitStack) -> int:
    if path == STANDARD_INPUT:
        return _keep_input(stack)
    descriptor = _open(path, _MANIFEST, stack)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise UsageError(path, "not a regular file", "the manifest of an image has an owner and a time")
    return descriptor


def _keep_input(stack: ExitStack) -> int:
    """Return a file with what standard input holds: the caller's, with the mode of a manifest, of no time but the first."""
    if os.isatty(0):
        raise UsageError("--manifest -", "standard input is a terminal", "use a pipe or name a file")
    data = read_limited(0, limits.MANIFEST_BYTES)
    descriptor = os.memfd_create("manifest")
    stack.callback(os.close, descriptor)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.fchmod(descriptor, 0o644)
    os.utime(descriptor, (0, 0))
    return descriptor


def _open_directory(path: str, hint: str, stack: ExitStack) -> int:
    try:
        return _open(path, _DIRECTORY, stack, "no such directory")
    except NotADirectoryError:
        raise UsageError(path, "not a directory", hint) from None


def _open(path: str, flags: int, stack: ExitStack, absent: str = "no such file") -> int:
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise MissingInputError(path or '""', absent) from None
    stack.callback(os.close, descriptor)
    return descriptor
