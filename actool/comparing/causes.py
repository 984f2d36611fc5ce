"""Why an image is not what a layout builds: the differences counted by kind, each kind with what may have caused it.

Source: reproducible-builds.org, SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acspec.escape import escape
from acspec.values import Value
from actool.comparing.comparison import MANIFEST_WORD, AnyDifference
from actool.comparing.difference_lines import ADDED, REMOVED, change_of
from actool.comparing.differences import TYPE, WORDS
from actool.comparing.manifest_differences import PlaceDifference
from actool.comparing.snapshot import File
from actool.json_lines import decode_name

FORM, COMPRESSION = "form", "compression"

_ORDER = (MANIFEST_WORD, REMOVED, ADDED, TYPE, *WORDS)
_EXAMPLES = 3
_SECOND = 10**9
_ROOT = (0, 0)
_PLACES = {ADDED: "only in the image", REMOVED: "only in the layout"}
_HINTS = {
    "mode": "made under another umask? --fixed-modes gives all the modes that git knows",
    "owner": "made by another user? --owner-root lets root own every file",
    "time": "made anew? SOURCE_DATE_EPOCH caps all times",
    FORM: "made by another program, or another version of this one?",
    COMPRESSION: "by another encoder or version? --compression-encoder chooses one",
}


class Cause(Value):
    """A kind of difference: the word for it, how many there are, the first few places, and what to think of."""

    word: str
    count: int
    examples: tuple[str, ...] = ()
    hint: str = ""

    @property
    def line(self) -> str:
        """The cause on one line, for people; all of it is printable."""
        rest = self.count - len(self.examples)
        places = ", ".join(map(escape, self.examples)) + (f" and {rest:,} more" if rest > 0 else "")
        said = {
            FORM: f"the same files, written otherwise: {places}",
            COMPRESSION: "the same image, compressed otherwise",
        }.get(self.word, f"{self.count:,} {_PLACES.get(self.word, 'differ')}: {places}")
        return f"{self.word:<11} {said}{f' ({self.hint})' if self.hint else ''}"


def find_causes(differences: Iterable[AnyDifference]) -> list[Cause]:
    """Return what the *differences* between what a layout builds, the old one, and an image come from, one cause for each word.

    Source: reproducible-builds.org, SOURCE_DATE_EPOCH.
    """
    tallies: dict[str, _Tally] = {}
    for difference in differences:
        for word in _words_of(difference):
            tallies.setdefault(word, _Tally(word)).add(difference)
    return [tallies[word].cause for word in _ORDER if word in tallies]


def form_cause(ways: tuple[str, ...]) -> Cause:
    """Return the cause for an image that holds the same as a layout, but is written otherwise in some *ways*."""
    return Cause(FORM, len(ways), ways, _HINTS[FORM])


def compression_cause() -> Cause:
    """Return the cause for an image that is the same until it is compressed."""
    return Cause(COMPRESSION, 1, (), _HINTS[COMPRESSION])


def _words_of(difference: AnyDifference) -> Iterator[str]:
    if isinstance(difference, PlaceDifference):
        yield MANIFEST_WORD
    elif difference.words:
        yield from difference.words
    else:
        yield change_of(difference)


class _Tally:
    """The differences of one word, as they are counted."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._count = 0
        self._examples: list[str] = []
        self._time: int | None = None  # that of all files in the image, as long as it is one
        self._by_epoch = word == "time"
        self._by_owner = word == "owner"

    def add(self, difference: AnyDifference) -> None:
        self._count += 1
        if len(self._examples) < _EXAMPLES:
            self._examples.append(difference.place if isinstance(difference, PlaceDifference) else decode_name(difference.path))
        if not isinstance(difference, PlaceDifference) and difference.old is not None and difference.new is not None:
            self._look_at(difference.old, difference.new)

    def _look_at(self, built: File, found: File) -> None:
        """Narrow down what may be the cause by the next file that differs."""
        if self._time is None:
            self._time = found.entry.mtime_ns
        later = built.entry.mtime_ns > found.entry.mtime_ns
        self._by_epoch = self._by_epoch and later and found.entry.mtime_ns == self._time and not self._time % _SECOND
        self._by_owner = self._by_owner and (found.entry.uid, found.entry.gid) == _ROOT

    @property
    def cause(self) -> Cause:
        hint = _HINTS.get(self._word, "")
        if self._by_epoch and self._time is not None:
            hint = f"all as SOURCE_DATE_EPOCH={self._time // _SECOND} would make them"
        if self._by_owner:
            hint = "all as --owner-root would make them"
        return Cause(self._word, self._count, tuple(self._examples), hint)
