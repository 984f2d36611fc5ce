"""Where images and signatures may be written: names that the specification allows, `-` for standard output, nothing that is there.

Source: aci.md, Image Archives (the name of the file).
"""

from __future__ import annotations

import os

from acspec.errors import OutputExistsError, OutputNameError, UsageError

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
        raise OutputNameError(path, f"the name of {kind} must end in {suffix}")
    if not overwrite and os.path.lexists(path):
        raise OutputExistsError(path, "already exists", hint)
