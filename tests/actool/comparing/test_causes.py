"""Why an image is not what a layout builds, told from the differences."""

from __future__ import annotations

import pytest

from acspec.archive.entry import Entry, Kind
from actool.comparing.causes import compression_cause, find_causes, form_cause
from actool.comparing.comparison import AnyDifference
from actool.comparing.differences import Difference
from actool.comparing.manifest_differences import MISSING, PlaceDifference
from actool.comparing.snapshot import NO_DIGEST, File

DAY = 86_400


def file(mtime: float = 0, uid: int = 0) -> File:
    return File(Entry(b"", Kind.FILE, uid=uid, mtime_ns=int(mtime * 10**9)), NO_DIGEST)


def timed(*times: tuple[float, float]) -> list[AnyDifference]:
    return [Difference(b"rootfs/%d" % at, file(built), file(found), ("time",)) for at, (built, found) in enumerate(times)]


def owned(*owners: tuple[int, int]) -> list[AnyDifference]:
    return [Difference(b"rootfs/%d" % at, file(uid=built), file(uid=found), ("owner",)) for at, (built, found) in enumerate(owners)]


# Differences, and the lines that tell their causes.
CASES: dict[str, tuple[list[AnyDifference], list[str]]] = {
    "no difference": ([], []),
    "times that one SOURCE_DATE_EPOCH makes": (
        timed((DAY + 1, DAY), (DAY + 0.5, DAY)),
        ["time        2 differ: rootfs/0, rootfs/1 (all as SOURCE_DATE_EPOCH=86400 would make them)"],
    ),
    "times of which one is earlier": (
        timed((DAY + 1, DAY), (DAY - 1, DAY)),
        ["time        2 differ: rootfs/0, rootfs/1 (made anew? SOURCE_DATE_EPOCH caps all times)"],
    ),
    "times that are not one": (
        timed((DAY + 1, DAY), (DAY + 2, DAY + 1)),
        ["time        2 differ: rootfs/0, rootfs/1 (made anew? SOURCE_DATE_EPOCH caps all times)"],
    ),
    "a time that is no whole second": (
        timed((DAY + 1, DAY + 0.5)),
        ["time        1 differ: rootfs/0 (made anew? SOURCE_DATE_EPOCH caps all times)"],
    ),
    "owners that are root's in the image": (
        owned((5, 0), (6, 0)),
        ["owner       2 differ: rootfs/0, rootfs/1 (all as --owner-root would make them)"],
    ),
    "owners of which one is not root in the image": (
        owned((5, 0), (6, 7)),
        ["owner       2 differ: rootfs/0, rootfs/1 (made by another user? --owner-root lets root own every file)"],
    ),
    "more than three": (
        [Difference(b"rootfs/%d" % at, file(), file(), ("content",)) for at in range(1234)],
        ["content     1,234 differ: rootfs/0, rootfs/1, rootfs/2 and 1,231 more"],
    ),
    "what only one of them has, and a name with a control code": (
        [Difference(b"rootfs/\x1b", file(), None), Difference(b"rootfs/b", None, file())],
        ["removed     1 only in the layout: rootfs/\\x1b", "added       1 only in the image: rootfs/b"],
    ),
    "several words for one file, in an order of their own": (
        [PlaceDifference("app", MISSING, {}), Difference(b"rootfs/a", file(), file(), ("content", "mode"))],
        [
            "manifest    1 differ: app",
            "content     1 differ: rootfs/a",
            "mode        1 differ: rootfs/a (made under another umask? --fixed-modes gives all the modes that git knows)",
        ],
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_causes_are_counted_and_explained(sentence: str) -> None:
    differences, lines = CASES[sentence]
    assert [cause.line for cause in find_causes(differences)] == lines


def test_what_only_looks_otherwise_has_causes_too() -> None:
    assert form_cause(("the order of the entries",)).line == (
        "form        the same files, written otherwise: the order of the entries "
        "(made by another program, or another version of this one?)"
    )
    assert compression_cause().line.startswith("compression the same image, compressed otherwise (")
