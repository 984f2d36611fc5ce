"""Descriptors: all of the bytes written, all others closed.

Source: write(2); close_range(2).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BEYOND_ALL = 2**31 - 1


def write_all(descriptor: int, data: bytes | bytearray | memoryview, path: str | None = None) -> None:
    """Write all of *data*, in as many writes as the kernel makes of it. Raises: OSError, of *path*. Source: write(2)."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor but 0 to 2 and *kept*: whatever else is open leads to somebody else's. Source: close_range(2)."""
    low = 3
    for descriptor in sorted(number for number in kept if number >= low):
        if low < descriptor:  # an empty range, to os.closerange, may be everything
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, _BEYOND_ALL)
