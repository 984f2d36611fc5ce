"""The rules of an image archive, each broken by a file that breaks only it."""

from __future__ import annotations

import io

import pytest

from acspec import limits
from acspec.archive.entry import Entry, Kind
from acspec.archive.faults import Fault
from acspec.archive.image import read_image
from acspec.archive.layout import Layout
from acspec.errors import FormatError
from tests.support.images import END, archive, header, long_name, manifest_bytes, member, pax

MANIFEST = member("manifest", manifest_bytes())
ROOTFS = member("rootfs/", kind="5", mode=0o755)
START = [MANIFEST, ROOTFS]
FILE = member("rootfs/f", b"data")

GOOD = {
    "nothing but the two names": START,
    "the rootfs before the manifest": [ROOTFS, MANIFEST],
    "the manifest last": [ROOTFS, FILE, MANIFEST],
    "a rootfs without a slash at its end": [MANIFEST, member("rootfs", kind="5")],
    "names that begin with ./": [
        member("./", kind="5"),
        member("./manifest", manifest_bytes()),
        member("./rootfs/", kind="5"),
        member("./rootfs/f"),
        member("./rootfs/g", kind="1", link="./rootfs/f"),
    ],
    "a file whose directory has no entry": [*START, member("rootfs/a/b/c")],
    "a directory after what is in it": [*START, member("rootfs/a/b"), member("rootfs/a/", kind="5")],
    "the rootfs after what is in it": [MANIFEST, FILE, ROOTFS],
    "a hard link to a file": [*START, FILE, member("rootfs/g", kind="1", link="rootfs/f")],
    "a hard link to a hard link": [
        *START,
        FILE,
        member("rootfs/g", kind="1", link="rootfs/f"),
        member("rootfs/h", kind="1", link="rootfs/g"),
    ],
    "symbolic links to anywhere": [
        *START,
        member("rootfs/a", kind="2", link="/etc/passwd"),
        member("rootfs/b", kind="2", link="../../../../etc"),
        member("rootfs/c", kind="2", link="c"),
    ],
    "devices and a FIFO": [
        *START,
        member("rootfs/null", kind="3", major=1, minor=3),
        member("rootfs/loop", kind="4", major=7, minor=1048575),
        member("rootfs/fifo", kind="6"),
    ],
    "names that are not UTF-8 and hold control codes": [*START, member(b"rootfs/\xff\x1b[2J\n")],
    "names that differ in case only": [*START, FILE, member("rootfs/F")],
    "a contiguous file": [*START, member("rootfs/f", b"data", kind="7")],
    "a file in the old way": [*START, member("rootfs/f", b"data", kind=b"\0")],
    "a directory in the old way": [*START, member("rootfs/d/", kind=b"\0"), member("rootfs/d/f")],
    "owners by number and by another name": [*START, member("rootfs/f", uid=1000, uname=b"root", gname=b"root")],
    "a mode with the type of the file in it": [*START, member("rootfs/f", mode=0o100644)],
    "a file over its name in dots": [*START, member("rootfs/...")],
}


@pytest.mark.parametrize("parts", GOOD.values(), ids=GOOD)
def test_an_image_may_have(parts: list[bytes]) -> None:
    assert read_image(io.BytesIO(archive(parts)), "x.aci").warnings == ()


