"""What is fuzzed: a function for each thing that reads bytes of strangers. It takes bytes and returns, or raises what it must not.

Allowed is one kind of error, the project's own, with a message of one printable line. What is accepted is written and read again,
and must come out the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from acfetch.meta import READ_BYTES, parse_tags
from acspec.archive.acl import format_acl, parse_acl
from acspec.archive.faults import Fault
from acspec.archive.pax import NOTHING, parse_extended, parse_global, parse_records
from acspec.archive.sparse import SparseMap, read_map
from acspec.errors import ToolError
from acspec.escape import escape
from acspec.image_manifest import parse_image_manifest
from acspec.jsontext import dump_json, dump_pretty, parse_json
from acspec.openpgp.process import parse_status
from acspec.openpgp.symmetric import find_fault
from acspec.openpgp.verification import judge
from acspec.pod_manifest import parse_pod_manifest
from acspec.quantities import MAX_QUANTITY, parse_quantity
from acspec.references import ImageReference, parse_argument, parse_reference
from actool.checks.programs import Form, parse_program
from tests.fuzz import archives
from tests.support.elf import make_elf
from tests.support.images import BLOCK, pax_record
from tests.support.manifests import SEEDS as MANIFESTS


@dataclass(frozen=True)
class Target:
    """A function that is fuzzed, inputs to begin with, and words that its inputs are made of."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()


class Refused(Exception):
    """An input was refused as it should be: by an error of our own, which can be shown."""


@contextmanager
def refusals() -> Iterator[None]:
    """Let errors of our own through as Refused, after a look at what a person would see of them."""
    try:
        yield
    except ToolError as error:
        assert escape(str(error), limit=2000).isprintable()
        raise Refused from None
    except Fault as fault:
        assert str(fault).isprintable()
        raise Refused from None


def read_json(data: bytes) -> None:
    """Parse JSON; what is accepted is written in both ways and read back."""
    with refusals():
        value = parse_json(data, "x")
    assert parse_json(dump_json(value), "x", limit=1 << 26) == value
    assert parse_json(dump_pretty(value), "x", limit=1 << 26) == value


def read_image_manifest(data: bytes) -> None:
    """Parse an image manifest; what is accepted is written and read back."""
    with refusals():
        manifest = parse_image_manifest(data, "x", [])
    assert parse_image_manifest(dump_json(manifest.to_json()), "x") == manifest


def read_pod_manifest(data: bytes) -> None:
    """Parse a pod manifest; what is accepted is written and read back."""
    with refusals():
        manifest = parse_pod_manifest(data, "x", [])
    assert parse_pod_manifest(dump_json(manifest.to_json()), "x") == manifest


def read_pax(data: bytes) -> None:
    """Parse the records of an extended header, and what they say of one file, or of all."""
    with refusals():
        records = list(parse_records(data))
    assert list(parse_records(b"".join(pax_record(keyword, value) for keyword, value in records))) == records
    with refusals():
        said = parse_extended(data)
    assert said.size is None or 0 <= said.size < 2**63
    assert said.sparse is None or 0 <= said.sparse.map.holes <= said.sparse.map.size


def read_global(data: bytes) -> None:
    """Parse what a global header says of all files."""
    with refusals():
        said = parse_global(data, NOTHING)
    assert said.path is said.size is said.xattrs is said.sparse is None


def read_sparse_map(data: bytes) -> None:
    """Read the map before the data of a sparse file."""
    blocks = (data[start : start + BLOCK].ljust(BLOCK, b"\0") for start in range(0, len(data), BLOCK))

    def take() -> bytes:
        block = next(blocks, None)
        if block is None:
            raise Fault("no more")
        return block

    found = SparseMap(1 << 40)
    with refusals():
        read_map(take, found)
    assert sum(length for _, length in found) == found.stored <= found.size


def read_acl(data: bytes) -> None:
    """Parse an ACL from text, and another from what an xattr holds."""
    text = format_acl(data)
    assert text is None or parse_acl(text) is not None
    with refusals():
        acl = parse_acl(data)
    if acl is not None and (text := format_acl(acl)) is not None:
        assert parse_acl(text) == acl


def read_program(data: bytes) -> None:
    """Tell a program by its first bytes; what is no program of a known form is refused."""
    program = parse_program(data)
    assert len(program.interpreter) + len(program.argument) < 256
    if program.form not in (Form.ELF, Form.SCRIPT):
        raise Refused


