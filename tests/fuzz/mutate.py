"""Fuzzing without coverage: seeds that are changed a little, again and again, the same way in every run of one number."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.fuzz.targets import Target

_LONGEST = 1 << 16


def inputs(target: Target, number: int) -> Iterator[bytes]:
    """Yield inputs without end: first the seeds, then ever more changed ones. *number* begins the sequence."""
    chance = random.Random(number)
    pool = [*target.seeds, b""]
    yield from pool
    while True:
        data = bytearray(chance.choice(pool))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _change(data, chance, target)
        made = bytes(data[:_LONGEST])
        if len(pool) < 1000 and chance.random() < 0.1:
            pool.append(made)
        yield made


def _change(data: bytearray, chance: random.Random, target: Target) -> None:
    start = chance.randint(0, len(data))
    length = min(chance.choice((0, 1, 1, 1, 2, 4, 8, 64, 512)), len(data) - start)
    kind = chance.randrange(7)
    if kind == 0:
        data[start : start + length] = chance.randbytes(length)
    elif kind == 1 and start < len(data):
        data[start] ^= 1 << chance.randrange(8)
    elif kind == 2:
        del data[start : start + length]
    elif kind == 3:
        data[start:start] = data[start : start + length]
    elif kind == 4 and target.words:
        word = chance.choice(target.words)
        data[start : start + (len(word) if chance.random() < 0.7 else 0)] = word
    elif kind == 5:
        data[start : start + length] = b"%d" % chance.choice((0, 1, 511, 512, 4096, 2**31, 2**32 - 1, 2**63 - 1, 2**64))
    else:
        other = chance.choice(target.seeds)
        data[start:] = other[min(start, len(other)) :]