BAD = {
    # names
    "a name above the image": ([*START, member("../x")], 'entry "../x": the name holds ".."'),
    "a name above the rootfs": ([*START, member("rootfs/../x")], 'the name holds ".."'),
    "an absolute name": ([*START, member("/rootfs/x")], 'entry "/rootfs/x": the name is absolute'),
    "an absolute manifest": ([member("/manifest", manifest_bytes()), ROOTFS], "the name is absolute"),
    "an empty name": ([*START, member("")], "the name is empty"),
    "a third top-level file": ([*START, member("README")], 'entry "README": outside rootfs'),
    "a third top-level directory": ([*START, member("etc/", kind="5")], "outside rootfs"),
    "a directory whose name begins like the rootfs": ([*START, member("rootfsevil/x")], "outside rootfs"),
    "something below the manifest": ([*START, member("manifest/x")], "outside rootfs"),
    # the two names
    "no manifest": ([ROOTFS], "there is no manifest in it"),
    "no rootfs": ([MANIFEST], "there is no directory rootfs in it"),
    "a rootfs that is only implied": ([MANIFEST, FILE], "there is no directory rootfs in it"),
    "a manifest that is a directory": ([member("manifest", kind="5"), ROOTFS], "must be a regular file, not a directory"),
    "a manifest that is a symbolic link": (
        [ROOTFS, FILE, member("manifest", kind="2", link="rootfs/f")],
        "must be a regular file, not a symbolic link",
    ),
    "a manifest that is a hard link": (
        [ROOTFS, FILE, member("manifest", kind="1", link="rootfs/f")],
        "must be a regular file, not a hard link",
    ),
    "a manifest that is a FIFO": ([member("manifest", kind="6"), ROOTFS], "must be a regular file, not a FIFO"),
    "a manifest larger than the limit": (
        [member("manifest", bytes(limits.MANIFEST_BYTES + 1)), ROOTFS],
        "larger than the limit of 1048576 bytes",
    ),
    "a rootfs that is a file": ([MANIFEST, member("rootfs")], "must be a directory, not a regular file"),
    "a rootfs that is a link": ([MANIFEST, member("rootfs", kind="2", link="/")], "must be a directory, not a symbolic link"),
    "a dot that is a link": ([member(".", kind="2", link="/"), *START], "must be a directory, not a symbolic link"),
    # duplicates
    "two manifests": ([*START, MANIFEST], 'entry "manifest": appears twice'),
    "two rootfs": ([*START, ROOTFS], "appears twice"),
    "a file twice": ([*START, FILE, FILE], 'entry "rootfs/f": appears twice'),
    "a file twice, far apart": ([*START, FILE, *[member(f"rootfs/{n}") for n in range(2000)], FILE], "appears twice"),
    "a directory twice": ([*START, member("rootfs/d/", kind="5"), member("rootfs/d", kind="5")], "appears twice"),
    "a file twice, disguised by a dot": ([*START, FILE, member("rootfs/./f")], "appears twice"),
    "a file twice, disguised by slashes": ([*START, FILE, member("rootfs//f")], "appears twice"),
    "a file twice, disguised by a dot at the start": ([*START, FILE, member("./rootfs/f")], "appears twice"),
    "a file twice, disguised by pax": ([*START, FILE, pax({"path": "rootfs/f"}), member("rootfs/g")], "appears twice"),
    "a file twice, disguised by GNU": ([*START, FILE, long_name("rootfs/f"), member("rootfs/g")], "appears twice"),
    "a file twice, disguised by a prefix": ([*START, FILE, member("f", prefix=b"rootfs")], "appears twice"),
    "a file twice, disguised by a zero byte": ([*START, FILE, member(b"rootfs/f\0x")], "appears twice"),
    "a file that is also a link": ([*START, FILE, member("rootfs/f", kind="2", link="x")], "appears twice"),
    "a file that is also a hard link": ([*START, FILE, member("rootfs/f", kind="1", link="rootfs/f")], "appears twice"),
    "a file where a directory is implied": (
        [*START, member("rootfs/a/b"), member("rootfs/a")],
        'entry "rootfs/a": not a directory, but other entries are inside it',
    ),
    # ways
    "a path through a link": (
        [*START, member("rootfs/l", kind="2", link="/etc"), member("rootfs/l/passwd")],
        'entry "rootfs/l/passwd": "rootfs/l" on its way is not a directory',
    ),
    "a long path through a link": (
        [*START, member("rootfs/l", kind="2", link="/etc"), member("rootfs/l/a/b/c")],
        '"rootfs/l" on its way is not a directory',
    ),
    "a path through a file": ([*START, FILE, member("rootfs/f/x")], '"rootfs/f" on its way is not a directory'),
    "a path through a hard link": (
        [*START, FILE, member("rootfs/g", kind="1", link="rootfs/f"), member("rootfs/g/x")],
        "on its way is not a directory",
    ),
    "a file whose name ends in a slash": ([*START, member("rootfs/f/")], "a regular file whose name ends in a slash"),
    "a link whose name ends in a slash": ([*START, member("rootfs/f/", kind="2", link="x")], "whose name ends in a slash"),
    # hard links
    "a hard link to what comes later": (
        [*START, member("rootfs/g", kind="1", link="rootfs/f"), FILE],
        "not in the archive before it",
    ),
    "a hard link to itself": ([*START, member("rootfs/g", kind="1", link="rootfs/g")], "not in the archive before it"),
    "a hard link to nothing": ([*START, member("rootfs/g", kind="1")], "the name is empty"),
    "a hard link out of the image": ([*START, member("rootfs/g", kind="1", link="/etc/passwd")], "the name is absolute"),
    "a hard link above the image": ([*START, member("rootfs/g", kind="1", link="rootfs/../../x")], 'the name holds ".."'),
    "a hard link to the manifest": ([*START, member("rootfs/g", kind="1", link="manifest")], "which is outside rootfs"),
    "a hard link to the rootfs": ([*START, member("rootfs/g", kind="1", link="rootfs")], "which is outside rootfs"),
    "a hard link to a directory": (
        [*START, member("rootfs/d", kind="5"), member("rootfs/g", kind="1", link="rootfs/d")],
        "which is a directory",
    ),
    "a hard link to an implied directory": (
        [*START, member("rootfs/d/f"), member("rootfs/g", kind="1", link="rootfs/d")],
        "which is a directory",
    ),
    # data where none belongs
    "data after a hard link": ([*START, FILE, member("rootfs/g", b"data", kind="1", link="rootfs/f")], "data after a hard link"),
    "data after a symbolic link": ([*START, member("rootfs/g", b"data", kind="2", link="f")], "data after a symbolic link"),
    "data after a directory": ([*START, member("rootfs/d", b"data", kind="5")], "data after a directory"),
    "data after a device": ([*START, member("rootfs/d", b"data", kind="3")], "data after a character device"),
    "data after a FIFO": ([*START, member("rootfs/d", b"data", kind="6")], "data after a FIFO"),
    "data after a link, said by pax": (
        [*START, pax({"size": "4"}), member("rootfs/g", kind="2", link="f")],
        "data after a symbolic link",
    ),
    # types
    "a symbolic link to nothing": ([*START, member("rootfs/l", kind="2")], "a symbolic link without a target"),
    "a sparse file of GNU": ([*START, member("rootfs/s", kind="S")], "sparse file"),
    "a sparse file by pax": ([*START, pax({"GNU.sparse.major": "1"}), member("rootfs/s")], "sparse file"),
    "a multi-volume part": ([*START, member("rootfs/s", kind="M")], "multi-volume"),
    "a volume label": ([member("label", kind="V"), *START], "volume label"),
    "a type of nobody's": ([*START, member("rootfs/s", kind="Z")], "unknown type"),
    "a device that is no number": ([*START, member("rootfs/n", kind="3", major=b"x")], "bad major field"),
    "a device beyond what there are": ([*START, member("rootfs/n", kind="3", major=4096)], "major 4096 is out of range"),
}


