"""Bytes of files made safe to show on a terminal; everywhere else they pass as they are.

Source: spec/exit-codes.md (nothing that is printed moves a terminal).
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from acspec.escape import escape


def spell(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    r"""Return *chunks* with all but text, tabs and ends of lines spelt out: `\x1b` for an escape, `\xff` for what is not UTF-8."""
    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    for chunk in chunks:
        yield _spell(decoder.decode(bytes(chunk)))
    yield _spell(decoder.decode(b"", final=True))


def _spell(text: str) -> bytes:
    lines = (line.split("\t") for line in text.split("\n"))
    return "\n".join("\t".join(escape(part, len(part)) for part in parts) for parts in lines).encode("utf-8")
