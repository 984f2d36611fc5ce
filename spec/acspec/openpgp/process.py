"""gpg started, and what its status lines say.

Source: gpg(1); GnuPG doc/DETAILS, Format of the --status-fd output.
"""

from __future__ import annotations

import os
import subprocess

from acspec.errors import MissingInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# --verbose is absent on purpose: it once let file names into the status lines (CVE-2018-12020).
OPTIONS = ("--no-options", "--batch", "--no-tty", "--no-autostart", "--no-auto-key-retrieve", "--trust-model", "always")
PIPE_BYTES = 1 << 20  # of a pipe to or from gpg, where the user may have as much
_STATUS = b"[GNUPG:] "


def start_gpg(words: Sequence[str], *, environment: Mapping[str, str] | None = None, **how: Any) -> subprocess.Popen[bytes]:
    """Start gpg with *words*; without an *environment* it gets to know no more than where programs are.

    Raises: MissingInputError without gpg; OSError.
    Source: gpg(1).
    """
    known = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"} if environment is None else environment
    try:
        return subprocess.Popen(["gpg", *words], env=known, bufsize=0, stderr=subprocess.DEVNULL, **how)
    except FileNotFoundError:
        raise without_gpg() from None


def without_gpg() -> MissingInputError:
    """Return the error of a machine that has no gpg.

    Source: spec/exit-codes.md.
    """
    return MissingInputError("gpg", "is not installed", "apt-get install gnupg")


def parse_status(status: bytes) -> list[list[str]]:
    """Return the words of each status line in what gpg wrote: a line counts only by its beginning.

    Source: GnuPG doc/DETAILS, Format of the --status-fd output.
    """
    lines = (line[len(_STATUS) :] for line in status.split(b"\n") if line.startswith(_STATUS))
    return [line.decode("utf-8", "replace").split(" ") for line in lines]
