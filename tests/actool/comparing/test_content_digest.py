"""Digests of content: one for one content, whatever of it is holes and however it comes."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as some

from actool.comparing.content_digest import BLOCK, digest_content

GIB = 1 << 30
# Pieces as lengths of zeros before them and of data in them.
PIECES = some.lists(some.tuples(some.integers(0, 3 * BLOCK), some.integers(0, 2 * BLOCK)), max_size=5)


def of(content: bytes) -> bytes:
    return sha256(b"".join(sha256(content[at : at + BLOCK]).digest() for at in range(0, len(content), BLOCK))).digest()


@given(PIECES, some.integers(0, 2 * BLOCK), some.integers(1, BLOCK))
def test_holes_are_the_zeros_that_they_are(lengths: list[tuple[int, int]], tail: int, cut: int) -> None:
    content, pieces = b"", []
    for hole, length in lengths:
        content += bytes(hole)
        data = b"x" * length
        pieces += [(len(content) + at, data[at : at + cut]) for at in range(0, length, cut)]
        content += data
    content += bytes(tail)
    assert digest_content(pieces, len(content)) == of(content)
    assert digest_content([(0, memoryview(content))], len(content)) == of(content)


def test_a_hole_of_many_blocks_is_not_counted_through() -> None:
    zeros = sha256(bytes(BLOCK)).digest()
    assert digest_content([(5 * GIB, b"end")], 5 * GIB + 3) == sha256(zeros * (5 * GIB // BLOCK) + sha256(b"end").digest()).digest()


def test_content_of_another_length_is_other_content() -> None:
    assert len({digest_content([], size) for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK)}) == 6
