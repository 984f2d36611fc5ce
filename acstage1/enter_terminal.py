"""The terminal of one process, shown on the caller's until the process ends: what `enter` has in place of a pod's monitor.

Source: spec/stage1.md, Terminals and enter.
"""

from __future__ import annotations

import os

from acstage1.descriptors import close_all
from acstage1.losses import Loss
from acstage1.multiplexer import Multiplexer
from acstage1.output import Output, Sink
from acstage1.pseudoterminal import open_handover, open_terminal
from acstage1.relay import Relay
from acstage1.terminal import CallersTerminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acstage1.start import Descriptors


class EnterTerminal:
    """A terminal to be made by a process inside, by what is in `inner`, and everything outside that belongs to it."""

    def __init__(self) -> None:
        """Prepare it. Raises: UsageError when standard input is no terminal; OSError."""
        self.loss = Loss()
        self._terminal = CallersTerminal(interactive=True)
        self._ours, inner = open_handover()
        self.inner = [inner]
        self._relay = Relay(self._ours, self._terminal, Output(Sink(1, self.loss.of_stream(1)), None, "stdout"), interactive=True)

    def be_inside(self) -> tuple[Descriptors, Callable[[], int]]:
        """Return the descriptors of the process, and what makes its terminal of `inner`."""
        return (None, None, None), lambda: open_terminal(*self.inner)

    def attend(self, process: int) -> None:
        """Copy until the process of the pidfd *process* has ended and all that it showed is out. Raises: OSError."""
        close_all(self.inner)
        silent, held = os.pipe2(os.O_CLOEXEC)
        try:
            Multiplexer([], [], [self._relay]).drain(process, silent, lambda _interrupted: None)
        finally:
            self._terminal.release()
            os.close(silent)
            os.close(held)