def read_quantity(data: bytes) -> None:
    """Parse a quantity in several units."""
    text = data.decode("utf-8", "replace")
    for scale in (1, 1000):
        with refusals():
            quantity = parse_quantity(text, "x", scale=scale)
        assert 0 <= quantity.amount <= MAX_QUANTITY
        assert quantity.text == text


def read_reference(data: bytes) -> None:
    """Parse a word that names an image; a name with labels is written and read back."""
    text = os.fsdecode(data)
    with refusals():
        found = parse_argument(text)
    if isinstance(found, ImageReference):
        words = "".join(f",{label}={value}" for label, value in found.labels.items())
        again = f"{found.name}{words}{'@' + found.image_id if found.image_id else ''}"
        assert parse_reference(again) == found


def read_page(data: bytes) -> None:
    """Find the discovery tags of a page: each of two words, and none that came after the part which is read."""
    tags = parse_tags(data)
    for tag in tags:
        assert tag.kind in ("ac-discovery", "ac-discovery-pubkeys")
        assert len(tag.prefix.split()) == len(tag.url.split()) == 1
    assert parse_tags(data[:READ_BYTES] + b'<meta name="ac-discovery" content="a b">' * (len(data) >= READ_BYTES)) == tags


TRUSTED = {"a" * 40: b"", "b" * 40: b""}
_AGAINST = re.compile(rb"^\[GNUPG:\] (BADSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|ERRSIG|NODATA|FAILURE)( |$)", re.MULTILINE)


def judge_status(data: bytes) -> None:
    """Judge gpg's status lines: a key that is trusted and says so, and nothing that speaks against it, or a reason."""
    verdict = judge(data, TRUSTED)
    if verdict.fingerprint is None:
        assert verdict.reason
        raise Refused
    assert verdict.fingerprint in TRUSTED
    assert not _AGAINST.search(data)
    valid = [line.split(b" ") for line in data.split(b"\n") if line.startswith(b"[GNUPG:] VALIDSIG ")]
    assert valid
    assert all(words[11].decode().lower() in TRUSTED and words[10] == b"00" for words in valid)
    assert b"[GNUPG:] GOODSIG" in data
    assert judge(data, {}).fingerprint is None


def judge_decryption(data: bytes) -> None:
    """Judge what gpg says of an encrypted image: one whole message with AES, and nothing that speaks against it, or an error."""
    fault = find_fault(parse_status(data), "x.aci")
    if fault is not None:
        assert str(fault).startswith("x.aci: ")
        raise Refused
    said = [line[9:].split(b" ") for line in data.split(b"\n") if line.startswith(b"[GNUPG:] ")]
    assert [words[0] for words in said].count(b"GOODMDC") == 1
    assert not {b"BADMDC", b"DECRYPTION_FAILED", b"NODATA", b"FAILURE"} & {words[0] for words in said}
    assert [words[2] in (b"7", b"8", b"9") for words in said if words[0] == b"DECRYPTION_INFO"] == [True]


def read_archive(data: bytes) -> None:
    """Read an image in several ways, unpack it, and build what was unpacked: see `archives`."""
    with refusals():
        archives.check(archives.wrap(data))


_STATUS = (
    b"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0123456789ABCDEF Somebody <x@example.com>\n"
    b"[GNUPG:] VALIDSIG " + b"A" * 40 + b" 2024-01-01 1704067200 0 4 0 1 10 00 " + b"A" * 40 + b"\n[GNUPG:] TRUST_ULTIMATE\n"
)
_DECRYPTED = (
    b"[GNUPG:] NEED_PASSPHRASE_SYM 9 3 10\n[GNUPG:] BEGIN_DECRYPTION\n[GNUPG:] DECRYPTION_INFO 2 9 0\n"
    b"[GNUPG:] PLAINTEXT 62 1795628366 \n[GNUPG:] DECRYPTION_OKAY\n[GNUPG:] GOODMDC\n[GNUPG:] END_DECRYPTION\n"
)
_PAGE = (
    b'<!DOCTYPE html><html><head><title>x</title><!-- --><script>x</script>\n<meta name="ac-discovery" '
    b'content="example.com https://example.com/{name}-{version}.{ext}">\n<meta content="example.com https://example.com/k" '
    b"name=ac-discovery-pubkeys></head><body><template></template></body></html>"
)
_JSON_WORDS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-0",
    b"null",
    b"true",
    b"NaN",
    b"\xef\xbb\xbf",
)
_IMAGES = [dump_json(value) for value in MANIFESTS if value["acKind"] == "ImageManifest"]
_PODS = [dump_json(value) for value in MANIFESTS if value["acKind"] == "PodManifest"]
_RECORDS = (
    pax_record("path", "rootfs/x") + pax_record("mtime", "1.5") + pax_record("SCHILY.xattr.user.a", b"\0"),
    pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") + pax_record("GNU.sparse.realsize", "9"),
    pax_record("GNU.sparse.size", "512") + pax_record("GNU.sparse.numblocks", "1") + pax_record("GNU.sparse.map", "0,512"),
    pax_record("SCHILY.acl.access", "user::rwx,user:1:r--,group::r-x,mask::r-x,other::---") + pax_record("size", "9"),
)

