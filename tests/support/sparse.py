"""Sparse files in all four forms of GNU tar, made byte by byte, and the ways in which each of them can be wrong.

    old(PIECES, SIZE, DATA), records(PIECES, SIZE, DATA), one_record(PIECES, SIZE, DATA), in_data(PIECES, SIZE, DATA)

are one and the same file `rootfs/s`; what is wrong is given in place of what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.support.images import BLOCK, base256, header, long_name, member, padded, pax, pax_record

Pieces = Sequence[tuple[int, int]]

NAME = "rootfs/s"
# Two pieces with a hole before, between and after them, and the empty one at the end that GNU tar always writes.
PIECES: Pieces = ((4096, 1024), (12_288, 512), (20_480, 0))
SIZE = 20_480
DATA = b"a" * 1024 + b"b" * 512
CONTENT = bytes(4096) + DATA[:1024] + bytes(7168) + DATA[1024:] + bytes(7680)


def old(
    pieces: Pieces = PIECES,
    size: int | bytes = SIZE,
    data: bytes = DATA,
    *,
    name: str = NAME,
    stored: int | None = None,
    more: int | None = None,
    magic: bytes = b"ustar  \0",
    gap: bool = False,
) -> bytes:
    """Return a file of type S: four pieces in its header, 21 in each block behind it, or *more* to say something else."""
    fields = [_piece(*piece) for piece in pieces]
    if gap:
        fields.insert(1, bytes(24))
    block = bytearray(header(name, kind="S", magic=magic, size=len(data) if stored is None else stored))
    block[386:482] = b"".join(fields[:4]).ljust(96, b"\0")
    rest = [fields[start : start + 21] for start in range(4, len(fields), 21)]
    block[482] = bool(rest) if more is None else more
    block[483:495] = size.ljust(12, b"\0") if isinstance(size, bytes) else _number(size)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    blocks = [b"".join(part).ljust(504, b"\0") + bytes([part is not rest[-1]]) + bytes(7) for part in rest]
    return bytes(block) + b"".join(blocks) + padded(data)


def _piece(offset: int, length: int) -> bytes:
    return _number(offset) + _number(length)


def _number(number: int) -> bytes:
    return b"%011o\0" % number if number < 8**11 else base256(number, 12)


def records(pieces: Pieces = PIECES, size: int | str = SIZE, data: bytes = DATA, **changed: str | None) -> bytes:
    """Return a file in the form 0.0: two pax records a piece. *changed* sets other records, None leaves one out."""
    said = _said({"size": str(size), "numblocks": str(len(pieces))}, changed)
    for offset, length in pieces:
        said += pax_record("GNU.sparse.offset", str(offset)) + pax_record("GNU.sparse.numbytes", str(length))
    return pax(said) + member(NAME, data)


def one_record(pieces: Pieces = PIECES, size: int | str = SIZE, data: bytes = DATA, **changed: str | None) -> bytes:
    """Return a file in the form 0.1: one record for the map, and one for the name."""
    numbers = ",".join(f"{offset},{length}" for offset, length in pieces)
    fields = {"size": str(size), "numblocks": str(len(pieces)), "name": NAME, "map": numbers}
    return pax(_said(fields, changed)) + member("rootfs/GNUSparseFile.1/s", data)


def in_data(
    pieces: Pieces = PIECES, size: int | str = SIZE, data: bytes = DATA, *, text: bytes | None = None, **changed: str | None
) -> bytes:
    """Return a file in the form 1.0: its map, or *text* instead, before the data."""
    numbers = [len(pieces), *(number for piece in pieces for number in piece)]
    content = padded(b"".join(b"%d\n" % number for number in numbers) if text is None else text) + data
    fields = {"major": "1", "minor": "0", "name": NAME, "realsize": str(size)}
    return pax(_said(fields, changed)) + member("rootfs/GNUSparseFile.1/s", content)


def _said(fields: Mapping[str, str], changed: Mapping[str, str | None]) -> bytes:
    said = {**fields, **changed}
    return b"".join(pax_record(f"GNU.sparse.{key}", value) for key, value in said.items() if value is not None)


FORMS: Mapping[str, Callable[..., bytes]] = {"type S": old, "0.0": records, "0.1": one_record, "1.0": in_data}
MANY: Pieces = tuple((number * 1024, 512) for number in range(70))
MANY_SIZE = 70 * 1024 - 512
MANY_DATA = bytes(range(256)) * 140

# Pieces, size and data that are wrong in every form, by the words of their refusal.
WRONG: Mapping[str, tuple[Pieces, int, bytes, str]] = {
    "pieces that overlap": (((0, 1024), (512, 512), (4096, 0)), 4096, bytes(1536), "overlap or are out of order"),
    "pieces out of order": (((2048, 512), (0, 512), (4096, 0)), 4096, bytes(1024), "overlap or are out of order"),
    "one piece twice": (((0, 512), (0, 512), (4096, 0)), 4096, bytes(1024), "overlap or are out of order"),
    "a piece beyond the size": (((0, 1024),), 512, bytes(1024), "beyond its size of 512"),
    "a piece that begins beyond the size": (((8192, 512),), 4096, bytes(512), "beyond its size of 4096"),
    "an end beyond the size": (((0, 512), (8192, 0)), 4096, bytes(512), "beyond its size of 4096"),
    "pieces that add up to more than 64 bits": (((2**63 - 1, 2**63 - 1),), 2**63 - 1, b"", "beyond its size"),
    "a map that ends before the file": (((0, 512),), 4096, bytes(512), "whose map ends at 512"),
    "no map at all": ((), 4096, b"", "whose map ends at 0"),
    "less data than its map speaks of": (((0, 1024), (4096, 0)), 4096, bytes(512), "whose map speaks of 1024"),
    "more data than its map speaks of": (((0, 512), (4096, 0)), 4096, bytes(1024), "whose map speaks of 512"),
    "a piece that is no block before another one": (((0, 5), (4096, 512)), 4608, bytes(517), "not of whole blocks"),
    "a size beyond all limits": (((0, 512), (2**36, 0)), 2**36, bytes(512), "68719476736 bytes uncompressed"),
    "a size of 63 bits": (((2**63 - 1, 0),), 2**63 - 1, b"", "68719476736 bytes uncompressed"),
}


def good_parts() -> Iterator[tuple[str, bytes]]:
    """Yield what an image may hold, each under a sentence."""
    for form, make in FORMS.items():
        yield f"a sparse file, {form}", make()
        yield f"a sparse file of one hole, {form}", make(((SIZE, 0),), SIZE, b"")
        yield f"a sparse file without holes, {form}", make(((0, 1536), (1536, 0)), 1536, DATA)
        yield f"a sparse file of nothing, {form}", make((), 0, b"")
        yield f"a sparse file that ends with its data, {form}", make(((4096, 600),), 4696, b"x" * 600)
        yield f"a sparse file that begins with an empty piece, {form}", make(((0, 0), (512, 5), (600, 0)), 600, b"hello")
        yield f"a sparse file in 70 pieces, {form}", make(MANY, MANY_SIZE, MANY_DATA)
    yield "a sparse file of type S with a long name", long_name("rootfs/" + "n" * 200) + old()
    yield "a sparse file of type S with sizes in base-256", old(size=base256(SIZE, 12))
    yield "a sparse file whose name stands in path only", pax(_in_data_records(name=False)) + member("x", _MAP + DATA)
    both = _in_data_records() + pax_record("path", "../x")
    yield "a sparse file with a name beside its path", pax(both) + member("x", _MAP + DATA)
    yield "a sparse file whose size stands in pax", pax(_in_data_records() + pax_record("size", "2048")) + header("x") + _MAP + DATA
    yield "a contiguous sparse file", pax(_in_data_records()) + member("x", _MAP + DATA, kind="7")


_MAP = padded(b"3\n4096\n1024\n12288\n512\n20480\n0\n")


def _in_data_records(*, name: bool = True) -> bytes:
    fields = {"major": "1", "minor": "0", "realsize": str(SIZE)}
    return _said(fields, {"name": NAME}) if name else _said(fields, {}) + pax_record("path", NAME)


def bad_parts() -> Iterator[tuple[str, bytes, str]]:
    """Yield what an image may not hold, each under a sentence, with the words of its refusal."""
    for form, make in FORMS.items():
        for sentence, (pieces, size, data, words) in WRONG.items():
            yield f"a sparse file, {form}, with {sentence}", make(pieces, size, data), words
        if form != "type S":
            for text in ("-1", "x", "", "0x10", "1_0", " 1", "9" * 30, "9223372036854775808"):
                yield f"a sparse file, {form}, of the size {text!r}", make(size=text), "bad number"
            yield f"a sparse file, {form}, with an unknown record", make(colour="blue"), "none of GNU's formats"
            yield f"a sparse file, {form}, with an empty name", make(name=""), '"path" is empty'
            yield f"a sparse file, {form}, with a name that climbs", make(name="rootfs/../x"), 'holds ".."'
            yield f"a sparse file, {form}, with a zero byte in its name", make(name="rootfs/a\0b"), "zero byte"
    yield from _bad_old()
    yield from _bad_records()
    yield from _bad_data()


def _bad_old() -> Iterator[tuple[str, bytes, str]]:
    yield "a sparse file of type S without a size", old(size=b""), "bad real size"
    yield "a sparse file of type S with a negative size", old(size=base256(-1, 12)), "real size -1 is out of range"
    yield "a sparse file of type S with a gap in its map", old(gap=True), "gap in its map"
    yield "a sparse file of type S whose map may go on", old(more=1), "may go on or not"
    yield "a sparse file of type S with a flag of 2", old(MANY[:4], 3584, MANY_DATA[:2048], more=2), "may go on or not"
    yield "a sparse file of type S without the rest of its map", old(MANY[:4], 3584, MANY_DATA[:2048], more=1), "bad sparse map"
    yield "a sparse file of type S in a ustar header", old(magic=b"ustar\x0000"), "not in GNU's format"
    yield "a sparse file of type S in a V7 header", old(magic=bytes(8)), "neither a ustar nor"
    yield "a sparse file of type S after a pax header", pax({"mtime": "1"}) + old(), "after a pax header"
    yield "a sparse file of type S whose name ends in a slash", old(name="rootfs/s/"), "ends in a slash"
    yield "a sparse file of type S with a piece of spaces", _spaced(), "bad sparse map"
    yield "a sparse file of type S in too many pieces", old([(0, 0)] * 262_145, 0, b""), "limit of 262144 pieces"


def _spaced() -> bytes:
    block = bytearray(old())
    block[386:410] = b" " * 24
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:BLOCK])
    return bytes(block)


def _bad_records() -> Iterator[tuple[str, bytes, str]]:
    entry = member(NAME, DATA)
    offset, length = pax_record("GNU.sparse.offset", "0"), pax_record("GNU.sparse.numbytes", "512")
    said = _said({"size": "512", "numblocks": "1"}, {})
    yield "a sparse file, 0.0, with two offsets", pax(said + offset + offset) + entry, "out of place"
    yield "a sparse file, 0.0, with a length first", pax(said + length + offset) + entry, "out of place"
    yield "a sparse file, 0.0, with half a piece", pax(said + offset) + entry, "not as long as it says"
    yield "a sparse file, 0.0, with a size twice", pax(said + said) + entry, "out of place"
    yield "a sparse file, 0.0, and 0.1", pax(said + _said({"map": "0,512"}, {}) + offset + length) + entry, "none of GNU's"
    yield "a sparse file, 0.0, and 1.0", pax(_in_data_records() + offset + length) + entry, "none of GNU's"
    yield "a sparse file that has a name only", pax(_said({"name": NAME}, {})) + entry, "none of GNU's"
    yield "a sparse file, 0.1, without a size", pax(_said({"numblocks": "0", "map": ""}, {})) + entry, "none of GNU's"
    yield "a sparse file, 0.1, without a count", one_record(numblocks=None), "none of GNU's"
    yield "a sparse file, 0.1, with a wrong count", one_record(numblocks="2"), "not as long as it says"
    yield "a sparse file, 0.1, with an odd map", one_record(map="0,512,1024"), "not as long as it says"
    for text in ("0,x,20480,0,20480,0", "0,-1,20480,0,20480,0", "0,,20480,0,20480,0", "0, 1,20480,0,20480,0"):
        yield f"a sparse file, 0.1, with the map {text}", one_record(map=text), "bad number"
    for kind in ("1", "2", "5", "6"):
        entry = header(NAME, kind=kind, link="rootfs/f")
        yield f"a sparse entry of type {kind}", pax(_said({"size": "0", "numblocks": "0"}, {})) + entry, "said to be sparse"
    for keyword in ("GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.name"):
        yield f"a global {keyword}", pax({keyword: "1"}, "g") + member(NAME), "for every file"


def _bad_data() -> Iterator[tuple[str, bytes, str]]:
    for version in (("1", "1"), ("2", "0"), ("0", "1"), ("1", ""), ("x", "0"), ("01", "0")):
        yield f"a sparse file of version {'.'.join(version)}", in_data(major=version[0], minor=version[1]), "unknown version"
    yield "a sparse file, 1.0, without its map", pax(_in_data_records()) + member("x"), "does not end in its data"
    yield "a sparse file, 1.0, with half a block of map", pax(_in_data_records()) + member("x", b"1\n0\n0\n"), "does not end in its"
    yield "a sparse file, 1.0, whose map runs into its data", in_data(text=b"9\n" + b"0\n" * 6), "bad number"
    yield "a sparse file, 1.0, with text behind its map", in_data(text=b"1\n20480\n0\nx"), "between its map and its data"
    yield "a sparse file, 1.0, with a comment in its map", in_data(text=b"# pieces\n1\n20480\n0\n"), "bad number"
    yield "a sparse file, 1.0, with an endless number", in_data(text=b"0" * 1024), "bad number"
    yield "a sparse file, 1.0, with an empty line", in_data(text=b"1\n\n0\n"), "bad number"
    yield "a sparse file, 1.0, with a negative count", in_data(text=b"-1\n"), "bad number"
    yield "a sparse file, 1.0, in too many pieces", in_data(text=b"9999999\n" + b"0\n" * 524_300), "limit of 262144 pieces"
    yield "a sparse file, 1.0, without a size", in_data(realsize=None), "none of GNU's"
    small, large = in_data(((2**20, 0),), 2**20, b"", name="rootfs/t"), in_data(((2**36 - 2**20, 0),), 2**36 - 2**20, b"")
    yield "sparse files that are too large together", small + large, "68719476736 bytes uncompressed"
