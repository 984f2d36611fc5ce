"""Standard input on its way to an app, copied through a pipe: were it the caller's own file, an app could open that for writing.

Source: proc_pid_fd(5), which opens a file anew with whatever access it allows; spec/stage1.md, run.
"""

from __future__ import annotations

import os
import select

_READ = 65536
# What poll promises for a pipe: so much can be written without waiting.
_WRITE = 4096


class Input:
    """Our standard input (*source*), the writing end of the pipe that an app reads, and what waits until there is room."""

    def __init__(self, source: int, target: int) -> None:
        os.set_blocking(target, False)  # an app can fill it itself, through /proc: then there is less room than poll said
        self.source = source
        self.target = target
        self.pending = b""
        self.is_done = False

    def wants(self) -> tuple[int, int]:
        """Return the descriptor to wait for and the event."""
        return (self.target, select.POLLOUT) if self.pending else (self.source, select.POLLIN)

    def advance(self) -> None:
        """Do the one thing that `wants` said, which does not block. At the end of the input or its reader the pipe is closed."""
        try:
            if self.pending:
                self.pending = self.pending[os.write(self.target, self.pending[:_WRITE]) :]
                return
            self.pending = os.read(self.source, _READ)
        except BlockingIOError:  # the caller made it non-blocking, or there is less room
            return
        except OSError:  # nobody reads it any more, or it cannot be read
            self.pending = b""
        if not self.pending:
            self.is_done = True
            os.close(self.target)
