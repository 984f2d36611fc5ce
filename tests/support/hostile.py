"""Archives made to do harm, or broken on their way, each by one fault; keyed by what is wrong with them."""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib
from collections.abc import Callable, Mapping

from tests.support.images import (
    BLOCK,
    END,
    archive,
    base256,
    compress,
    header,
    long_name,
    manifest_bytes,
    member,
    padded,
    pax,
    tar,
)
from tests.support.sparse import in_data, old

# What makes the archive, and what the message says of it.
Cases = Mapping[str, tuple[Callable[[], bytes], str]]

ROOTFS = member("rootfs", kind="5", mode=0o755)
FIRST = member("manifest", manifest_bytes()) + ROOTFS
GIB = 1 << 30


def _with(*members: bytes, end: bytes = END) -> bytes:
    """Return an image with *members* after manifest and rootfs."""
    return compress(archive([FIRST, *members], end), "gzip")


def _manifest(data: bytes) -> bytes:
    return compress(archive([member("manifest", data), ROOTFS]), "gzip")


def _good(compression: str = "gzip") -> bytes:
    return compress(tar({"file": bytes(range(256)) * 64}), compression)


def _changed(data: bytes, place: int) -> bytes:
    """Return *data* with one bit of one byte changed; a negative *place* counts from the end."""
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def _greedy_xz() -> bytes:
    """Return an image that asks for a dictionary of 1 GiB: its block header says so, with the checksum that makes it true."""
    data = bytearray(lzma.compress(tar({}), format=lzma.FORMAT_XZ, preset=0))
    start, size = 12, (data[12] + 1) * 4
    place = data.index(b"\x21\x01", start) + 2
    data[place] = 36  # 2 | 0 << ((36 >> 1) + 11)
    data[start + size - 4 : start + size] = struct.pack("<I", zlib.crc32(data[start : start + size - 4]))
    return bytes(data)


def _file(name: str | bytes, data: bytes = b"evil") -> bytes:
    return member(name, data)


def _symlink(name: str, target: str) -> bytes:
    return member(name, kind="2", link=target)


def _hard_link(name: str, target: str) -> bytes:
    return member(name, kind="1", link=target)


# What would land outside the rootfs, if anybody let it.
ESCAPES: Cases = {
    "a path that climbs": (lambda: _with(_file("rootfs/../../escaped")), 'the name holds ".."'),
    "a path that climbs, in a pax header": (
        lambda: _with(pax({"path": "rootfs/../../escaped"}), _file("x")),
        'the name holds ".."',
    ),
    "a path that climbs, in GNU's long name": (lambda: _with(long_name("rootfs/../../escaped"), _file("x")), 'the name holds ".."'),
    "an absolute path": (lambda: _with(_file("/tmp/escaped")), "the name is absolute"),
    "a file through a symbolic link to the outside": (
        lambda: _with(_symlink("rootfs/out", ".."), _file("rootfs/out/escaped")),
        "on its way is not a directory",
    ),
    "a file through a symbolic link with an absolute target": (
        lambda: _with(_symlink("rootfs/out", "/"), _file("rootfs/out/escaped")),
        "on its way is not a directory",
    ),
    "a hard link to a file of the host": (
        lambda: _with(_hard_link("rootfs/escaped", "/etc/passwd")),
        'hard link to "/etc/passwd": the name is absolute',
    ),
    "a hard link that climbs": (lambda: _with(_hard_link("rootfs/escaped", "rootfs/../../../etc/passwd")), 'the name holds ".."'),
    "a hard link to what comes later": (
        lambda: _with(_hard_link("rootfs/a", "rootfs/b"), _file("rootfs/b")),
        "not in the archive before it",
    ),
    "a file through a hard link to a symbolic link": (
        lambda: _with(_symlink("rootfs/a", "/tmp"), _hard_link("rootfs/b", "rootfs/a"), _file("rootfs/b/escaped")),
        "not a directory",
    ),
    "a file beside the rootfs": (lambda: _with(_file("escaped")), "outside rootfs"),
    "a directory whose name only begins as rootfs does": (lambda: _with(_file("rootfs-evil/escaped")), "outside rootfs"),
    "a name with a zero byte, in a pax header": (
        lambda: _with(pax({"path": b"rootfs/a\0/../../escaped"}), _file("x")),
        "zero byte",
    ),
}

