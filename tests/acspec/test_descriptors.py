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
from acspec.descriptors import {function}
from errno import EBADF

def is_open(number):
    try:
        os.fstat(number)
    except OSError as error:
        return error.errno != EBADF
    return True

for number in range(3, 40):
    os.dup2(0, number)
{function}([int(word) for word in sys.argv[1:]]{further})
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


WAYS = {"by their list": ("close_all_but", ""), "by their range": ("close_range_but", ", 64")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kept", "left"),
    [([], "0 1 2"), ([3], "0 1 2 3"), ([7, 5, 5], "0 1 2 5 7"), ([1, 39], "0 1 2 39"), ([-1, 4], "0 1 2 4"), ([50], "0 1 2")],
)
def test_only_what_is_kept_stays_open(kept: list[int], left: str, way: str) -> None:
    function, further = WAYS[way]
    words = [sys.executable, "-c", _SHOW_OPEN.format(function=function, further=further), *map(str, kept)]
    assert subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip() == left


@pytest.mark.parametrize("kept", [[], [29], [30], [31], [39]])
def test_what_lies_beyond_the_end_of_a_range_is_not_touched(kept: list[int]) -> None:
    words = [sys.executable, "-c", _SHOW_OPEN.format(function="close_range_but", further=", 30"), *map(str, kept)]
    left = [0, 1, 2, *(number for number in kept if number < 30), *range(30, 40)]
    assert subprocess.run(words, capture_output=True, check=True, text=True).stdout.split() == [str(number) for number in left]
