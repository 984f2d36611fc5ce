"""A table that stays where it is on a terminal, drawn again and again until a person has seen enough.

Source: termios(3); ECMA-48; xterm's alternate screen.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
import time
import tty

from acspec.program import Unwinding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# The alternate screen, without a cursor; and back.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_DISABLED = b"\0"
_QUIT = (b"q", b"Q", b"\x04", b"")


def is_screen() -> bool:
    """Tell whether standard output is a terminal on which something can be drawn."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Screen:
    """The terminal at standard output, and at standard input for its keys; used as a context manager, as it was afterwards."""

    def __enter__(self) -> Self:
        """Take the terminal over; what ends the program gives it back first."""
        self._unwinding = Unwinding()
        self._unwinding.__enter__()
        self._before = termios.tcgetattr(0) if os.isatty(0) else None
        if self._before is not None:
            tty.setcbreak(0)
            settings = termios.tcgetattr(0)
            settings[6][termios.VSUSP] = _DISABLED  # a shell would find itself on the wrong screen
            termios.tcsetattr(0, termios.TCSANOW, settings)
        self._write(_ENTER)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Give the terminal back."""
        try:
            self._write(_LEAVE)
            if self._before is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._before)
        finally:
            self._unwinding.__exit__(kind, value, trace)

    def draw(self, text: str) -> None:
        """Show *text* in place of what was shown before, as far as there is room. Raises: OSError."""
        size = shutil.get_terminal_size()
        lines = [line[: size.columns] for line in text.splitlines()[: size.lines - 1]]
        self._write(_HOME + "".join(f"{line}{_REST_OF_LINE}\r\n" for line in lines) + _REST_OF_SCREEN)

    def pause(self, seconds: float) -> bool:
        """Sleep so long and return True, or False as soon as somebody types q. Raises: OSError."""
        if self._before is None:
            time.sleep(seconds)
            return True
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([0], [], [], left)[0] and os.read(0, 1) in _QUIT:
                return False
        return True

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
