"""Images for tests, made byte by byte and without the project's own writer: good ones from a dict, bad ones from parts.

    image({"bin/hello": Node(b"#!/bin/sh\\n", mode=0o755), "etc": None, "bin/hi": "hello"})

is a gzip-compressed ACI. `member`, `pax`, `long_name` and `header` are the parts; `archive` puts them together and ends them.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BLOCK = 512
END = bytes(2 * BLOCK)
MANIFEST: dict[str, Any] = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/hello",
    "labels": [{"name": "version", "value": "1.0.0"}, {"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}],
    "app": {"exec": ["/bin/hello"], "user": "0", "group": "0"},
}


@dataclass(frozen=True)
class Node:
    """One file of an image, with all its properties; `data` is the content of a regular file."""

    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int | str = 0
    kind: str = "0"  # the typeflag of tar
    link: str | bytes = ""
    major: int = 0
    minor: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """An image, the words of its refusal ("": none), and those of a refusal for the sake of the file system alone."""

    data: bytes
    refused: str = ""
    on_disk: str = ""


def directory(mode: int = 0o755, **more: Any) -> Node:
    """Return a directory."""
    return Node(mode=mode, kind="5", **more)


def symlink(target: str | bytes, **more: Any) -> Node:
    """Return a symbolic link."""
    return Node(mode=0o777, kind="2", link=target, **more)


def hard_link(target: str) -> Node:
    """Return a hard link to *target*, a path inside the rootfs without a slash at its start."""
    return Node(kind="1", link="rootfs/" + target)


Files = Mapping[str, "Node | bytes | str | None"]


def manifest_bytes(**changes: Any) -> bytes:
    """Return a valid image manifest with some of its top-level keys set; a value of None removes a key."""
    value = {key: item for key, item in {**MANIFEST, **changes}.items() if item is not None}
    return json.dumps(value, indent=4).encode() + b"\n"


def tar(files: Files, manifest: bytes | None = None) -> bytes:
    """Return the tar of an image: manifest, `rootfs` and *files* in the order given.

    A value is a Node, bytes (a regular file), a string (a symbolic link to it) or None (a directory).
    """
    parts = [member("manifest", manifest_bytes() if manifest is None else manifest), member("rootfs", kind="5", mode=0o755)]
    parts += [node_member("rootfs/" + name, _as_node(value)) for name, value in files.items()]
    return archive(parts)


def image(files: Files | None = None, manifest: bytes | None = None, compression: str = "gzip") -> bytes:
    """Return an image archive, compressed with gzip, bzip2, xz or none."""
    return compress(tar({} if files is None else files, manifest), compression)


def write_image(
    path: str | os.PathLike[str], files: Files | None = None, manifest: bytes | None = None, compression: str = "gzip"
) -> str:
    """Write an image archive to *path* and return its image ID."""
    content = tar({} if files is None else files, manifest)
    with open(path, "wb") as file:
        file.write(compress(content, compression))
    return image_id(content)


def image_id(content: bytes) -> str:
    """Return the image ID of an uncompressed tar."""
    return "sha512-" + hashlib.sha512(content).hexdigest()


def compress(content: bytes, compression: str) -> bytes:
    """Return *content* compressed with gzip, bzip2, xz or none."""
    if compression == "none":
        return content
    if compression == "bzip2":
        return bz2.compress(content)
    return lzma.compress(content) if compression == "xz" else gzip.compress(content, 6, mtime=0)


# Parts


def archive(parts: Iterable[bytes], end: bytes = END) -> bytes:
    """Return a tar of ready-made members and its two final blocks."""
    return b"".join(parts) + end


def node_member(name: str | bytes, node: Node) -> bytes:
    """Return the member for *node*, with a pax header where ustar has no room for what it has."""
    records: dict[str, bytes | str] = {f"SCHILY.xattr.{key}": value for key, value in node.xattrs.items()}
    if isinstance(node.mtime, str):
        records["mtime"] = node.mtime
    name, link = _as_bytes(name), _as_bytes(node.link)
    if len(name) > 100:
        records["path"] = name
    if len(link) > 100:
        records["linkpath"] = link
    return (pax(records) if records else b"") + member(
        name[:100],
        node.data,
        kind=node.kind,
        link=link[:100],
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        mtime=0 if isinstance(node.mtime, str) else node.mtime,
        major=node.major,
        minor=node.minor,
    )


def member(name: str | bytes, data: bytes = b"", **fields: Any) -> bytes:
    """Return a header and its padded data; *fields* as of `header`."""
    return header(name, **{"size": len(data), **fields}) + padded(data)


def padded(data: bytes) -> bytes:
    """Return *data* filled with zeros to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def pax(records: Mapping[str, bytes | str] | bytes, kind: str = "x") -> bytes:
    """Return an extended header (or a global one, kind "g") with *records*, or with bytes as they are."""
    data = records if isinstance(records, bytes) else b"".join(pax_record(key, value) for key, value in records.items())
    return member("PaxHeaders/x", data, kind=kind)


