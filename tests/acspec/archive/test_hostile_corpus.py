"""Hundreds of hostile and unusual images: one verdict from every way of reading, and on disk what the headers say or nothing."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.entry import Entry, Kind
from acspec.archive.extract import TreeWriter
from acspec.archive.header import is_header
from acspec.archive.image import ImageReader
from acspec.durable import remove_tree
from acspec.errors import FormatError
from acspec.escape import escape
from tests.support.corpus import CORPUS, FILE, GOOD, LINK, with_parts
from tests.support.images import BLOCK, long_name, member, pax

IS_ROOT = os.geteuid() == 0
ACCEPTED = [sentence for sentence, case in CORPUS.items() if not case.refused]
REFUSED = [sentence for sentence, case in CORPUS.items() if case.refused]
TYPES = {
    Kind.FILE: stat.S_IFREG,
    Kind.DIRECTORY: stat.S_IFDIR,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.CHARACTER_DEVICE: stat.S_IFCHR,
    Kind.BLOCK_DEVICE: stat.S_IFBLK,
    Kind.FIFO: stat.S_IFIFO,
}
Listing = dict[bytes, tuple[Entry, str]]


def listing(reader: ImageReader) -> Listing:
    """Return every entry but that of the layout itself, with the digest of its content."""
    found: Listing = {}
    with reader:
        for entry in reader:
            content = sha256(b"".join(bytes(chunk) for chunk in reader.read_chunks(entry)) if entry.kind is Kind.FILE else b"")
            if entry.name:
                found[entry.name] = (entry, content.hexdigest())
    return found


def verdict(read: Callable[[], object]) -> str:
    """Return the refusal of *read*, empty when there is none; nothing but our own error may come out."""
    try:
        read()
    except FormatError as error:
        return str(error)
    return ""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    remove_tree(str(tmp_path / "tree"))  # deeper than pytest's own cleaning gets


def unpack(data: bytes, place: Path) -> int:
    """Unpack *data* into place/tree and return a descriptor of that."""
    (place / "tree").mkdir(mode=0o700)
    descriptor = os.open(place / "tree", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with ImageReader(io.BytesIO(data), "x.aci", hashed=False) as reader, TreeWriter(descriptor, whole=True) as writer:
            writer.add(reader)
            writer.finish()
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@pytest.mark.parametrize("sentence", CORPUS)
def test_every_way_of_reading_gives_the_same_verdict(sentence: str) -> None:
    case = CORPUS[sentence]
    with TemporaryFile() as file:
        file.write(case.data)
        file.seek(0)
        verdicts = [
            verdict(lambda: listing(ImageReader(file.fileno(), "x.aci"))),
            verdict(lambda: listing(ImageReader(file.fileno(), "x.aci", hashed=False, window=700))),
            verdict(lambda: listing(ImageReader(io.BytesIO(case.data), "x.aci", on_tar=lambda chunk: None))),
        ]
    assert len(set(verdicts)) == 1
    assert case.refused in verdicts[0]
    assert bool(verdicts[0]) == bool(case.refused)
    assert escape(verdicts[0], limit=2000).isprintable()


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_refused_is_refused_when_unpacked_and_nothing_gets_out(sentence: str, place: Path) -> None:
    (place / "f").write_bytes(b"not yours")
    with pytest.raises(FormatError):
        unpack(CORPUS[sentence].data, place)
    assert sorted(os.listdir(place)) == ["f", "tree"]
    assert (place / "f").read_bytes() == b"not yours"


@pytest.mark.parametrize("sentence", ACCEPTED)
def test_what_is_accepted_lies_on_the_disk_as_its_headers_say(sentence: str, place: Path) -> None:
    case = CORPUS[sentence]
    if case.on_disk:
        with pytest.raises(FormatError, match=case.on_disk):
            unpack(case.data, place)
        return
    check_tree(unpack(case.data, place), listing(ImageReader(io.BytesIO(case.data), "x.aci", hashed=False)))


def check_tree(tree: int, expected: Listing) -> None:
    """Check what lies below *tree*, a descriptor that is closed here, against the entries of an image."""
    try:
        names = set(expected)
        for name in expected:
            cuts = (index for index, byte in enumerate(name) if byte == 0x2F)
            names.update(name[:cut] for cut in cuts)
        found = set(walk(tree))
        assert found == names if IS_ROOT else found <= names  # an ordinary user makes no devices, and may lock himself out
        for name in expected.keys() & found:
            check_file(tree, name, expected)
    finally:
        os.close(tree)


def walk(tree: int) -> Iterator[bytes]:
    """Yield every path below *tree*, with few descriptors at any depth."""
    queue = [(b"", os.dup(tree))]
    while queue:
        path, directory = queue.pop(0)
        for name in map(os.fsencode, os.listdir(directory)):
            yield path + name
            if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode) and readable(name, directory):
                queue.append((path + name + b"/", os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)))
        os.close(directory)


def readable(name: bytes, directory: int) -> bool:
    """Tell whether root, or an owner who has not locked himself out, can look into a directory."""
    return IS_ROOT or os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode & 0o500 == 0o500


def check_file(tree: int, name: bytes, expected: Listing) -> None:
    """Check one file: type, mode, owner, time, content, and that links lead where the image says."""
    entry, content = expected[name]
    while entry.kind is Kind.HARD_LINK:
        entry, content = expected[entry.link_name]
    descriptor = os.dup(tree)
    for part in name.split(b"/"):
        parent = descriptor
        descriptor = os.open(part, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
        os.close(parent)
    status = os.fstat(descriptor)
    assert stat.S_IFMT(status.st_mode) == TYPES[entry.kind]
    assert status.st_mtime_ns == entry.mtime_ns
    if entry.kind is Kind.SYMLINK:
        assert os.fsencode(os.readlink("", dir_fd=descriptor)) == entry.link_name
    elif IS_ROOT:
        assert stat.S_IMODE(status.st_mode) == entry.mode
    if IS_ROOT:
        assert (status.st_uid, status.st_gid) == (entry.uid, entry.gid)
    if entry.kind is Kind.FILE and (IS_ROOT or entry.mode & 0o400):
        assert sha256(Path(f"/proc/self/fd/{descriptor}").read_bytes()).hexdigest() == content
        assert status.st_nlink == sum(first(other, expected) == first(name, expected) for other in expected)
    os.close(descriptor)


def first(name: bytes, expected: Listing) -> bytes:
    """Return the name of the regular file that *name* is, or is a hard link to."""
    while expected[name][0].kind is Kind.HARD_LINK:
        name = expected[name][0].link_name
    return name


SEEDS = (
    GOOD,
    with_parts(FILE, LINK, pax({"path": "rootfs/b", "mtime": "1.5", "SCHILY.xattr.user.a": "b"}), member("rootfs/a", b"data")),
    with_parts(long_name("rootfs/" + "n" * 120), member("rootfs/n", b"x" * 513), member("rootfs/h", kind="1", link="rootfs/a/")),
    with_parts(FILE, member("rootfs/h", kind="1", link="rootfs/f"), member("rootfs/p", kind="6"), member("rootfs/d", kind="5")),
)
PIECES = (
    b"../",
    b"/",
    b"./",
    b"\0",
    b"\x80",
    b"\xff",
    b"-1",
    b"7777777",
    b"path=",
    b"size=",
    b" ",
    b"\n",
    b"ustar  \0",
    b"rootfs/f",
)
EDITS = some.lists(
    some.tuples(some.integers(0, 2**16), some.one_of(some.binary(min_size=1, max_size=2), some.sampled_from(PIECES))), max_size=5
)


@given(some.sampled_from(SEEDS), EDITS, some.booleans())
def test_a_damaged_image_is_refused_or_means_the_same_to_all(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, edits: list[tuple[int, bytes]], summed: bool
) -> None:
    block = bytearray(seed)
    for offset, piece in edits:
        start = offset % len(seed)
        block[start : start + len(piece)] = piece
    data = resum(bytes(block[: len(seed)]), seed) if summed else bytes(block[: len(seed)])
    refusal = verdict(lambda: listing(ImageReader(io.BytesIO(data), "x.aci", hashed=False)))
    assert refusal == verdict(lambda: listing(ImageReader(io.BytesIO(data), "x.aci")))
    if not refusal:
        place = tmp_path_factory.mktemp("damaged")
        try:
            check_tree(unpack(data, place), listing(ImageReader(io.BytesIO(data), "x.aci", hashed=False)))
        finally:
            remove_tree(str(place))


def resum(data: bytes, seed: bytes) -> bytes:
    """Return *data* with right checksums again where *seed* had headers, so that the damage is met by more than that check."""
    blocks = [bytearray(data[start : start + BLOCK]) for start in range(0, len(data), BLOCK)]
    for index, block in enumerate(blocks):
        if is_header(seed[index * BLOCK : (index + 1) * BLOCK]):
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
    return b"".join(blocks)
