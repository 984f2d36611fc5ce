"""Copying between an app's terminal and our own descriptors: what a person types goes in, what the app shows comes out, logged.

When either side is gone the other is hung up.

Source: pty(7); spec/stage1.md, Terminals.
"""

from __future__ import annotations

import os
import select

from acstage1.pseudoterminal import open_peer, receive_master, say_ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

    from acstage1.output import Output, Sink
    from acstage1.terminal import CallersTerminal

_READ = 65536
_TYPED = 4096
# So often at most: more than a terminal holds.
_LAST_READS = 64


class Relay:
    """One app's terminal, from the first that comes through *handover* to the last: each start of the app brings a new one."""

    def __init__(self, handover: int, terminal: CallersTerminal, output: Output, *, interactive: bool) -> None:
        """Copy to *output*; when *interactive*, from our standard input, which is a terminal."""
        self._handover = handover
        self._terminal = terminal
        self._output = output
        self._source = 0 if interactive else -1
        self._master = self._peer = -1
        self._typed = b""
        self._is_hung_up = self._rests = False

    @property
    def sink(self) -> Sink:
        """What the app shows is copied to this."""
        return self._output.sink

    def wants(self) -> dict[int, int]:
        """Return the descriptors to wait for, each with its events: room for what is pending comes before anything new is read."""
        wanted = {self._handover: select.POLLIN}
        if self._master >= 0:
            wanted[self._master] = (0 if self.sink.pending else select.POLLIN) | (select.POLLOUT if self._typed else 0)
            wanted[self._source] = 0 if self._typed else select.POLLIN
        return {descriptor: events for descriptor, events in wanted.items() if descriptor >= 0 and events}

    def advance(self, ready: Set[int]) -> None:
        """Move what moves without blocking: *ready* are those of the wanted descriptors that had an event. Raises: OSError."""
        wanted = self.wants().keys() & ready
        if self._source in wanted:
            self._read_typed()
        if self._master >= 0 and self._master in wanted:
            if not self.sink.pending:
                self._read_shown()
            self._write_typed()
        if self._handover in wanted:
            self._receive()

    def finish(self) -> None:
        """Take what the app has shown for all there is: no process is left that could show more. Raises: OSError."""
        self._let_go()

    def prepare_restart(self) -> bool:
        """Give the caller's terminal back until the next start, and return whether there is anybody for the app to be started for.

        Nobody reads what is typed meanwhile, so Ctrl-C is to be a signal again.

        Raises: OSError.
        """
        self._let_go()
        self._rests = True
        self.settle()
        return not self._is_hung_up

    def settle(self) -> None:
        """Give the caller's terminal back when it is to be, and all is out that the app has shown: it comes out straight if raw."""
        if self._rests and not self.sink.pending:
            self._rests = False
            self._terminal.restore()

    def hang_up(self) -> None:
        """Hang the app up, as our side is gone: it gets SIGHUP from the kernel, and its terminal answers no more."""
        if not self._is_hung_up:
            self._is_hung_up = True
            self._close()
            self._terminal.restore()

    def _receive(self) -> None:
        """Take the terminal of a new start in the place of the last one."""
        master = receive_master(self._handover)
        if master is None:
            os.close(self._handover)
            self._handover = -1
            return
        self._let_go()
        self._rests = False
        if self._is_hung_up:
            os.close(master)
        else:
            self._master, self._peer = master, open_peer(master)
            self._terminal.attach(master)
        say_ready(self._handover)

    def _let_go(self) -> None:
        """Read the rest of the terminal that there is, which the kernel has ready, and close it."""
        for _ in range(_LAST_READS):
            if self._master < 0 or not self._read_shown():
                break
        self._close()

    def _close(self) -> None:
        if self._master < 0:
            return
        self._output.finish()
        self._terminal.detach(self._master)
        os.close(self._peer)
        os.close(self._master)
        self._master = self._peer = -1
        self._typed = b""

    def _read_typed(self) -> None:
        try:
            self._typed = os.read(self._source, _TYPED)
        except BlockingIOError:  # the caller made it non-blocking
            return
        except OSError:
            self._typed = b""
        if not self._typed:  # a raw terminal ends only when it is hung up
            self.hang_up()

    def _write_typed(self) -> None:
        try:
            self._typed = self._typed[os.write(self._master, self._typed) :] if self._typed else b""
        except BlockingIOError:
            return

    def _read_shown(self) -> bool:
        """Read from the app's terminal and return whether there was something."""
        try:
            data = os.read(self._master, _READ)
        except BlockingIOError:
            return False
        self._output.take(data)
        return bool(data)
