"""The memory of large buffers, kept by the C library for the next ones.

Chunks and blocks come and go by the hundred. Each of them would be mapped and unmapped again: the kernel has to zero every page of
it, which takes longer than to parse what is in it.

Source: mallopt(3), M_MMAP_THRESHOLD (how it follows what is freed) and M_TRIM_THRESHOLD.
"""

from __future__ import annotations

from functools import cache

_KEPT = 4 * 1024 * 1024


@cache
def keep_buffers() -> None:
    """Let the C library take buffers of up to 4 MiB from memory that it keeps, from now on. Elsewhere than in glibc, do nothing.

    Source: mallopt(3), M_MMAP_THRESHOLD: it rises to the size of what is freed, and M_TRIM_THRESHOLD to twice that.
    """
    bytes(_KEPT)  # zeros that nobody reads: no page of them is ever there