TARGETS = {
    "archive": Target(read_archive, archives.SEEDS, archives.WORDS),
    "json": Target(read_json, [b'{"a": [1, -0.5, "\\u00e9", null, true]}', b"[]", *_IMAGES[:2]], _JSON_WORDS),
    "image-manifest": Target(read_image_manifest, _IMAGES, _JSON_WORDS),
    "pod-manifest": Target(read_pod_manifest, _PODS, _JSON_WORDS),
    "pax": Target(
        read_pax, _RECORDS, [b"GNU.sparse.", b"offset", b"SCHILY.acl.default", b"linkpath", b"hdrcharset=BINARY", b"%3D"]
    ),
    "pax-global": Target(
        read_global, [pax_record("mtime", "1.5") + pax_record("uid", "7") + pax_record("comment", "x")], [b"gid=", b"size="]
    ),
    "sparse-map": Target(read_sparse_map, [b"2\n0\n512\n1024\n5\n", b"0\n"], [b"\n", b"512\n", b"\0" * BLOCK]),
    "acl": Target(
        read_acl,
        [b"user::rwx,user:1:r--,group::r-x,mask::r-x,other::---", bytes.fromhex("0200000001000700ffffffff02000500e8030000")],
        [b"default:", b"user:", b"u:", b"#", b"\n", b"4294967295"],
    ),
    "program": Target(
        read_program,
        [b"#!/bin/sh -e\n", make_elf(loader=b"/lib64/ld.so"), make_elf(40, bits=32, little=False, loader=b"/ld")],
        [b"\x7fELF", b"#!", b"\n", b" ", b"\xff" * 8, b"\x03\0\0\0"],
    ),
    "quantity": Target(read_quantity, [b"250m", b"1.5Gi", b"1e3", b"9223372036854775807"], [b"Ki", b"E", b"e-", b".", b"+"]),
    "reference": Target(
        read_reference,
        [b"example.com/app:1.0,os=linux@sha512-" + b"a" * 128, b"./x.aci"],
        [b"://", b"sha512-", b"../", b"@", b"\xff"],
    ),
    "page": Target(
        read_page, [_PAGE], [b"<meta ", b"</", b"<!--", b"name=", b"content=", b"ac-discovery", b"<plaintext>", b"<svg>", b"\0"]
    ),
    "judge": Target(
        judge_status,
        [_STATUS, _STATUS.replace(b"A" * 40, b"b" * 40), _STATUS + _STATUS, _STATUS + b"[GNUPG:] ERRSIG 1 1 8 00 1 9 -\n"],
        [b"[GNUPG:] ", b"BADSIG", b"VALIDSIG", b"GOODSIG", b"NODATA", b"\r", b"\n"],
    ),
    "judge-decryption": Target(
        judge_decryption,
        [
            _DECRYPTED,
            _DECRYPTED.replace(b"GOODMDC", b"BADMDC"),
            _DECRYPTED.replace(b"INFO 2 9", b"INFO 2 7"),
            _DECRYPTED + _DECRYPTED,
        ],
        [b"[GNUPG:] ", b"NEED_PASSPHRASE_SYM 9 3 10", b"ENC_TO", b"PLAINTEXT", b"GOODMDC", b"NODATA", b"\r", b"\n"],
    ),
}


def attempt(target: Target, data: bytes) -> bool:
    """Run *target* on *data* and return whether it was accepted. Raises: whatever must not come out."""
    try:
        target.run(data)
    except Refused:
        return False
    return True