@pytest.mark.parametrize(("parts", "why"), BAD.values(), ids=BAD)
def test_an_image_is_refused_with(parts: list[bytes], why: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_image(io.BytesIO(archive(parts)), "x.aci")
    assert caught.value.what == "x.aci"
    assert why in caught.value.why
    assert str(caught.value).isprintable()


def test_the_number_of_entries_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_ENTRIES", 10)
    rules = Layout()
    for number in range(9):  # the rootfs is the tenth
        rules.check(Entry(b"rootfs/%d" % number, Kind.FILE))
    with pytest.raises(Fault, match="more than the limit of 10 entries"):
        rules.check(Entry(b"rootfs/x", Kind.FILE))


def test_implied_directories_count_as_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_ENTRIES", 10)
    with pytest.raises(Fault, match="more than the limit of 10 entries"):
        Layout().check(Entry(b"rootfs/" + b"a/" * 20 + b"b", Kind.FILE))


def test_a_name_is_escaped_in_the_error() -> None:
    with pytest.raises(FormatError, match=r"\\x1b\[2J\\x0aactool: fine"):
        read_image(io.BytesIO(archive([*START, member(b"\x1b[2J\nactool: fine")])), "x.aci")


ENDS = {
    "no end at all": (b"", "without its two blocks of zeros"),
    "one block of zeros": (bytes(512), "one block of zeros instead of two"),
    "one block and a part": (bytes(700), "one block of zeros instead of two"),
}


@pytest.mark.parametrize(("end", "warning"), ENDS.values(), ids=ENDS)
def test_an_archive_is_read_with_a_warning_that_has(end: bytes, warning: str) -> None:
    (found,) = read_image(io.BytesIO(archive(START, end)), "x.aci").warnings
    assert warning in found


@pytest.mark.parametrize("zeros", [1024, 1025, 10240, 1 << 20])
def test_any_number_of_zeros_may_follow_the_end(zeros: int) -> None:
    assert read_image(io.BytesIO(archive(START, bytes(zeros))), "x.aci").warnings == ()


CUTS = {
    "a part of a header": archive([*START, FILE[:100]], b""),
    "a part of a file": archive([*START, FILE[:513]], b""),
    "a header without the data that it promises": archive([*START, header("rootfs/f", size=1 << 30)], b""),
    "data after the end": archive(START, END + b"x"),
    "an entry after one block of zeros": archive([*START, bytes(512), FILE]),
    "an entry far after the end": archive([*START, bytes(1 << 20), FILE]),
    "an extended header without an entry": archive([*START, pax({"path": "rootfs/f"})]),
    "a long name without an entry": archive([*START, long_name("rootfs/f")]),
    "two extended headers for one entry": archive([*START, pax({"uid": "1"}), pax({"gid": "1"}), FILE]),
    "two long names for one entry": archive([*START, long_name("rootfs/g"), long_name("rootfs/h"), FILE]),
    "long names of GNU and of pax": archive([*START, long_name("rootfs/g"), pax({"path": "rootfs/h"}), FILE]),
    "long names of pax and of GNU": archive([*START, pax({"path": "rootfs/h"}), long_name("rootfs/g"), FILE]),
    "a global header between a long name and its entry": archive([*START, long_name("rootfs/g"), pax({"uid": "1"}, "g"), FILE]),
    "an extended header larger than the limit": archive([*START, header("x", kind="x", size=(1 << 33) - 1), FILE]),
    "a long name larger than the limit": archive([*START, header("x", kind="L", size=1 << 21), FILE]),
    "a long name with a zero byte in it": archive([*START, member("x", b"rootfs/a\0b\0", kind="L"), FILE]),
}


@pytest.mark.parametrize("content", CUTS.values(), ids=CUTS)
def test_an_archive_is_refused_that_has(content: bytes) -> None:
    with pytest.raises(FormatError, match=r"x\.aci: "):
        read_image(io.BytesIO(content), "x.aci")
