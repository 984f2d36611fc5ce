"""Memory kept from one large buffer to the next."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAULTS_OF_BUFFERS = """
import resource, sys
from acspec.archive.buffers import keep_buffers
if sys.argv[1] == "kept":
    keep_buffers()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    [bytearray(1048576).upper() for _ in range(4)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    words = [sys.executable, "-c", FAULTS_OF_BUFFERS, how]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="other C libraries have rules of their own")
def test_the_pages_of_a_buffer_are_there_for_the_next_one() -> None:
    assert _faults("kept") < 2_000 < _faults("as it is")