# What would fill memory or disk.
BOMBS: Cases = {
    "a file said to have 65 GiB": (lambda: _with(header("rootfs/big", size=base256(65 * GIB, 12))), "limit of 68719476736 bytes"),
    "a file said to have a size below zero": (lambda: _with(header("rootfs/big", size=base256(-512, 12))), "size -512"),
    "a manifest over 1 MiB": (lambda: _manifest(b" " * (1 << 20) + manifest_bytes()), "limit of 1048576 bytes"),
    "a manifest nested 65 deep": (
        lambda: _manifest(manifest_bytes(annotations=None)[:-3] + b',"x":' + b"[" * 65 + b"]" * 65 + b"}"),
        "limit of 64",
    ),
    "a pax header over 1 MiB": (lambda: _with(pax({"comment": b"x" * (1 << 20)}), _file("rootfs/a")), "limit of 1048576 bytes"),
    "a pax header said to have 8 GiB": (
        lambda: _with(header("PaxHeaders/x", kind="x", size=base256(8 * GIB, 12))),
        "limit of 1048576 bytes",
    ),
    "a sparse file of 65 GiB": (lambda: _with(in_data(((65 * GIB, 0),), 65 * GIB, b"")), "limit of 68719476736 bytes"),
    "sparse files of 65 GiB together": (
        lambda: _with(*(in_data(((13 * GIB, 0),), 13 * GIB, b"", name=f"rootfs/s{number}") for number in range(5))),
        "limit of 68719476736 bytes",
    ),
    "a sparse file in GNU's old format that never ends": (
        lambda: _with(old([(0, 0)] * 262_145, 0, b"")),
        "limit of 262144 pieces",
    ),
    "a name of 5,000 parts": (lambda: _with(pax({"path": "rootfs/" + "a/" * 5_000 + "b"}), _file("x")), "limit of 4096 components"),
    "an xz dictionary of 1 GiB": (_greedy_xz, "limit of 268435456 bytes"),
}

# What is not what it says, or not all of it.
BROKEN: Cases = {
    "a sparse file whose pieces overlap": (
        lambda: _with(in_data(((0, 1024), (512, 512)), 1024, bytes(1536))),
        "overlap or are out of order",
    ),
    "a sparse file that would be longer to one tar than to another": (
        lambda: _with(in_data(((0, 512),), 4096, bytes(512))),
        "whose map ends at 512",
    ),
    "two entries of one name": (lambda: _with(_file("rootfs/a", b"one"), _file("rootfs/a", b"two")), "appears twice"),
    "two entries of one name, spelled in two ways": (
        lambda: _with(_file("rootfs/a", b"one"), _file("./rootfs//a", b"two")),
        "appears twice",
    ),
    "two manifests": (lambda: _with(member("manifest", manifest_bytes())), '"manifest": appears twice'),
    "no manifest": (lambda: compress(archive([ROOTFS]), "gzip"), "no manifest"),
    "no rootfs": (lambda: compress(archive([member("manifest", manifest_bytes())]), "gzip"), "no directory rootfs"),
    "a gzip stream cut short": (lambda: _good()[:-20], "truncated: the gzip stream has no end"),
    "a gzip stream without its trailer": (lambda: _good()[:-8], "truncated: the gzip stream has no end"),
    "a gzip stream with a wrong checksum": (lambda: _changed(_good(), -8), "gzip data is damaged"),
    "a gzip stream with a wrong size": (lambda: _changed(_good(), -1), "gzip data is damaged"),
    "a changed byte in the compressed data": (lambda: _changed(_good(), len(_good()) // 2), "gzip data is damaged"),
    "something after the gzip stream": (lambda: _good() + b"more", "data after the end of the gzip stream"),
    "an xz stream with a wrong checksum": (lambda: _changed(_good("xz"), -20), "xz data is damaged"),
    "a bzip2 stream cut short": (lambda: _good("bzip2")[:-10], "truncated: the bzip2 stream has no end"),
    "a tar cut short in the middle of a file": (lambda: _good("none")[: -4 * BLOCK], "truncated: the archive ends"),
    "a header with a wrong checksum": (lambda: _with(header("rootfs/a", checksum=1)), "wrong checksum"),
    "a file after the end": (lambda: _with(end=END + _file("rootfs/a")), "data after the end of the archive"),
    "a directory with data": (lambda: _with(header("rootfs/d", kind="5", size=4) + padded(b"evil")), "data after a directory"),
    "an entry of a type that nobody defined": (lambda: _with(member("rootfs/a", kind="Z")), 'unknown type "Z"'),
    "a manifest that is no JSON": (lambda: _manifest(b"name: example.com/hello\n"), "not JSON"),
    "a manifest with a key twice": (
        lambda: _manifest(manifest_bytes()[:-3] + b',"name":"example.com/other"}'),
        'duplicate key "name"',
    ),
    "a manifest of another kind": (lambda: _manifest(manifest_bytes(acKind="PodManifest")), '"PodManifest"'),
    "a page of HTML": (lambda: b"<!DOCTYPE html><html><body>Not here</body></html>\n" * 20, "not an image archive"),
    "an image within another compression": (lambda: gzip.compress(_good(), mtime=0), "header at byte 0"),
    "a file of nothing": (lambda: b"", "an empty file"),
    "zeros": (lambda: bytes(4096), "without entries"),
}

ALL: Cases = {**ESCAPES, **BOMBS, **BROKEN}
