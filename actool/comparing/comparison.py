"""Two images compared: their manifests by what they mean, their files by all that unpacking would keep.

Source: aci.md, Image Archives and Image Manifest Schema.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from acspec.errors import UsageError
from acspec.values import Value
from actool.comparing.differences import WORDS, Difference, find_differences
from actool.comparing.manifest_differences import PlaceDifference, find_manifest_differences
from actool.comparing.snapshot import Snapshot, read_snapshot
from actool.inputs import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

AnyDifference = Difference | PlaceDifference

MANIFEST_WORD = "manifest"
IGNORABLE = (*WORDS, MANIFEST_WORD)


class Comparison(Value):
    """Two images that have been read; iterate over it for what differs in them, and ask `form` when nothing does."""

    old: Snapshot
    new: Snapshot
    ignored: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[AnyDifference]:
        """Return the differences, those of the manifests first, then those of the files in the order of a tree.

        Raises: StorageError.
        """
        if self.old.image_id == self.new.image_id:
            return
        if MANIFEST_WORD not in self.ignored:
            yield from find_manifest_differences(self.old.manifest_bytes, self.new.manifest_bytes)
        yield from find_differences(self.old, self.new, self.ignored)

    @property
    def form(self) -> tuple[str, ...]:
        """In which ways two archives that hold the same are written otherwise; empty when their image IDs are equal."""
        if self.old.image_id == self.new.image_id:
            return ()
        ways = []
        if self.old.manifest_bytes != self.new.manifest_bytes:
            ways.append("the text of the manifest")
        if self.old.sequence != self.new.sequence:
            ways.append("the order of the entries")
        return tuple(ways) or ("the headers of the entries, or what pads the end",)


@contextmanager
def compared(old: str, new: str, ignored: frozenset[str], passphrase: Passphrase | None = None) -> Iterator[Comparison]:
    """Read two images or layout directories (one may be `-`, standard input), for the duration of a block.

    Raises: FormatError for a bad archive or manifest; MissingInputError; UsageError when both are standard input; StorageError;
        OSError.
    Source: aci.md, Image Archives.
    """
    if old == new == "-":
        raise UsageError("standard input", "can be read only once")
    key = os.urandom(16)
    with closing(Snapshot(key)) as first, closing(Snapshot(key)) as second:
        for snapshot, path in ((first, old), (second, new)):
            with opened(path, passphrase) as source:
                read_snapshot(snapshot, source)
        yield Comparison(first, second, ignored)


def parse_ignored(values: Sequence[str]) -> frozenset[str]:
    """Return the words in *values*, each of them one or more with commas between. Raises: UsageError for an unknown one."""
    words = [word for value in values for word in value.split(",")]
    for word in words:
        if word not in IGNORABLE:
            raise UsageError("--ignore", f'"{word}" is nothing that can be ignored', ", ".join(IGNORABLE))
    return frozenset(words)
