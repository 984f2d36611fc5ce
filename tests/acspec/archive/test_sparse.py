"""Sparse files: as GNU tar and bsdtar write them, and by their maps."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acspec import limits
from acspec.archive.buffers import keep_buffers
from acspec.archive.compression import Compression
from acspec.archive.extract import TreeWriter
from acspec.archive.faults import Fault
from acspec.archive.image import ImageReader, read_image
from acspec.archive.render import render_image
from acspec.archive.sparse import SparseMap, fill_holes, parse_announcement, read_map
from acspec.archive.write import ImageSettings
from acspec.errors import FormatError
from acspec.layer_plan import whitelist_filter
from tests.support import images, sparse
from tests.support.layouts import write_image
from tests.support.sparse import CONTENT, DATA, FORMS, PIECES, SIZE, Pieces

FIRST = images.member("manifest", images.manifest_bytes()) + images.member("rootfs", kind="5", mode=0o755)
MIB = 1 << 20


def content_of(data: bytes) -> bytes:
    with ImageReader(io.BytesIO(data), "x.aci", hashed=False) as reader:
        return next(b"".join(reader.read_chunks(entry)) for entry in reader if entry.name == b"rootfs/s")


def extract(data: bytes, tree: Path, whitelist: frozenset[str] | None = None) -> None:
    tree.mkdir(mode=0o700)
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    image = tree.parent / f"{tree.name}.aci"
    image.write_bytes(data)
    with image.open("rb") as file, TreeWriter(descriptor) as writer:
        render_image(writer, file.fileno(), "x.aci", keep=whitelist_filter(whitelist))
        writer.finish()
    os.close(descriptor)


# As real programs write them

# Name, pieces of data (offset and length) and size of each file.
FILES = {
    "hole": ((), 16 * MIB),
    "tail": (((8192, 4096),), 16 * MIB + 100),
    "ends": (((0, 4096), (16 * MIB - 4096, 4096)), 16 * MIB),
    "ragged": (((4 * MIB, 5000),), 4 * MIB + 5000),
    "many": (tuple((number * 65_536, 4096) for number in range(120)), 16 * MIB),
    "full": (((0, 70_000),), 70_000),
    "d" * 90 + "/" + "long" * 25: (((MIB, 10),), 2 * MIB),
}
TARS = {
    "GNU's old format": ["tar", "--format=oldgnu", "--sparse"],
    "GNU's format": ["tar", "--format=gnu", "--sparse"],
    "pax, 0.0": ["tar", "--format=posix", "--sparse", "--sparse-version=0.0"],
    "pax, 0.1": ["tar", "--format=posix", "--sparse", "--sparse-version=0.1"],
    "pax, 1.0": ["tar", "--format=posix", "--sparse", "--sparse-version=1.0"],
    "libarchive": ["bsdtar", "--format=pax"],
}


def make_layout(path: Path) -> Path:
    (path / "rootfs").mkdir(parents=True)
    (path / "manifest").write_bytes(images.manifest_bytes())
    for name, (pieces, size) in FILES.items():
        (path / "rootfs" / name).parent.mkdir(exist_ok=True)
        with (path / "rootfs" / name).open("wb") as file:
            for offset, length in pieces:
                file.seek(offset)
                file.write(bytes([offset % 251 + 1]) * length)
            file.truncate(size)
    return path


def archive_by_hand(layout: Path) -> bytes:
    """Return what bsdtar would make of *layout*, where it is not installed."""
    parts = [FIRST]
    for name, (pieces, size) in FILES.items():
        data = b"".join(bytes([offset % 251 + 1]) * length for offset, length in pieces)
        parts.append(sparse.in_data((*pieces, (size, 0)), size, data, name=f"rootfs/{name}"))
    return images.archive(parts)


@pytest.mark.parametrize("words", TARS.values(), ids=TARS)
def test_sparse_files_come_out_as_they_were_with_their_holes(words: list[str], tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    if shutil.which(words[0]):
        subprocess.run([*words, "-cf", "../made.tar", "manifest", "rootfs"], cwd=layout, check=True)
        made = (tmp_path / "made.tar").read_bytes()
    else:
        made = archive_by_hand(layout)
    assert len(made) < 4 * MIB, "there are no holes in it"
    extract(made, tmp_path / "tree")
    for name in FILES:
        before, after = layout / "rootfs" / name, tmp_path / "tree" / name
        assert after.read_bytes() == before.read_bytes()
        assert after.stat().st_blocks * 512 <= before.stat().st_blocks * 512 + 65_536
    scanned = read_image(io.BytesIO(made), "x.aci")
    assert scanned.unpacked_size == sum(size for _, size in FILES.values()) + len(images.manifest_bytes())
    assert scanned.tar_size == len(made)
    assert scanned.image_id == images.image_id(made)


def test_a_tree_with_holes_is_built_into_the_same_image_as_one_without(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout")
    shutil.copytree(layout, tmp_path / "full", copy_function=copy_without_holes)
    assert build(layout) == build(tmp_path / "full")


def build(layout: Path) -> bytes:
    output, descriptor = bytearray(), os.open(layout, os.O_RDONLY | os.O_DIRECTORY)
    write_image(descriptor, "layout", output.extend, ImageSettings(Compression.NONE))
    os.close(descriptor)
    return bytes(output)


def copy_without_holes(source: str, target: str) -> None:
    Path(target).write_bytes(Path(source).read_bytes())
    shutil.copystat(source, target)


# In all four forms

SIZES = st.sampled_from([0, 1, 5, 512, 1024, 1536]) | st.integers(0, 2000)


@st.composite
def maps(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int, bytes]:
    """Draw a map that is nearly right: pieces of whole blocks in order up to the size, then perhaps one number changed."""
    pieces, end = [], 0
    for gap, blocks in draw(st.lists(st.tuples(SIZES, st.integers(0, 3)), max_size=6)):
        pieces.append((end + gap, blocks * 512))
        end += gap + blocks * 512
    gap, last = draw(SIZES), draw(SIZES)
    pieces.append((end + gap, last))
    numbers = [number for piece in pieces for number in piece] + [end + gap + last]
    if draw(st.booleans()):
        numbers[draw(st.integers(0, len(numbers) - 1))] += draw(st.sampled_from([-512, -5, -1, 1, 5, 512]))
    pieces = [(max(offset, 0), max(length, 0)) for offset, length in zip(numbers[0:-1:2], numbers[1::2], strict=True)]
    size = max(numbers[-1], pieces[-1][0] + pieces[-1][1]) if draw(st.booleans()) else max(numbers[-1], 0)
    total = sum(length for _, length in pieces) + draw(st.sampled_from([0, 0, 0, 0, 5, 512]))
    return pieces, size, draw(st.randoms()).randbytes(total)


def expected(pieces: Pieces, size: int, data: bytes) -> bytes | None:
    """Return the content of a sparse file, None when its map makes no sense: by its definition, and without our reader."""
    content, place, end = bytearray(size), 0, 0
    filled = [length for _, length in pieces if length]
    for offset, length in pieces:
        if offset < end or offset + length > size:
            return None
        content[offset : offset + length] = data[place : place + length]
        place, end = place + length, offset + length
    ragged = any(length % 512 for length in filled[:-1])
    return None if ragged or end != size or place != len(data) else bytes(content)


@settings(max_examples=200)
@given(maps())
def test_all_forms_mean_the_same_file_or_are_refused_alike(made: tuple[list[tuple[int, int]], int, bytes]) -> None:
    answers: set[bytes | None] = set()
    for make in FORMS.values():
        try:
            answers.add(content_of(images.archive([FIRST, make(*made)])))
        except FormatError as error:
            assert "sparse" in str(error)
            answers.add(None)
    assert answers == {expected(*made)}


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_whoever_wants_all_bytes_gets_zeros_for_holes(make: object) -> None:
    assert callable(make)
    assert content_of(images.archive([FIRST, make()])) == CONTENT
    assert len(CONTENT) == SIZE


def test_the_manifest_may_be_sparse(tmp_path: Path) -> None:
    manifest = images.manifest_bytes()
    part = sparse.in_data(((0, len(manifest)),), len(manifest), manifest, name="manifest")
    with ImageReader(io.BytesIO(images.archive([part, FIRST[-512:]])), "x.aci") as reader:
        for entry in reader:
            if entry.name == b"manifest":
                assert b"".join(reader.read_chunks(entry)) == b"".join(reader.read_chunks(entry)) == manifest
                assert [(offset, bytes(data)) for offset, data in reader.read_pieces(entry)] == [(0, manifest)]
    assert reader.manifest_bytes == manifest


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_links_and_whitelists_know_sparse_files(make: object, tmp_path: Path) -> None:
    assert callable(make)
    link = images.member("rootfs/h", kind="1", link="rootfs/s")
    data = images.archive([FIRST, make(), link, images.member("rootfs/z", b"after")])
    extract(data, tmp_path / "whole")
    assert os.path.samefile(tmp_path / "whole/s", tmp_path / "whole/h")
    extract(data, tmp_path / "link", frozenset({"/h"}))
    assert os.listdir(tmp_path / "link") == ["h"]
    extract(data, tmp_path / "none", frozenset({"/z"}))
    assert os.listdir(tmp_path / "none") == ["z"]
    assert (tmp_path / "none/z").read_bytes() == b"after"
    for path in ("whole/s", "whole/h", "link/h"):
        assert (tmp_path / path).read_bytes() == CONTENT


def test_data_is_there_once(tmp_path: Path) -> None:
    with ImageReader(io.BytesIO(images.archive([FIRST, sparse.old(), images.member("rootfs/z", b"z")])), "x.aci") as reader:
        for entry in reader:
            if entry.name == b"rootfs/s":
                next(iter(reader.read_pieces(entry)))
                assert list(reader.read_pieces(entry)) == []
                assert list(reader.read_chunks(entry)) == []
            if entry.name == b"rootfs/z":
                assert b"".join(reader.read_chunks(entry)) == b"z"
                assert list(reader.read_chunks(entry)) == []


# What holes cost


def test_a_file_of_holes_costs_neither_memory_nor_disk(tmp_path: Path) -> None:
    size = 4 << 30
    data = images.archive([FIRST, sparse.in_data(((size - 5, 5),), size, b"hello")])
    keep_buffers()  # which shows as memory for a moment, once in a process
    tracemalloc.start()
    try:
        with ImageReader(io.BytesIO(data), "x.aci", hashed=False) as reader:
            read = sum(len(window) for entry in reader if entry.name == b"rootfs/s" for window in reader.read_chunks(entry))
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    assert read == size
    extract(data, tmp_path / "tree")
    with (tmp_path / "tree/s").open("rb") as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == bytes(5) + b"hello"
    assert (tmp_path / "tree/s").stat().st_size == size
    assert (tmp_path / "tree/s").stat().st_blocks < 1000


def test_the_largest_map_costs_sixteen_bytes_a_piece() -> None:
    found = SparseMap(limits.SPARSE_MAP_ENTRIES * 1024)
    tracemalloc.start()
    try:
        for number in range(limits.SPARSE_MAP_ENTRIES):
            found.add(number * 1024, 512)
        assert tracemalloc.get_traced_memory()[1] < 3 * 16 * limits.SPARSE_MAP_ENTRIES
    finally:
        tracemalloc.stop()
    with pytest.raises(Fault, match="limit of 262144 pieces"):
        found.add(found.size, 0)
    assert found.holes == found.stored == limits.SPARSE_MAP_ENTRIES * 512


@pytest.mark.parametrize("hashed", [True, False])
def test_holes_count_as_bytes_of_the_archive(hashed: bool) -> None:
    data = images.archive([FIRST, sparse.old(), images.member("rootfs/z", b"z")])
    holes = SIZE - len(DATA)

    def read(limit: int) -> None:
        with ImageReader(io.BytesIO(data), "x.aci", hashed=hashed, unpacked_limit=limit) as reader:
            for _ in reader:
                pass

    read(len(data) + holes)
    with pytest.raises(FormatError, match=f"larger than the limit of {len(data) + holes - 1} bytes uncompressed"):
        read(len(data) + holes - 1)


def test_maps_count_as_extended_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acspec.limits.PAX_HEADERS_BYTES", 2 * 512)
    for part in (sparse.old(sparse.MANY, sparse.MANY_SIZE, sparse.MANY_DATA), sparse.in_data(sparse.MANY, sparse.MANY_SIZE)):
        with pytest.raises(FormatError, match="limit of 1024 bytes"):
            content_of(images.archive([FIRST, part]))


# Parsers by themselves


@given(st.binary(max_size=600) | st.lists(st.integers(0, 2000), max_size=8).map(lambda n: b"".join(b"%d\n" % x for x in n)))
def test_any_bytes_before_data_are_a_map_or_a_fault(text: bytes) -> None:
    found, blocks = SparseMap(5000), iter_blocks(text)
    try:
        read_map(lambda: next(blocks), found)
    except (Fault, StopIteration):
        return
    assert sum(length for _, length in found) == found.stored <= found.size


def iter_blocks(text: bytes) -> Iterator[bytes]:
    padded = images.padded(text)
    return (padded[start : start + 512] for start in range(0, len(padded), 512))


KEYWORDS = ["size", "numblocks", "map", "offset", "numbytes", "major", "minor", "realsize", "name", "x", ""]
VALUES = st.sampled_from(["0", "1", "512", "1024", "0,512", "0,512,1024,0", "", "x", "-1", "rootfs/s"])


@given(st.lists(st.tuples(st.sampled_from(KEYWORDS), VALUES), max_size=7))
def test_any_records_are_an_announcement_or_a_fault(said: list[tuple[str, str]]) -> None:
    try:
        found = parse_announcement([(b"GNU.sparse." + keyword.encode(), value.encode()) for keyword, value in said])
    except Fault as fault:
        assert "sparse" in str(fault)
        return
    assert 0 <= found.map.holes <= found.map.size


def test_holes_are_filled_between_pieces_and_after_the_last() -> None:
    pieces = [(2, memoryview(b"ab")), (4, memoryview(b"c")), (70_000, memoryview(b"d"))]
    assert b"".join(fill_holes(pieces, 140_000)) == b"\0\0abc" + bytes(69_995) + b"d" + bytes(69_999)
    assert b"".join(fill_holes([], 3)) == bytes(3)
    assert b"".join(fill_holes([], 0)) == b""
    assert PIECES[-1] == (SIZE, 0)
