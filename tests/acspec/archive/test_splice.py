"""Images copied with another manifest: every other byte of the tar stays where it is, and what is no image stays refused."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec import limits
from acspec.archive.compression import CHUNK, Compression
from acspec.archive.image import ImageReader, read_image
from acspec.archive.splice import Recompression, splice_manifest
from acspec.errors import FormatError
from tests.support import images, sparse
from tests.support.corpus import CORPUS, FILE, ROOTFS
from tests.support.images import BLOCK, archive, base256, header, long_name, manifest_bytes, member, pax

NEW = manifest_bytes(name="example.com/another", padding="x" * 700)
READABLE = [sentence for sentence, case in CORPUS.items() if not case.refused]
REFUSED = [sentence for sentence, case in CORPUS.items() if case.refused]


def splice(data: bytes, change: Callable[[bytes], bytes], compression: Compression | None = Compression.NONE) -> bytes:
    output = bytearray()
    written = splice_manifest(io.BytesIO(data), "x.aci", output.extend, change, Recompression(compression))
    if compression is Compression.NONE:
        assert written.tar_size == len(output)
        assert written.image_id == images.image_id(bytes(output))
    return bytes(output)


def uncompressed(data: bytes) -> bytes:
    tar = bytearray()
    with ImageReader(io.BytesIO(data), "x.aci", hashed=False, on_tar=tar.extend) as reader:
        for _ in reader:
            pass
    return bytes(tar)


def without_manifest(tar: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the manifest's member, the manifest, and what stands after it."""
    with ImageReader(io.BytesIO(tar), "x.aci") as reader:
        for entry in reader:
            if entry.name == b"manifest":
                return tar[: reader.header_offset], reader.manifest_bytes, tar[reader.end_offset :]
    raise AssertionError("no manifest")


@pytest.mark.parametrize("sentence", READABLE)
def test_all_but_the_manifest_stays_byte_for_byte_in(sentence: str) -> None:
    tar = uncompressed(CORPUS[sentence].data)
    before, _, after = without_manifest(tar)
    spliced = splice(CORPUS[sentence].data, lambda _: NEW)
    assert without_manifest(spliced) == (before, NEW, after)
    assert splice(CORPUS[sentence].data, lambda old: old) == tar


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_no_image_is_refused_in_the_same_words(sentence: str) -> None:
    case = CORPUS[sentence]
    with pytest.raises(FormatError) as reading, ImageReader(io.BytesIO(case.data), "x.aci") as reader:
        for _ in reader:
            pass
    with pytest.raises(FormatError) as splicing:
        splice(case.data, lambda _: NEW)
    assert str(splicing.value) == str(reading.value)


def without_sums(headers: bytes) -> list[tuple[bytes, bytes]]:
    """Return blocks without their checksums, which may be written in more than one way; that they are right, reading has shown."""
    blocks = [headers[start : start + BLOCK] for start in range(0, len(headers), BLOCK)]
    return [(block[:148], block[156:]) for block in blocks]


