"""Files of a layout that are left out of its image, by patterns as in gitignore(5), counted from the root file system.

The only module with pathspec, which is imported when there are patterns. What they do not see is never opened either: a directory
that is left out is not entered.

Source: gitignore(5), Pattern Format; spec/image-archive.md, Writing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from acspec import limits
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

IGNORE_FILE = b".aciignore"  # of a layout directory, beside manifest and rootfs

_WITH_ROOTFS = "rootfs/"


class Pattern(NamedTuple):
    """A pattern with its place, as errors name it (`FILE:LINE`, or an option), and the number of its line, 0 for an option."""

    text: str
    place: str
    line: int = 0


class Ignored:
    """The paths that patterns leave out; the last pattern that fits a path decides."""

    __slots__ = ("_spec", "_unmatched")

    def __init__(self, spec: GitIgnoreSpec, patterns: Sequence[Pattern]) -> None:
        """Go by *spec*, which was made of *patterns*."""
        self._spec = spec
        self._unmatched: list[tuple[Pattern, GitIgnoreSpecPattern]] = list(zip(patterns, spec.patterns, strict=True))

    def covers(self, path: bytes, *, is_directory: bool) -> bool:
        """Tell whether *path*, relative to the root file system, is left out; of what is below one that is, nobody asks."""
        text = os.fsdecode(path + b"/" if is_directory else path)
        if self._unmatched:
            self._unmatched = [pair for pair in self._unmatched if pair[1].match_file(text) is None]
        return self._spec.match_file(text)

    @property
    def unmatched(self) -> list[Pattern]:
        """The patterns that have fitted no path so far."""
        return [pattern for pattern, _ in self._unmatched]


def explain_unmatched(pattern: Pattern) -> str:
    """Return in words that *pattern* has fitted nothing, with what is often the reason.

    Source: gitignore(5), Pattern Format.
    """
    hint = ""
    if pattern.text.startswith("!"):
        hint = " (nothing comes back out of a directory that is left out)"
    elif pattern.text.lstrip("/").startswith(_WITH_ROOTFS):
        hint = " (patterns count from the rootfs on)"
    return f'pattern "{escape(pattern.text)}" fits nothing{hint}'


def parse_patterns(data: bytes, what: str) -> list[Pattern]:
    """Return the patterns in *data* (UTF-8, a line each, at most 1 MiB), in their order; *what* names it in errors.

    Raises: FormatError.
    Source: gitignore(5), Pattern Format.
    """
    if len(data) > limits.IGNORE_FILE_BYTES:
        raise FormatError(what, f"larger than the limit of {limits.IGNORE_FILE_BYTES} bytes")
    lines = os.fsdecode(data).replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines[: limits.IGNORE_PATTERNS * 10], 1):
        _check(line, f"{what}:{number}")
    patterns = [
        Pattern(line, f"{what}:{number}", number)
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]
    if len(patterns) > limits.IGNORE_PATTERNS:
        raise FormatError(what, f"more than the limit of {limits.IGNORE_PATTERNS} patterns")
    return patterns


def parse_pattern(text: str, what: str) -> Pattern:
    """Return *text*, which stands at *what*, when it is a pattern. Raises: FormatError. Source: gitignore(5), Pattern Format."""
    if not text.strip() or text.startswith("#"):
        raise FormatError(what, f'"{escape(text)}" is no pattern')
    _check(text, what)
    return Pattern(text, what)


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


def make_ignored(patterns: Sequence[Pattern]) -> Ignored | None:
    """Return what *patterns*, checked already, leave out; None when there are none. Source: gitignore(5), Pattern Format."""
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    return Ignored(GitIgnoreSpec.from_lines([pattern.text for pattern in patterns]), patterns)
