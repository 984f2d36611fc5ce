"""A rule for make(1) that says which files an image was made of, so that it is made again when one of them changes.

Directories are among them: a file that comes or goes changes the time of its directory. Each file is a target by itself as well,
so that one that has gone is no error. A name that make has no spelling for is left to its directory, and so are links: make would
look at what they lead to on this machine.

Source: GNU make manual, Rule Syntax, and Generating Prerequisites Automatically.
"""

from __future__ import annotations

import os
from io import BufferedWriter, FileIO
from types import TracebackType

from acspec.durable import NewFile, umasked
from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

# How GNU make 4 takes each, tried one by one, at the start, in the middle and at the end of a name.
_SPELLINGS = {ord(character): "\\" + character for character in " #:*?["} | {ord("$"): "$$", ord("="): "$(_eq)"}
_NO_SPELLING = frozenset("\n\t\\;|()")
_EQUALS = b"_eq := =\n"  # an equals sign as such makes a variable of the rule


class Depfile:
    """The rule for one target, written while the image is made; it takes its name at `commit`. Used as a context manager."""

    def __init__(self, path: str, target: str) -> None:
        """Begin the file *path* with the rule for *target*. Raises: UsageError; OutputError; OSError."""
        if not _has_spelling(target):
            raise UsageError(target, "make has no spelling for such a name")
        self._file = NewFile(path, mode=umasked(0o666))
        self._targets = bytearray()
        self._stream = BufferedWriter(FileIO(self._file.fd, "wb", closefd=False))
        self._stream.write(_EQUALS + os.fsencode(quote_target(target)) + b" :")

    def add(self, path: str) -> None:
        """Add a file that the target depends on. Raises: OSError."""
        if _has_spelling(path):
            self._stream.write(b" \\\n " + os.fsencode(quote(path)))
            self._targets += os.fsencode(quote_target(path)) + b" :\n"

    def commit(self) -> None:
        """End the rule and give the file its name. Raises: OSError."""
        self._stream.write(b"\n\n" + self._targets)
        self._stream.flush()
        self._file.commit(overwrite=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the file when it was not committed."""
        self._file.close()


def _has_spelling(path: str) -> bool:
    return _NO_SPELLING.isdisjoint(path) and not path.endswith((" ", "\r", "\v", "\f"))


def quote(path: str) -> str:
    r"""Return *path* as make reads it among the prerequisites of a rule.

    >>> print(quote("a b$c#d"))
    a\ b$$c\#d

    Source: GNU make manual, Rule Syntax.
    """
    # A word of make's own (define, include) and a home directory (~root) are none behind a dot and a slash.
    relative = path if path.startswith(("/", ".")) or ("/" in path.rstrip("/") and path[:1] not in "~-") else f"./{path}"
    return relative.translate(_SPELLINGS)


def quote_target(path: str) -> str:
    r"""Return *path* as make reads it as the target of a rule.

    >>> print(quote_target("50%"))
    50\%

    Source: GNU make manual, Rule Syntax, and Pattern Intro.
    """
    return quote(path).replace("%", "\\%")
