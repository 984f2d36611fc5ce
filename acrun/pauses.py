"""Sleeping between two writes, cut short when nobody reads standard output any more.

Source: poll(2): POLLERR is told of a pipe's writing end when nobody has its reading end any more.
"""

from __future__ import annotations

import errno
import os
import select


def sleep_while_read(seconds: float) -> bool:
    """Sleep for that long and return True. Raises: BrokenPipeError as soon as nobody reads standard output any more.

    Source: poll(2).
    """
    poll = select.poll()
    poll.register(1, 0)
    for _, event in poll.poll(int(seconds * 1000)):
        if event & (select.POLLERR | select.POLLHUP):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
    return True
