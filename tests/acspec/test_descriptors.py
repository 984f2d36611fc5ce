"""All of the bytes written, all other descriptors closed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from acspec.descriptors import write_all

_SHOW_OPEN = """
import os, sys
from acspec.descriptors import close_all_but
from errno import EBADF

def is_open(number):
    try:
        os.fstat(number)
    except OSError as error:
        return error.errno != EBADF
    return True

for number in range(3, 40):
    os.dup2(0, number)
close_all_but([int(word) for word in sys.argv[1:]])
print(*(number for number in range(64) if is_open(number)))
"""


def test_a_pipe_that_takes_little_at_once_gets_everything() -> None:
    reading, writing = os.pipe()
    sent, parts = os.urandom(1 << 20), []

    def read() -> None:
        while part := os.read(reading, 1 << 16):
            parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    write_all(writing, memoryview(sent))
    os.close(writing)
    reader.join()
    os.close(reading)
    assert b"".join(parts) == sent


def test_a_failed_write_names_the_file() -> None:
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left on device: 'it'"):
        write_all(file.fileno(), b"bytes", "it")


@pytest.mark.parametrize(
    ("kept", "left"),
    [([], "0 1 2"), ([3], "0 1 2 3"), ([7, 5, 5], "0 1 2 5 7"), ([1, 39], "0 1 2 39"), ([-1, 4], "0 1 2 4"), ([50], "0 1 2")],
)
def test_only_what_is_kept_stays_open(kept: list[int], left: str) -> None:
    words = [sys.executable, "-c", _SHOW_OPEN, *map(str, kept)]
    assert subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip() == left
