"""A caller's descriptors 0 to 2 for a command that is entered: pipes and sockets as they are, nothing else.

Whatever a command has open, other processes of its app may open anew through /proc: a file for writing, or a terminal, to read what
is typed there long after the command has ended. So files, and terminals to write to, are copied through pipes. A terminal is
nothing to read from; who wants one asks for a terminal of the command's own.

Source: proc_pid_fd(5); spec/stage1.md, enter.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import termios

from acstage1.descriptors import close_all
from acstage1.input import Input
from acstage1.losses import Loss
from acstage1.multiplexer import Multiplexer
from acstage1.output import Sink, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acstage1.start import Descriptors

_COUNT_BYTES = 4


class EnterStreams:
    """What a command gets as 0 to 2, and our ends of that. `inner` are those descriptors of it that are not our caller's."""

    def __init__(self) -> None:
        """Open what it takes. Raises: OSError."""
        self.loss = Loss()
        self.inner: list[int] = []
        self._streams: list[Stream] = []
        self._inputs: list[Input] = []
        self._descriptors = (self._open_input(), self._open_output(1), self._open_output(2))

    def be_inside(self) -> tuple[Descriptors, None]:
        """Return the descriptors of the command, 0 to 2 or of `inner`; there is no terminal to be made."""
        return self._descriptors, None

    def attend(self, process: int) -> None:
        """Copy until the process of the pidfd *process* has ended and all that it wrote is out. Raises: OSError."""
        kept = self.inner[0] if self._inputs else -1
        close_all(descriptor for descriptor in self.inner if descriptor != kept)
        multiplexer = Multiplexer(self._streams, self._inputs)
        while not _wait(multiplexer, process):
            pass
        silent, held = os.pipe2(os.O_CLOEXEC)
        multiplexer.drain(process, silent, lambda _interrupted: None)
        close_all((silent, held))
        for flow in self._inputs:
            _give_back(flow, kept)

    def _open_input(self) -> int:
        if _is_harmless(0):
            return 0
        if os.isatty(0):
            nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self.inner.append(nothing)
            return nothing
        end, target = os.pipe2(os.O_CLOEXEC)
        self._inputs.append(Input(0, target))
        self.inner.append(end)
        return end

    def _open_output(self, number: int) -> int:
        if _is_harmless(number):
            return number
        source, end = os.pipe2(os.O_CLOEXEC)
        self._streams.append(Stream(source, Sink(number, self.loss.of_stream(number)), None))
        self.inner.append(end)
        return end


def _is_harmless(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode) or os.isatty(descriptor))


def _wait(multiplexer: Multiplexer, process: int) -> bool:
    """Move what can be moved, and return whether *process* has ended."""
    poll = select.poll()
    for descriptor, event in {**multiplexer.wants(), process: select.POLLIN}.items():
        poll.register(descriptor, event)
    ready = {descriptor for descriptor, _ in poll.poll()}
    multiplexer.advance(ready)
    return process in ready


def _give_back(flow: Input, end: int) -> None:
    """Let the next reader of our input, such as a loop of a shell's, go on where the command has stopped to read."""
    count = int.from_bytes(fcntl.ioctl(end, termios.FIONREAD, bytes(_COUNT_BYTES)), "little") + len(flow.pending)
    if count:
        os.lseek(flow.source, -count, os.SEEK_CUR)