PLACES: dict[str, tuple[list[bytes], list[bytes]]] = {
    "first": ([], [ROOTFS, FILE]),
    "last": ([ROOTFS, FILE], []),
    "in the middle": ([ROOTFS], [FILE]),
    "behind a global header": ([pax({"mtime": "5", "uid": "7"}, "g"), ROOTFS, pax({"gid": "8"}, "g")], [FILE]),
    "behind a file larger than what is read at once": ([ROOTFS, member("rootfs/big", b"x" * (CHUNK + 700))], [FILE]),
    "with its header split between two pieces": ([ROOTFS, member("rootfs/big", b"x" * (CHUNK - 4 * BLOCK))], [FILE]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_manifest_is_replaced_where_it_stands(place: str, compression: str) -> None:
    before, after = PLACES[place]
    old = member("manifest", manifest_bytes(), mode=0o600, uid=3, gid=4, mtime=1_234_567, uname=b"who", gname=b"them")
    new = member("manifest", NEW, mode=0o600, uid=3, gid=4, mtime=1_234_567, uname=b"who", gname=b"them")
    spliced = splice(images.compress(archive([*before, old, *after]), compression), lambda _: NEW)
    expected = archive([*before, new, *after])
    start, end = len(b"".join(before)), len(b"".join(before)) + BLOCK
    assert (spliced[:start], spliced[end:]) == (expected[:start], expected[end:])
    assert without_sums(spliced[start:end]) == without_sums(expected[start:end])


HEADERS: dict[str, tuple[Callable[[int], bytes], str]] = {
    "a name with ./": (lambda size: header("./manifest", size=size), "the same"),
    "GNU's flavour": (lambda size: header("manifest", size=size, magic=b"ustar  \0"), "the same"),
    "V7's flavour": (lambda size: header("manifest", size=size, magic=bytes(8)), "the same"),
    "a long name of GNU's": (lambda size: long_name("./././manifest") + header("././@LongLink", size=size), "the same"),
    "a pax header": (lambda size: pax({"mtime": "7.5", "comment": "é"}) + header("manifest", size=size), "the same"),
    "a size in base-256": (lambda size: header("manifest", size=base256(size, 12)), "plain"),
    "a size by pax alone": (lambda size: pax({"size": str(size)}) + header("manifest"), "plain"),
    "a size by pax beside other things": (
        lambda size: pax({"path": "manifest", "size": str(size), "mtime": "7"}) + header("x", size=size),
        "shorter",
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_of_the_headers_nothing_but_the_size_changes_with(case: str) -> None:
    make, how = HEADERS[case]
    old = manifest_bytes()
    spliced = splice(archive([make(len(old)), images.padded(old), ROOTFS, FILE]), lambda _: NEW)
    expected = {
        "the same": lambda: make(len(NEW)),
        "plain": lambda: header("manifest", size=len(NEW)),
        "shorter": lambda: pax({"path": "manifest", "mtime": "7"}) + header("x", size=len(NEW)),
    }[how]()
    assert spliced[len(expected) :] == images.padded(NEW) + ROOTFS + FILE + images.END
    assert without_sums(spliced[: len(expected)]) == without_sums(expected)


@pytest.mark.parametrize("form", sparse.FORMS)
def test_a_sparse_manifest_is_refused_only_when_it_changes(form: str) -> None:
    content = manifest_bytes().ljust(3 * BLOCK)
    data = archive([sparse.FORMS[form](((0, len(content)), (len(content), 0)), len(content), content, name="manifest"), ROOTFS])
    assert splice(data, lambda old: old) == data
    with pytest.raises(FormatError, match='entry "manifest": a sparse file, whose size cannot be changed'):
        splice(data, lambda _: NEW)


@pytest.mark.parametrize("compression", Compression)
def test_a_copy_is_compressed_as_its_image_was(compression: Compression) -> None:
    spliced = splice(images.image({"f": b"x"}, compression=compression.value), lambda _: NEW, compression=None)
    scanned = read_image(io.BytesIO(spliced), "y.aci")
    assert (scanned.compression, scanned.manifest_bytes) == (compression, NEW)


def test_what_is_refused_of_a_manifest_ends_the_copy() -> None:
    def refuse(_: bytes) -> bytes:
        raise FormatError("x", "not this one")

    with pytest.raises(FormatError, match="not this one"):
        splice(images.image({"f": b"x"}), refuse)


def test_zeros_behind_the_end_are_kept() -> None:
    """An archive may end in any number of zeros, all of which belong to its ID."""
    data = images.compress(images.tar({}) + bytes(40 * limits.MIB), "gzip")
    assert len(splice(data, lambda _: NEW)) - len(images.tar({}, NEW)) == 40 * limits.MIB


BULKS = {
    "a large file": lambda: archive([member("manifest", manifest_bytes()), ROOTFS, member("rootfs/big", bytes(60 * limits.MIB))]),
    "a large file before the manifest": lambda: archive(
        [ROOTFS, member("rootfs/big", bytes(60 * limits.MIB)), member("manifest", manifest_bytes())]
    ),
    "zeros behind the end": lambda: images.tar({}) + bytes(60 * limits.MIB),
    "extended headers": lambda: archive(
        [member("manifest", manifest_bytes()), ROOTFS, *[pax({"comment": "x" * 1_000_000}, "g")] * 60], b""
    ),
}


@pytest.mark.parametrize("bulk", BULKS)
def test_memory_stays_flat_with(bulk: str) -> None:
    data = images.compress(BULKS[bulk](), "gzip")
    tracemalloc.start()
    try:
        splice_manifest(io.BytesIO(data), "x.aci", len, lambda _: NEW)
        assert tracemalloc.get_traced_memory()[1] < 24 * limits.MIB
    finally:
        tracemalloc.stop()


@given(
    some.binary(max_size=3000),
    some.lists(some.tuples(some.integers(0, 3 * CHUNK), some.booleans()), max_size=4),
    some.integers(0, 4),
)
def test_any_bytes_fit_in_anywhere(manifest: bytes, sizes: list[tuple[int, bool]], place: int) -> None:
    parts = [
        (pax({"comment": "x" * 600}) if long else b"") + member(f"rootfs/{n}", b"a" * size) for n, (size, long) in enumerate(sizes)
    ]
    parts.insert(0, ROOTFS)
    place = min(place, len(parts))
    data = archive([*parts[:place], member("manifest", manifest_bytes()), *parts[place:]])
    spliced = splice(data, lambda _: manifest)
    assert without_manifest(spliced) == (b"".join(parts[:place]), manifest, b"".join(parts[place:]) + images.END)


def test_a_descriptor_serves_as_well(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {"f": b"x"}, compression="none")
    output = bytearray()
    with (tmp_path / "x.aci").open("rb") as file:
        splice_manifest(file.fileno(), "x.aci", output.extend, lambda _: NEW)
    assert without_manifest(bytes(output))[1] == NEW