def pax_record(key: str | bytes, value: bytes | str) -> bytes:
    """Return one record: its own length, a space, keyword, equals sign, value, newline."""
    rest = b" " + _as_bytes(key) + b"=" + _as_bytes(value) + b"\n"
    length = len(rest) + 1
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def long_name(name: str | bytes, kind: str = "L") -> bytes:
    """Return GNU's header for a long name (or link target, kind "K")."""
    return member("././@LongLink", _as_bytes(name) + b"\0", kind=kind, magic=b"ustar  \0")


def header(
    name: str | bytes,
    *,
    kind: str | bytes = "0",
    size: int | bytes = 0,
    mode: int | bytes = 0o644,
    uid: int | bytes = 0,
    gid: int | bytes = 0,
    mtime: int | bytes = 0,
    link: str | bytes = b"",
    magic: bytes = b"ustar\x0000",
    uname: bytes = b"",
    gname: bytes = b"",
    major: int | bytes = 0,
    minor: int | bytes = 0,
    prefix: bytes = b"",
    checksum: int | bytes | None = None,
) -> bytes:
    """Return one header block; numbers given as bytes go in as they are, and so does a wrong *checksum*."""
    block = bytearray(BLOCK)
    block[0:100] = _as_bytes(name).ljust(100, b"\0")
    for start, width, value in ((100, 8, mode), (108, 8, uid), (116, 8, gid), (124, 12, size), (136, 12, mtime)):
        block[start : start + width] = _number(value, width)
    block[148:156] = b" " * 8
    block[156:157] = _as_bytes(kind)
    block[157:257] = _as_bytes(link).ljust(100, b"\0")
    block[257:265] = magic
    block[265:297] = uname.ljust(32, b"\0")
    block[297:329] = gname.ljust(32, b"\0")
    block[329:337] = _number(major, 8)
    block[337:345] = _number(minor, 8)
    block[345:500] = prefix.ljust(155, b"\0")
    block[148:156] = b"%06o\0 " % sum(block) if checksum is None else _number(checksum, 8)
    assert len(block) == BLOCK
    return bytes(block)


def base256(value: int, width: int) -> bytes:
    """Return a number in GNU's base-256 form."""
    return ((value if value >= 0 else (1 << (8 * width)) + value) | 1 << (8 * width - 1)).to_bytes(width, "big")


def _number(value: int | bytes, width: int) -> bytes:
    return value.ljust(width, b"\0") if isinstance(value, bytes) else b"%0*o\0" % (width - 1, value)


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else os.fsencode(value)


def _as_node(value: Node | bytes | str | None) -> Node:
    if value is None:
        return directory()
    if isinstance(value, bytes):
        return Node(value)
    return symlink(value) if isinstance(value, str) else value
