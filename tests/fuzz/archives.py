"""Images under fuzzing: made of bytes that nearly are one, read in every way, unpacked, built again, and given another manifest."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tempfile
from collections.abc import Mapping
from hashlib import sha256

from acspec.archive.compression import Compression
from acspec.archive.entry import Entry, Kind
from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.splice import Recompression, splice_manifest
from acspec.archive.write import ImageSettings
from acspec.durable import remove_tree
from acspec.errors import FormatError
from tests.support import sparse
from tests.support.corpus import FILE, GOOD, LINK, with_parts
from tests.support.images import BLOCK, END, header, long_name, member, pax
from tests.support.layouts import write_image

MOST_BYTES = 1 << 24  # of an image unpacked: more would only take longer
_BUILT_BYTES = 1 << 20

Found = Mapping[bytes, tuple[Entry, str]]

# The first byte of an input says what is done to the rest: whether headers get right checksums, and how it is compressed.
_SUMMED = 1
_COMPRESSIONS = (None, gzip.compress, bz2.compress, lzma.compress)

_PLAIN = (
    GOOD,
    with_parts(FILE, LINK, pax({"path": "rootfs/b", "mtime": "1.5", "SCHILY.xattr.user.a": "b"}), member("rootfs/a", b"data")),
    with_parts(long_name("rootfs/" + "n" * 120), member("rootfs/n", b"x" * 513), header("rootfs/h", kind="1", link="rootfs/n")),
    with_parts(FILE, header("rootfs/h", kind="1", link="rootfs/f"), header("rootfs/p", kind="6"), member("rootfs/d", kind="5")),
    with_parts(pax({"SCHILY.acl.access": "user::rwx,user:1:r--,group::r-x,mask::r-x,other::---"}), FILE),
    with_parts(pax({"mtime": "1.5", "uid": "7"}, "g"), FILE, pax({"uid": ""}), LINK),
    *(with_parts(make()) for make in sparse.FORMS.values()),
    with_parts(sparse.old(sparse.MANY, sparse.MANY_SIZE, sparse.MANY_DATA)),
)
SEEDS = [bytes([_SUMMED]) + seed for seed in _PLAIN] + [bytes([number << 1]) + GOOD for number in range(4)]
WORDS = (
    b"../",
    b"rootfs/",
    b"ustar  \0",
    b"ustar\x0000",
    b"\x80",
    b"\xff" * 8,
    b"7777777\0",
    b"path=",
    b"GNU.sparse.",
    END,
    b"\0" * 8,
)


def wrap(data: bytes) -> bytes:
    """Return the image that an input stands for: checksums made right, as its first byte says, and compressed."""
    flags, rest = (data[0], data[1:]) if data else (0, b"")
    if flags & _SUMMED:
        rest = b"".join(_resum(rest[start : start + BLOCK]) for start in range(0, len(rest), BLOCK))
    compress = _COMPRESSIONS[flags >> 1 & 3]
    return compress(rest) if compress else rest


def _resum(block: bytes) -> bytes:
    if len(block) < BLOCK or block[257:262] != b"ustar":
        return block
    return block[:148] + b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:])) + block[156:]


def check(data: bytes) -> None:
    """Check that an image is read alike in all ways, unpacks as it says, stays inside, and is built again from what came out.

    With another manifest it is the same image but for that.

    Raises: FormatError when it is refused, by all alike.
    """
    found, refusal = _read(data, hashed=True)
    assert _read(data, hashed=False) == (found, refusal)
    if "limit" not in refusal:  # others have larger ones
        _splice(data, found, refusal)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        os.mkdir(f"{place}/tree", 0o700)
        tree = os.open(f"{place}/tree", os.O_RDONLY | os.O_DIRECTORY)
        try:
            unpacked = _unpack(tree, data)
            assert os.listdir(place) == ["tree"]
            assert unpacked is None or not refusal or unpacked == refusal
            if refusal or unpacked is not None:  # by itself, or because this file system cannot hold such names
                raise FormatError("x", refusal or unpacked or "")
            _look(tree, found)
            if sum(entry.size for entry, _ in found.values()) < _BUILT_BYTES:
                _build(tree, found)
        finally:
            os.close(tree)
            remove_tree(f"{place}/tree")


def _read(data: bytes, *, hashed: bool) -> tuple[Found, str]:
    """Return entries and digests of their contents by name, and why the image is refused, if it is."""
    found: dict[bytes, tuple[Entry, str]] = {}
    try:
        with ImageReader(io.BytesIO(data), "x", hashed=hashed, unpacked_limit=MOST_BYTES) as reader:
            for entry in reader:
                content = sha256()
                if entry.kind is Kind.FILE:
                    for window in reader.read_chunks(entry):
                        content.update(window)
                found[entry.name] = (entry, content.hexdigest())
    except FormatError as error:
        return found, error.why
    return found, ""


def _splice(data: bytes, found: Found, refusal: str) -> None:
    """Check that an image with another manifest has all that it had, or that it is refused as before."""
    output = bytearray()
    try:
        splice_manifest(io.BytesIO(data), "x", output.extend, lambda old: old + b" ", Recompression(Compression.NONE))
    except FormatError as error:
        assert error.why == refusal or "whose size cannot be changed" in error.why
        return
    again, fault = _read(bytes(output), hashed=False)
    assert fault == refusal == ""
    assert again[b"manifest"][0].size == found[b"manifest"][0].size + 1
    for name, (entry, content) in found.items():
        if name != b"manifest":
            assert _essence(again[name][0]) == _essence(entry)
            assert (again[name][0].xattrs, again[name][1]) == (entry.xattrs, content)


def _unpack(tree: int, data: bytes) -> str | None:
    try:
        with (
            ImageReader(io.BytesIO(data), "x", hashed=False, unpacked_limit=MOST_BYTES) as reader,
            TreeWriter(tree, whole=True) as writer,
        ):
            writer.add(reader)
            writer.finish()
    except FormatError as error:
        return error.why
    return None


def _look(tree: int, found: Found) -> None:
    """Check that every regular file of the image is there, with its size and content, and no link where there is none."""
    for name, (entry, content) in found.items():
        if entry.kind is not Kind.FILE or os.geteuid():
            continue
        descriptor = os.dup(tree)
        for part in name.split(b"/"):
            parent, descriptor = descriptor, os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            os.close(parent)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            assert stat.S_ISREG(status.st_mode)
            assert status.st_size == entry.size
            assert sha256(file.read()).hexdigest() == content


def _build(tree: int, found: Found) -> None:
    """Build what was unpacked, and compare: the same files with the same contents, and the same bytes whenever it is done."""
    output = bytearray()
    settings = ImageSettings(Compression.NONE)
    write_image(tree, "layout", output.extend, settings)
    again, refusal = _read(bytes(output), hashed=False)
    assert not refusal
    if os.geteuid() == 0:
        assert found.keys() - {b""} <= again.keys()
        for name, (entry, content) in found.items():
            if name and entry.kind is not Kind.HARD_LINK and again[name][0].kind is not Kind.HARD_LINK:
                assert _essence(again[name][0]) == _essence(entry)
                assert again[name][1] == content
    second = bytearray()
    write_image(tree, "layout", second.extend, settings)
    assert output == second


def _essence(entry: Entry) -> tuple[object, ...]:
    mode = 0 if entry.kind is Kind.SYMLINK else entry.mode  # Linux gives links none
    return entry.kind, mode, entry.uid, entry.gid, entry.mtime_ns, entry.size, entry.link_name, entry.major, entry.minor
