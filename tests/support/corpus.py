"""Hostile and unusual images by the hundred, each under an English sentence, with the words in which it is refused.

    CORPUS["a name that climbs: ../x"] is Case(data=..., refused='holds ".."')

A case that is not refused must be read, and unpacked as its headers say. Each is small and has the one property in its sentence.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator

from tests.support import others, sparse, streams
from tests.support.images import END, Case, archive, base256, header, long_name, manifest_bytes, member, pax, pax_record

MANIFEST = member("manifest", manifest_bytes())
ROOTFS = member("rootfs", kind="5", mode=0o755, mtime=1_000_000_000)
EMPTY = member("rootfs/a")
FILE = member("rootfs/f", b"content\n")
LINK = member("rootfs/l", kind="2", link="/etc", mtime=7)
GNU = b"ustar  \0"
_CLIMBING = "../x rootfs/../x rootfs/.. .. rootfs/a/../../x ./../x rootfs//../x rootfs/./../x rootfs/d/../f"
_XATTRS = "user.a user.a%3Db trusted.overlay.opaque user.overlay.opaque security.selinux security.ima x user."
_BAD_ACLS = "x user::rwxx user:: user:1:rwx:9999999999 mask:1:rwx , user::rwx:1:2:3 user:99999999999:rwx"
_THIRD = "x rootfsevil/x rootfs.x Rootfs manifest2 manifest/x rootfs\\x etc/passwd root ./x .wh.rootfs"
_ODD = b"..x|...| |-rf|a\nb|\x1b[31mred|\xff\xfe|a\\b|%00|\xe2\x80\xaeevil|CON|a:b"


def with_parts(*parts: bytes, end: bytes = END) -> bytes:
    """Return the tar of an image with *parts* after its manifest and rootfs."""
    return archive([MANIFEST, ROOTFS, *parts], end)


def _good(*parts: bytes, end: bytes = END) -> Case:
    return Case(with_parts(*parts, end=end))


def _bad(words: str, *parts: bytes, end: bytes = END) -> Case:
    return Case(with_parts(*parts, end=end), words)


def _whole(words: str, *parts: bytes) -> Case:
    return Case(archive(parts), words)


GOOD = with_parts(FILE, member("rootfs/d", kind="5", mode=0o750), member("rootfs/d/x", b"x" * 600), LINK)


def _names() -> Iterator[tuple[str, Case]]:
    for name in _CLIMBING.split():
        yield f"a name that climbs: {name}", _bad('holds ".."', member(name))
        yield f"a name that climbs, in a pax header: {name}", _bad('holds ".."', pax({"path": name}), EMPTY)
        yield f"a name that climbs, GNU's long form: {name}", _bad('holds ".."', long_name(name), EMPTY)
    for name in ("/etc/x", "//x", "/", "/rootfs/x", "/manifest"):
        yield f"an absolute name: {name}", _bad("absolute", member(name, kind="5"))
    for name in _THIRD.split():
        yield f"a third name at the top: {name}", _bad("outside rootfs", member(name))
    yield "a name split at the prefix that climbs", _bad('holds ".."', header("x", prefix=b"rootfs/.."))
    yield "an absolute prefix", _bad("absolute", header("x", prefix=b"/rootfs"))
    yield "a pax name with a zero byte", _bad("zero byte", pax({"path": b"rootfs/a\0b"}), EMPTY)
    yield "a long name with a zero byte inside", _bad("zero byte", long_name(b"rootfs/a\0b"), EMPTY)
    yield "an empty name", _bad("name is empty", header(""))
    yield "an empty long name", _bad("name is empty", long_name(b""), EMPTY)
    yield "a name of 70,000 bytes", _bad("65536 bytes", pax({"path": b"rootfs/" + b"a" * 70_000}), EMPTY)
    yield "a name of 5,000 components", _bad("4096 components", pax({"path": b"rootfs" + b"/a" * 5000}), EMPTY)
    yield "a component of 300 bytes", Case(with_parts(pax({"path": b"rootfs/" + b"a" * 300}), EMPTY), on_disk="longer than")
    yield "a path of 1,100 levels", _good(pax({"path": b"rootfs" + b"/dir" * 1100}), member("rootfs/a", b"deep"))
    yield "a file whose name ends in a slash", _bad("ends in a slash", member("rootfs/a/", b"x"))
    yield "a symbolic link whose name ends in a slash", _bad("ends in a slash", header("rootfs/a/", kind="2", link="b"))
    for odd in _ODD.split(b"|"):
        yield f"an odd but legal name: {odd!r}", _good(member(b"rootfs/" + odd, b"data"))
    for spelling in ("./rootfs/a", "rootfs//a", "rootfs/./a", "././rootfs///a"):
        yield f"a name spelt {spelling}", _good(member(spelling, b"data"))
    for spelling in ("rootfs//f", "rootfs/./f", "./rootfs/f", ".//rootfs/f", "rootfs/f"):
        yield f"a duplicate spelt {spelling}", _bad("appears twice", FILE, member(spelling))
        yield f"a duplicate spelt {spelling} by pax", _bad("appears twice", FILE, pax({"path": spelling}), EMPTY)
        yield f"a duplicate spelt {spelling} by GNU", _bad("appears twice", FILE, long_name(spelling), EMPTY)
    yield "a duplicate split at the prefix", _bad("appears twice", FILE, header("f", prefix=b"rootfs"))
    yield "a directory twice", _bad("appears twice", *[member("rootfs/d/", kind="5")] * 2)
    yield "a directory over a symbolic link", _bad("appears twice", LINK, member("rootfs/l", kind="5"))
    yield "the entry for the layout itself", _whole("", member("./", kind="5", mode=0o700), MANIFEST, ROOTFS)
    yield "the layout itself as a link", _whole("must be a directory", member(".", kind="2", link="/tmp"), MANIFEST, ROOTFS)
    yield "the layout itself twice", _bad("appears twice", member("./", kind="5"), member(".", kind="5"))
    yield "the manifest last", _whole("", ROOTFS, FILE, MANIFEST)
    yield "the rootfs after what is in it", _whole("", MANIFEST, FILE, ROOTFS)
    yield "a file named manifest inside the rootfs", _good(member("rootfs/manifest", b"not JSON"))


def _tops() -> Iterator[tuple[str, Case]]:
    kinds = {"symbolic link": "2", "directory": "5", "FIFO": "6", "character device": "3", "block device": "4"}
    for word, kind in kinds.items():
        entry = header("manifest", kind=kind, link="rootfs/f" if kind == "2" else "")
        yield f"a manifest that is a {word}", _whole("must be a regular file", ROOTFS, FILE, entry)
        if kind != "5":
            entry = header("rootfs", kind=kind, link="/" if kind == "2" else "")
            yield f"a rootfs that is a {word}", _whole("must be a directory", MANIFEST, entry)
            below = header("rootfs/x", kind=kind, link="d" if kind == "2" else "")
            yield f"a file below a {word}", _bad("not a directory", below, member("rootfs/x/y"))
            yield f"a file above a {word} that comes later", _bad("not a directory", member("rootfs/x/y"), below)
            yield f"data after a {word}", _bad("data after a", member("rootfs/x", b"data", kind=kind, link="d"))
    yield "data after a directory", _bad("data after a directory", member("rootfs/x", b"data", kind="5"))
    yield "data after a directory, by pax", _bad("data after", pax({"size": "4"}), member("rootfs/x", kind="5"), bytes(512))
    yield "data after a hard link", _bad("data after a hard link", FILE, member("rootfs/x", b"data", kind="1", link="rootfs/f"))
    linked = header("manifest", kind="1", link="rootfs/f")
    yield "a manifest that is a hard link", _whole("must be a regular file, not a hard link", ROOTFS, FILE, linked)
    yield "a rootfs that is a file", _whole("must be a directory", MANIFEST, member("rootfs", b"x"))
    yield "no manifest", _whole("no manifest", ROOTFS, FILE)
    yield "no rootfs", _whole("no directory rootfs", MANIFEST)
    yield "a rootfs that is only implied", _whole("no directory rootfs", MANIFEST, FILE)
    yield "a manifest twice", _bad("appears twice", MANIFEST)
    yield "a manifest twice, in disguise", _bad("appears twice", member("./manifest", b"{}"))
    yield "a manifest of more than 1 MiB", _whole("1048576 bytes", member("manifest", bytes(2**20 + 1)), ROOTFS)
    yield "a manifest that claims 2 GiB", _whole("1048576 bytes", header("manifest", size=2**31), ROOTFS)


def _links() -> Iterator[tuple[str, Case]]:
    yield "a file through a symbolic link", _bad("not a directory", LINK, member("rootfs/l/x"))
    yield "a directory through a symbolic link", _bad("not a directory", LINK, member("rootfs/l/x", kind="5"))
    yield "a file through a link to ..", _bad("not a directory", header("rootfs/l", kind="2", link=".."), member("rootfs/l/x"))
    yield "a symbolic link at the place of an implied directory", _bad("not a directory", member("rootfs/l/x"), LINK)
    for kind, numbers in (("2", {}), ("6", {}), ("3", {"major": 1, "minor": 3})):
        target = header("rootfs/t", kind=kind, link="f" if kind == "2" else "", **numbers)
        yield f"a hard link to a {kind}", _good(target, header("rootfs/x", kind="1", link="rootfs/t", **numbers))
    below = (LINK, header("rootfs/x", kind="1", link="rootfs/l"), member("rootfs/x/y"))
    yield "a file through a hard link to a symbolic link", _bad("not a directory", *below)
    targets = {
        "/etc/passwd": "absolute",
        "../etc/passwd": 'holds ".."',
        "rootfs/../../etc/passwd": 'holds ".."',
        "manifest": "outside rootfs",
        "etc/passwd": "outside rootfs",
        "rootfs": "outside rootfs",
        "rootfs/d": "which is a directory",
        "rootfs/l/passwd": "not in the archive before",
        "rootfs/later": "not in the archive before",
        "rootfs/x": "not in the archive before",
        "": "name is empty",
    }
    before = [FILE, LINK, member("rootfs/d", kind="5"), header("rootfs/p", kind="6")]
    for target, words in targets.items():
        parts = [*before, header("rootfs/x", kind="1", link=target), member("rootfs/later")]
        yield f'a hard link to "{target}"', _bad(words, *parts)
        if target:
            parts = [*before, pax({"linkpath": target}), header("rootfs/x", kind="1", link="rootfs/f"), member("rootfs/later")]
            yield f'a hard link to "{target}", by pax', _bad(words, *parts)
            parts = [*before, long_name(target, "K"), header("rootfs/x", kind="1", link="rootfs/f"), member("rootfs/later")]
            yield f'a hard link to "{target}", by GNU', _bad(words, *parts)
    for target in ("rootfs/f", "./rootfs/f", "rootfs//f"):
        yield f"a hard link to {target}", _good(FILE, header("rootfs/x", kind="1", link=target))
    chain = [header(f"rootfs/x{n}", kind="1", link=f"rootfs/x{n - 1}") for n in range(1, 9)]
    yield "a chain of hard links", _good(member("rootfs/x0", b"data"), *chain)
    for target in ("/etc/passwd", "../../../etc", "x", ".", "/proc/self/exe", "a/" * 45 + "b"):
        yield f"a symbolic link to {target[:20]}", _good(header("rootfs/x", kind="2", link=target))
    yield "a symbolic link without a target", _bad("without a target", header("rootfs/x", kind="2"))
    long_target = pax({"linkpath": "t/" * 2100}) + header("rootfs/x", kind="2")
    yield "a symbolic link longer than PATH_MAX", Case(with_parts(long_target), on_disk="longer than")
    yield "a symbolic link of 70,000 bytes", _bad("65536 bytes", pax({"linkpath": "t" * 70_000}), header("rootfs/x", kind="2"))
    yield "links that overrun a resolver of paths", _bad("not a directory", *_overrun())


def _overrun() -> Iterator[bytes]:
    """Yield sixteen steps of 247 bytes, each with a short link beside it, then a way out and a file behind it: CVE-2025-4517."""
    path = "rootfs"
    for step in "abcdefghijklmnop":
        yield pax({"path": f"{path}/{'d' * 247}"}) + member("rootfs/a", kind="5")
        yield pax({"path": f"{path}/{step}"}) + header("rootfs/a", kind="2", link=f"{'d' * 247}"[:99])
        path += "/" + "d" * 247
    yield header("rootfs/out", kind="2", link="/".join("abcdefghijklmnop") + "/../" * 9)
    yield member("rootfs/out/escaped", b"escaped")


def _flavours() -> Iterator[tuple[str, Case]]:
    name = pax({"path": "rootfs/b"})
    entry = member("rootfs/a", b"data")
    yield "a pax and a GNU name", _bad("for one entry", name, long_name("rootfs/c"), entry)
    yield "GNU tar's v7, with device numbers", _good(_resum(bytearray(header("rootfs/a", magic=bytes(8)))))
    yield "a GNU and a pax name", _bad("two extended headers", long_name("rootfs/c"), name, entry)
    yield "two pax headers for one entry", _bad("two extended headers", name, name, entry)
    yield "two GNU names for one entry", _bad("two long names", long_name("rootfs/c"), long_name("rootfs/d"), entry)
    yield "a global header in between", _bad("global header between", name, pax({"comment": "x"}, "g"), entry)
    yield "a pax header and no entry", _bad("no entry after it", name)
    yield "a GNU name and no entry", _bad("no entry after it", long_name("rootfs/c"))
    yield "a pax header at the end of the file", _bad("no entry after it", name, end=b"")
    for keyword in ("path", "linkpath", "size"):
        yield f"an empty {keyword} in a pax header", _bad("is empty", pax({keyword: ""}), entry)
        yield f"a global {keyword}", _bad("for every file", pax({keyword: "1"}, "g"), entry)
    yield "a global xattr", _bad("for every file", pax({"SCHILY.xattr.user.a": "1"}, "g"), entry)
    yield "an unknown character set", _bad("unknown character set", pax({"hdrcharset": "KOI8-R"}), entry)
    yield "star's sparse files", _bad("in star's format", pax({"SCHILY.realsize": "1"}), entry)
    for keyword in ("filename", "offset", "size"):
        yield f"a part of a file, by GNU.volume.{keyword}", _bad("multi-volume", pax({f"GNU.volume.{keyword}": "1"}, "g"), entry)
    for flag in [*"ABCDEFGHIJMNOPQRTUVWXYZ", "8", "9", "a", " ", b"\x01", b"\xff"]:
        yield f"an entry of the type {flag!r}", _bad("not what an image may hold", header("rootfs/a", kind=flag))
    blank = {"mode": b"", "uid": b"", "gid": b"", "size": b"", "magic": bytes(8), "major": b"", "minor": b""}
    yield "GNU tar's volume label", _whole("a volume label", header("backup", kind="V", **blank), MANIFEST, ROOTFS)
    yield "GNU tar's volume label in a pax header", _whole("", pax({"GNU.volume.label": "backup"}, "g"), MANIFEST, ROOTFS)
    for magic in (b"ustar\x0001", b"ustar\x00\x00\x00", b"USTAR\x0000", b"ustar 00", b"\x00ustar00"):
        yield f"the magic {magic!r}", _bad("neither a ustar nor a GNU", header("rootfs/a", magic=magic))
    yield "a Unix V7 header", _good(_v7("rootfs/a", kind=b"\0"))
    yield "a Unix V7 directory", _good(_v7("rootfs/a/", kind=b"\0"), _v7("rootfs/a/b", kind=b"\0"))
    yield "a Unix V7 header with a prefix", _bad("neither a ustar nor a GNU", _v7("rootfs/a", prefix=b"rootfs"))
    yield "a contiguous file", _good(member("rootfs/a", b"data", kind="7"))
    yield "a GNU header with times in the prefix", _good(member("rootfs/a", b"data", magic=GNU, prefix=b"00000000001\0" * 2))
    yield "a star header with times in the prefix", _good(_star("rootfs/a"))
    yield "a GNU long name over a long link", _good(long_name("t" * 300, "K"), long_name("rootfs/b"), header("rootfs/a", kind="2"))
    yield "a size in pax larger than in the header", _good(pax({"size": "4"}), header("rootfs/a"), b"data" + bytes(508))
    yield "a size in pax smaller than in the header", _good(pax({"size": "0"}), header("rootfs/a", size=512), FILE)
    yield "headers hidden in a file's data", _good(member("rootfs/a", archive([MANIFEST, ROOTFS, member("../x")])))
    yield "records that come twice: the last counts", _good(pax(pax_record("path", "../x") + pax_record("path", "rootfs/b")), entry)
    odd = {
        "atime": "x",
        "ctime": "nan",
        "comment": "\0",
        "LIBARCHIVE.xattr.user.a": "!",
        "RHT.security.selinux": "x",
        "vendor.x": "y",
    }
    yield "pax records that nobody here knows", _good(pax(odd), entry)
    yield "a pax header without records", _good(pax(b""), entry)
    yield "an empty uid in a pax header", _good(pax({"uid": "", "mtime": ""}), entry)
    yield "a global header of git's", _whole("", pax({"comment": "0" * 40}, "g"), MANIFEST, ROOTFS, FILE)
    yield "global times and owners", _good(pax({"mtime": "1.5", "uid": "7"}, "g"), FILE, pax({"uid": "8"}), entry)
    yield "the ids of 32 bits", _good(pax({"uid": "4294967294"}), member("rootfs/a", gid=base256(4294967294, 8)))


def _v7(name: str, **fields: bytes) -> bytes:
    block = bytearray(header(name, magic=bytes(8), **{"kind": b"0", **fields}))
    block[329:345] = bytes(16)
    return _resum(block)


def _star(name: str) -> bytes:
    block = bytearray(header(name))
    block[345 + 131 : 345 + 155] = b"00000000001\0" * 2
    block[508:512] = b"tar\0"
    return _resum(block)


def _resum(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


_BAD_NUMBERS = (b"0_20", b"+2", b"-1", b"nan", b"0x1f", b"8", b"19", b"1 2", b"1\x002", b"1.0", b"\x32\xb2", b"1,", b"o", b"\t1")


def _numbers() -> Iterator[tuple[str, Case]]:
    for field in ("mode", "uid", "gid", "size", "mtime"):
        for value in _BAD_NUMBERS:
            yield f"the {field} {value!r}", _bad(f"bad {field} field", header("rootfs/a", **{field: value}))
    for field in ("major", "minor"):
        for value in (*_BAD_NUMBERS[:4], b" "):
            yield f"the {field} {value!r}", _bad(f"bad {field} field", header("rootfs/a", kind="3", **{field: value}))
        yield f"a {field} of 7 digits", _bad("out of range", header("rootfs/a", kind="3", **{field: b"7777777"}))
    yield "a checksum that is wrong by one", _bad("wrong checksum", header("rootfs/a", checksum=1))
    yield "a checksum that is no number", _bad("bad checksum field", header("rootfs/a", checksum=b"1_0"))
    yield "a negative size", _bad("out of range", header("rootfs/a", size=base256(-512, 12)))
    yield "a size of 2 to the 62nd", _bad("bytes uncompressed", header("rootfs/a", size=base256(2**62, 12)))
    yield "a size of 2 to the 70th", _bad("out of range", header("rootfs/a", size=base256(2**70, 12)))
    yield "a size beyond the end", _bad("truncated", header("rootfs/a", size=100_000))
    yield "a negative uid", _bad("out of range", header("rootfs/a", uid=base256(-2, 8)))
    yield "the uid that means none", _bad("out of range", header("rootfs/a", uid=base256(2**32 - 1, 8)))
    yield "a time of 2 to the 80th", _bad("out of range", header("rootfs/a", mtime=base256(2**80, 12)))
    yield "a time before 1970", _good(header("rootfs/a", mtime=base256(-86_400, 12)))
    yield "a size in twelve digits without an end", _good(header("rootfs/a", size=b"000000000000"))
    yield "numbers between spaces", _good(header("rootfs/a", uid=b"     7 ", mode=b"   644 ", mtime=b"         1 "))
    for field in ("mode", "uid", "gid", "mtime"):
        width = 12 if field == "mtime" else 8
        for spaces in (0, 3, width - 1):
            yield f"a {field} of {spaces} spaces and zero bytes", _good(header("rootfs/a", **{field: b" " * spaces}))
        yield f"a {field} of spaces only", _bad(f"bad {field} field", header("rootfs/a", **{field: b" " * width}))
        yield f"a {field} behind a zero byte", _bad(f"bad {field} field", header("rootfs/a", **{field: b"\x000000644"}))
    yield "a size of zeros", _bad("bad size field", header("rootfs/a", size=b""))
    for text in ("-1", "1_0", "+1", "1.5", " 1", "1 ", "\u0663", "9" * 30, "4294967295", "0x1", "1\n"):
        yield f"the pax uid {text!r}", _bad("bad uid or gid", pax({"uid": text}), EMPTY)
    for text in ("-1", "1_0", "+1", "nan", "9" * 30, str(2**63), " 0"):
        yield f"the pax size {text!r}", _bad("bad size", pax({"size": text}), EMPTY)
    for text in ("nan", "inf", "1e5", "1_0", "--1", "1.", ".", "-", " 1", "1.2.3", "1" * 30, "1." + "1" * 80, "\u0661"):
        yield f"the pax time {text!r}"[:60], _bad("bad time", pax({"mtime": text}), EMPTY)
    for text in ("-1.5", "0.0000000001", "-0.0000000001", "1.123456789123", "0", "00000.5", "4000000000.25"):
        yield f"the good pax time {text}", _good(pax({"mtime": text}), EMPTY)
    for length in (b"0", b"00012", b"-9", b"+9", b"9_", b"9" * 600, b"", b"\0", b" 9", b"1e1"):
        yield f"the pax record {length[:9]!r} path=x", _bad("bad length", pax(length + b" path=x\n"), EMPTY)
    for length in (b"9999999", b"8", b"11", b"2", b"1"):
        yield f"the pax record {length!r} path=x", _bad("does not end", pax(length + b" path=x\n"), EMPTY)
    for data in (b"6 abc\n", b"5 =x\n"):
        yield f"the pax record {data!r}", _bad("without a keyword", pax(data), EMPTY)
    for kind in "xgLK":
        yield f"a header {kind} that claims 8 GiB", _bad("1048576 bytes", header("x", kind=kind, size=2**33 - 1))
        yield f"a header {kind} that is cut off", _bad("truncated", header("x", kind=kind, size=4096), end=b"")


def _attributes() -> Iterator[tuple[str, Case]]:
    entry = member("rootfs/a", b"data")
    for name in _XATTRS.split():
        yield f"the attribute {name}", _good(pax({f"SCHILY.xattr.{name}": b"\0\xff"}), entry)
    yield "an attribute without a name", _bad("bad name of an extended", pax({"SCHILY.xattr.": "x"}), entry)
    yield "an attribute with a name of 300 bytes", _bad("bad name of an", pax({"SCHILY.xattr.user." + "a" * 300: "x"}), entry)
    yield "an attribute with a zero byte in its name", _bad("bad name of an extended", pax({"SCHILY.xattr.user.a\0": "x"}), entry)
    yield "an attribute of 70,000 bytes", _bad("larger than the kernel", pax({"SCHILY.xattr.user.a": b"x" * 70_000}), entry)
    for text in ("user::rwx,group::r-x,other::r--", "u::rw-\ng::r--\no::---\n", "u::rwx,u:1:r--,g::---,m::r--,o::---"):
        yield f"the access control list {text!r}", _good(pax({"SCHILY.acl.access": text}), entry)
    for text in _BAD_ACLS.split():
        yield f"the bad access control list {text!r}", _bad("bad access control list", pax({"SCHILY.acl.access": text}), entry)
    for mode in (0o4755, 0o2755, 0o1777, 0, 0o7777):
        yield f"a file of mode {mode:o}", _good(member("rootfs/a", b"data", mode=mode))
        yield f"a directory of mode {mode:o}", _good(member("rootfs/a", kind="5", mode=mode), member("rootfs/a/b"))
    yield "a FIFO", _good(header("rootfs/a", kind="6", mtime=7))
    yield "devices", _good(header("rootfs/a", kind="3", major=1, minor=3), header("rootfs/b", kind="4", major=8))
    yield "an overlay's whiteout", _good(header("rootfs/a", kind="3"))


def _ends() -> Iterator[tuple[str, Case]]:
    yield "no end", _good(FILE, end=b"")
    yield "one block of zeros at the end", _good(FILE, end=bytes(512))
    yield "zeros to a tape's block", _good(FILE, end=bytes(10_240))
    yield "a tail of zeros that is no block", _good(FILE, end=bytes(1100))
    yield "a tail after the end", _bad("data after the end", FILE, end=END + b"x")
    yield "a second archive after the end", Case(GOOD + GOOD, "data after the end")
    yield "an entry after one block of zeros", _bad("data after the end", FILE, bytes(512), member("rootfs/b"))
    yield "half a header", _bad("truncated", FILE, end=b"rootfs/b")
    yield "a file cut off", _bad("truncated", member("rootfs/a", b"x" * 600)[:-300], end=b"")
    yield "padding cut off", _bad("truncated", member("rootfs/a", b"data")[:-100], end=b"")
    yield "nothing", Case(b"", "an empty file")
    yield "zeros only", Case(bytes(10_240), "without entries")
    yield "text", Case(b"hello\n" * 200, "neither tar nor gzip")
    magics = {"zstd": b"\x28\xb5\x2f\xfd", "lz4": b"\x04\x22\x4d\x18", "lzip": b"LZIP", "a zip file": b"PK\x03\x04"}
    for name, magic in magics.items():
        yield f"a file that begins like {name}", Case(magic + bytes(600), name)
    yield "an lzma file", Case(lzma.compress(GOOD, lzma.FORMAT_ALONE), "lzma")
    yield "a PGP message", Case(b"-----BEGIN PGP MESSAGE-----\n\nxx", "encrypted with PGP")
    yield "a PGP signature", Case(b"-----BEGIN PGP SIGNATURE-----\n\nxx", "a PGP signature")
    yield "a PGP message in binary", Case(b"\x8c\x0d\x04\x09\x03\x02" + bytes(600), "encrypted with PGP")


def _sparse() -> Iterator[tuple[str, Case]]:
    for sentence, parts in sparse.good_parts():
        yield sentence, _good(parts, LINK)
    for sentence, parts, words in sparse.bad_parts():
        yield sentence, _bad(words, FILE, parts)


def _others() -> Iterator[tuple[str, Case]]:
    for sentence, data in others.good_images():
        yield sentence, Case(data)
    for sentence, parts, words in others.bad_members():
        yield sentence, _bad(words, parts)


def _streams() -> Iterator[tuple[str, Case]]:
    yield from streams.stream_cases(GOOD)


CORPUS: dict[str, Case] = {}
for _family in (_names, _tops, _links, _flavours, _sparse, _numbers, _attributes, _ends, _others, _streams):
    for _sentence, _case in _family():
        assert _sentence not in CORPUS, _sentence
        CORPUS[_sentence] = _case
