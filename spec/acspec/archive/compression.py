"""gzip, bzip2 and xz, recognised by their first bytes and read to their very end, trailers checked.

Concatenated streams are read as one, as their own tools do. Output comes in chunks of bounded size, whatever the input claims. What
the specification has no word for (zstd, zip, …) and what is encrypted is recognised and refused by name.

Source: aci.md, Image Archives; RFC 1952 (gzip); The .xz File Format, 2.1.1 and 2.2 (padding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from acspec import limits
from acspec.archive.faults import StreamFault
from acspec.archive.header import BLOCK, is_header
from acspec.archive.pgp import name_pgp
from acspec.archive.source import Source
from acspec.typed import Protocol

CHUNK = 512 * 1024
_INPUT = 128 * 1024
_FIRST_INPUT = 1024
_GATHER = 128 * 1024
_XZ_CHECKS = (b"", b"\x00", b"\x01", b"\x04", b"\x0a")  # (a header cut short), none, CRC32, CRC64, SHA-256
_XZ_DECODER_BYTES = 1024 * 1024  # what a decoder needs beside its dictionary


class Compression(Enum):
    """How an image archive is compressed, by the name of the tool."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"


_MAGIC = {Compression.GZIP: b"\x1f\x8b\x08", Compression.BZIP2: b"BZh", Compression.XZ: b"\xfd7zXZ\0"}
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x1f\x9d": "compressed with compress (.Z)",
    b"LZIP": "compressed with lzip",
    b"]\0\0": "compressed with lzma (.lzma)",
    b"PK\x03\x04": "a zip file",
}


def recognise(start: bytes) -> Compression:
    """Return the compression of the image whose first bytes (a block or more, unless it is shorter) are *start*.

    Raises: StreamFault that names what it is instead.
    Source: aci.md, Image Archives.
    """
    for compression, magic in _MAGIC.items():
        if start.startswith(magic):
            return compression
    if is_header(start):
        return Compression.NONE
    raise StreamFault(_name_other(start))


def _name_other(start: bytes) -> str:
    if not start:
        return "an empty file"
    if (pgp := name_pgp(start)) is not None:
        return pgp
    for magic, name in _OTHERS.items():
        if start.startswith(magic):
            return f"{name}, which the specification does not allow: only gzip, bzip2 and xz"
    if len(start) >= BLOCK and not any(start[:BLOCK]):
        return "a tar archive without entries"
    return "not an image archive: neither tar nor gzip, bzip2 or xz"


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def decompress(source: Source, start: bytes, compression: Compression) -> Iterator[bytes]:
    """Return the uncompressed bytes of *source*, of which *start* has been read already, in chunks of at most 512 KiB.

    Raises: StreamFault when the data is damaged, truncated or followed by something else; what *source* raises.
    Source: aci.md, Image ID (the uncompressed tar file, all of it).
    """
    if compression is Compression.NONE:
        return _copy(source, start)
    return _gather(_Streams(source, start, compression).chunks())


def _copy(source: Source, start: bytes) -> Iterator[bytes]:
    yield start
    while chunk := source.read(CHUNK):
        yield chunk


def _gather(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces so small (a swarm of tiny streams makes them) that handing each over would cost more than its bytes."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _GATHER:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class _Streams:
    """One compressed stream after another, to the end of the source."""

    __slots__ = ("_data", "_magic", "_name", "_new_decoder", "_padded", "_source", "_used")

    def __init__(self, source: Source, start: bytes, compression: Compression) -> None:
        self._source = source
        self._data = start
        self._used = 0
        self._name = compression.value
        self._magic = _MAGIC[compression]
        self._new_decoder = _decoder_maker(compression)
        self._padded = _PADDING[compression]

    def chunks(self) -> Iterator[bytes]:
        while True:
            _check_flags(self._name, self._peek(8))
            yield from self._one_stream(self._new_decoder())
            zeros = self._skip_zeros()
            start = self._peek(len(self._magic))
            if not self._padded(zeros, not start) or (start and start != self._magic):
                raise StreamFault(f"data after the end of the {self._name} stream")
            if not start:
                return

    def _one_stream(self, decoder: _Decoder) -> Iterator[bytes]:
        # Small bites first: what a decoder leaves is copied back, and a file may hold a million streams of 20 bytes.
        bite = _FIRST_INPUT
        while not decoder.eof:
            data = b""
            if decoder.needs_input:
                data = self._take(bite)
                bite = min(2 * bite, _INPUT)
                if not data:
                    raise StreamFault(f"truncated: the {self._name} stream has no end")
            if piece := self._decode(decoder, data):
                yield piece
        self._used -= len(decoder.unused_data)

    def _decode(self, decoder: _Decoder, data: bytes) -> bytes:
        try:
            return decoder.decompress(data, CHUNK)
        except MemoryError:
            raise
        except Exception as error:  # each library has its own, among them OSError and ValueError
            if "emory usage limit" in str(error):
                raise StreamFault(f"its xz dictionary is larger than the limit of {limits.XZ_DICTIONARY_BYTES} bytes") from None
            raise StreamFault(f"{self._name} data is damaged") from error

    def _take(self, size: int) -> bytes:
        """Return the next bytes of the source, at most *size*; `b""` at its end."""
        if self._used == len(self._data):
            self._data = self._source.read(_INPUT)
            self._used = 0
        data = self._data[self._used : self._used + size]
        self._used += len(data)
        return data

    def _peek(self, size: int) -> bytes:
        """Return the next *size* bytes and leave them; fewer at the end of the source."""
        while len(self._data) - self._used < size and (more := self._source.read(_INPUT)):
            self._data = self._data[self._used :] + more
            self._used = 0
        return self._data[self._used : self._used + size]

    def _skip_zeros(self) -> int:
        if self._peek(1) != b"\0":
            return 0
        count = 0
        while (data := self._take(_INPUT)) and not data.strip(b"\0"):
            count += len(data)
        rest = data.lstrip(b"\0")
        self._used -= len(rest)
        return count + len(data) - len(rest)


def _check_flags(name: str, start: bytes) -> None:
    """Refuse what the libraries let pass: reserved flags of gzip (RFC 1952, 2.3.1.2), and checks that liblzma does not know."""
    if name == "gzip" and start[3:4] > b"\x1f":
        raise StreamFault("gzip data is damaged: unknown flags")
    if name == "xz" and start[7:8] not in _XZ_CHECKS:
        raise StreamFault("xz data is damaged, or has an unknown integrity check")


# What may follow a stream, given the number of zeros and whether they reach the end of the file.
_PADDING: dict[Compression, Callable[[int, bool], bool]] = {
    Compression.GZIP: lambda zeros, last: zeros == 0 or last,  # as gzip(1) reads what comes from a tape
    Compression.BZIP2: lambda zeros, _: zeros == 0,
    Compression.XZ: lambda zeros, _: zeros % 4 == 0,
}


def _decoder_maker(compression: Compression) -> Callable[[], _Decoder]:
    if compression is Compression.GZIP:
        from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor

        return lambda: IgzipDecompressor(flag=DECOMP_GZIP)
    if compression is Compression.BZIP2:
        from bz2 import BZ2Decompressor

        return BZ2Decompressor
    from lzma import FORMAT_XZ, LZMADecompressor

    memory = limits.XZ_DICTIONARY_BYTES + _XZ_DECODER_BYTES
    return lambda: LZMADecompressor(format=FORMAT_XZ, memlimit=memory)
