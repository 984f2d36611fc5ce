"""Descriptors: all of the bytes written, all others closed.

Source: write(2); close_range(2); proc_pid_fd(5).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST = 3
_BEYOND_ALL = 2**31 - 1


def write_all(descriptor: int, data: bytes | bytearray | memoryview, path: str | None = None) -> None:
    """Write all of *data*, in as many writes as the kernel makes of it. Raises: OSError, of *path*. Source: write(2)."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def list_descriptors() -> list[int]:
    """Return the numbers of what this process has open, and of what it had open to see that.

    Raises: OSError.
    Source: proc_pid_fd(5).
    """
    return [int(name) for name in os.listdir("/proc/self/fd")]


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor but 0 to 2 and *kept*: whatever else is open leads to somebody else's.

    Not by close_range(2): where a filter forbids it, Python tries every number there can be, which takes minutes. For places where
    /proc is the host's; without one, that way is left.

    Source: proc_pid_fd(5).
    """
    kept = frozenset(kept)
    try:
        numbers = list_descriptors()
    except OSError:
        close_range_but(kept, _BEYOND_ALL)
        return
    for number in numbers:
        if number >= _FIRST and number not in kept:
            _close(number)


def close_range_but(kept: Iterable[int], end: int) -> None:
    """Close every descriptor below *end* but 0 to 2 and *kept*, without /proc. Source: close_range(2)."""
    low = _FIRST
    for descriptor in sorted(number for number in kept if low <= number < end):
        if low < descriptor:  # an empty range, to os.closerange, may be everything
            os.closerange(low, descriptor)
        low = descriptor + 1
    if low < end:
        os.closerange(low, end)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError:
        pass  # the one that the list was read by; or what is closed all the same, such as a file on a network that is gone
