"""Files of a layout that are left out of its image, by patterns as in gitignore(5), counted from the root file system.

The only room with pathspec, which is imported when there are patterns. What they do not see is never opened either: a directory
that is left out is not entered.

Source: gitignore(5), Pattern Format; spec/image-archive.md, Writing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from acspec import limits
from acspec.errors import FormatError
from acspec.escape import escape

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = b".aciignore"  # of a layout directory, beside manifest and rootfs


class Ignored:
    """The paths that patterns leave out; the last pattern that fits a path decides."""

    __slots__ = ("_spec",)

    def __init__(self, spec: GitIgnoreSpec) -> None:
        self._spec = spec

    def covers(self, path: bytes, *, is_directory: bool) -> bool:
        """Tell whether *path*, relative to the root file system, is left out; of what is below one that is, nobody asks."""
        return self._spec.match_file(os.fsdecode(path + b"/" if is_directory else path))


def parse_patterns(data: bytes, what: str) -> list[str]:
    """Return the patterns in *data* (UTF-8, a line each, at most 1 MiB), in their order; *what* names it in errors.

    Raises: FormatError.
    Source: gitignore(5), Pattern Format.
    """
    if len(data) > limits.IGNORE_FILE_BYTES:
        raise FormatError(what, f"larger than the limit of {limits.IGNORE_FILE_BYTES} bytes")
    lines = os.fsdecode(data).replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines[: limits.IGNORE_PATTERNS * 10], 1):
        _check(line, f"{what}:{number}")
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(patterns) > limits.IGNORE_PATTERNS:
        raise FormatError(what, f"more than the limit of {limits.IGNORE_PATTERNS} patterns")
    return patterns


def parse_pattern(text: str, what: str) -> str:
    """Return *text* when it is a pattern. Raises: FormatError. Source: gitignore(5), Pattern Format."""
    if not text.strip() or text.startswith("#"):
        raise FormatError(what, f'"{escape(text)}" is no pattern')
    _check(text, what)
    return text


def _check(line: str, place: str) -> None:
    from pathspec import GitIgnoreSpec

    # Patterns become regular expressions, whose time grows with the power of the stars in one component.
    components = line.split("/")
    if max(0 if part == "**" else part.count("*") for part in components) > limits.PATTERN_STARS:
        raise FormatError(place, f"more than the limit of {limits.PATTERN_STARS} stars in one component")
    if components.count("**") > limits.PATTERN_ANY_DEPTHS:
        raise FormatError(place, f"more than the limit of {limits.PATTERN_ANY_DEPTHS} components **")
    try:
        patterns = GitIgnoreSpec.from_lines([line]).patterns
    except ValueError:
        raise FormatError(place, f'"{escape(line)}" is no pattern') from None
    # What the library reads as a pattern that fits nothing (an open bracket) is a slip of the pen.
    if line.strip() and not line.startswith("#") and not any(pattern.regex for pattern in patterns):
        raise FormatError(place, f'"{escape(line)}" is a pattern that nothing can match')


def make_ignored(patterns: Sequence[str]) -> Ignored | None:
    """Return what *patterns*, checked already, leave out; None when there are none. Source: gitignore(5), Pattern Format."""
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    return Ignored(GitIgnoreSpec.from_lines(patterns))
