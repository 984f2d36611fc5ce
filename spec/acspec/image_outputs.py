"""Where images and signatures may be written: names that the specification allows, `-` for standard output, nothing that is there.

Source: aci.md, Image Archives (the name of the file).
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

from acspec.durable import NewFile, umasked
from acspec.errors import OutputError, OutputExistsError, OutputNameError, UsageError
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STANDARD_OUTPUT = "-"
_IMAGE = ".aci"
_SIGNATURE = ".aci.asc"
OVERWRITE = "--overwrite replaces it"


def is_image_output(path: str) -> bool:
    """Tell whether *path* is where an image goes, rather than a directory. Source: aci.md, Image Archives."""
    return path == STANDARD_OUTPUT or path.endswith(_IMAGE)


def check_image_output(path: str, *, overwrite: bool, hint: str = OVERWRITE) -> None:
    """Check, before anything is read, that an image may be written to *path*.

    Raises: OutputNameError for a name without `.aci`; OutputExistsError; UsageError for a terminal.
    Source: aci.md, Image Archives.
    """
    if path == STANDARD_OUTPUT:
        if os.isatty(1):
            raise UsageError("standard output", "an image is not for a terminal", "use a pipe or name a file")
        return
    _check_file(path, "an image", _IMAGE, overwrite, hint)


def check_signature_output(path: str, *, overwrite: bool) -> None:
    """Check that a signature may be written to the file *path*. Raises: OutputNameError; OutputExistsError.

    Source: aci.md, Image Archives.
    """
    _check_file(path, "a signature", _SIGNATURE, overwrite, OVERWRITE)


def _check_file(path: str, kind: str, suffix: str, overwrite: bool, hint: str) -> None:
    if not path.endswith(suffix):
        raise OutputNameError(path or '""', f"the name of {kind} must end in {suffix}")
    if not overwrite and os.path.lexists(path):
        raise OutputExistsError(path, "already exists", hint)


class Output(Value):
    """Where the bytes of an image go: `write` takes them; `identity` is the device and inode of the file, None for a stream."""

    write: Callable[[bytes | bytearray], object]
    identity: tuple[int, int] | None = None


@contextmanager
def new_output(path: str, *, overwrite: bool) -> Iterator[Output]:
    """Open *path* for a new image; a file takes its name at the end of the block, and is gone when that is left by an exception.

    Raises: OutputError, an OutputExistsError when somebody else was faster; OSError.
    """
    if path == STANDARD_OUTPUT:
        yield Output(sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    with NewFile(path, mode=umasked(0o666)) as file:
        yield output_of(file)
        try:
            file.commit(overwrite=overwrite)
        except OutputError as error:
            raise OutputExistsError(path, "has appeared meanwhile", OVERWRITE) from error


def output_of(file: NewFile) -> Output:
    """Return *file* as an output. Raises: OSError."""
    status = os.fstat(file.fd)
    return Output(file.write, (status.st_dev, status.st_ino))
