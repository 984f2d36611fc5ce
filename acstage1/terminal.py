"""The caller's terminal: made raw while an app has one of its own, given back as it was whatever happens, its size passed on.

What a person types is then the app's to interpret, Ctrl-C and Ctrl-Z included.

Source: termios(3), ioctl_tty(2): TIOCGWINSZ, TIOCSWINSZ; signal(7): SIGWINCH, SIGTSTP, SIGCONT; spec/stage1.md, Terminals.
"""

from __future__ import annotations

import fcntl
import os
import termios

from acspec.errors import UsageError
from acstage1.linux.signals import SIGCONT, SIGSTOP, SIGTSTP, SIGWINCH, signal
from acstage1.terminal_guard import TerminalGuard, find_kernel_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SIZE_BYTES = 8
_INPUT, _OUTPUT, _CONTROL, _LOCAL, _CHARACTERS = 0, 1, 2, 3, 6  # in what tcgetattr returns
_NO_INPUT_MODES = ~(
    termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
)
_NO_LOCAL_MODES = ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)


class CallersTerminal:
    """The terminal behind our own descriptors, and the masters of the apps' terminals that are like it.

    When *interactive*, standard input is the terminal that a person types at; else there may be none, and nothing of it is changed.
    """

    def __init__(self, *, interactive: bool) -> None:
        """Take note of how the terminal is. Raises: UsageError when standard input is to be one and is none."""
        self._settings = _read_settings() if interactive else None
        self._is_raw = False
        self._masters: list[int] = []
        self._guard = TerminalGuard()
        signal(SIGWINCH, lambda _number, _frame: self._resize())
        if interactive:
            signal(SIGTSTP, lambda _number, _frame: self._suspend())
            signal(SIGCONT, lambda _number, _frame: self._resume())

    def attach(self, master: int) -> None:
        """Make the terminal behind *master* like the caller's, which is raw from now on. Raises: OSError."""
        if self._settings is not None:
            _write_settings(master, self._settings)
            before = find_kernel_settings()
            self._make_raw()
            self._guard.watch(before, find_kernel_settings())
        self._masters.append(master)
        self._resize()

    def detach(self, master: int) -> None:
        """Take *master* out. What its app showed may not be out yet, so the caller's terminal stays as it is."""
        self._masters.remove(master)

    def restore(self) -> None:
        """Give the caller's terminal back as it was, unless it is gone or meanwhile another's to use."""
        if self._settings is not None and self._is_raw:
            self._is_raw = False
            if _in_foreground():
                _try_settings(self._settings)

    def release(self) -> None:
        """Give the caller's terminal back for good. Raises: OSError."""
        self.restore()
        self._guard.dismiss()

    def speak(self, say: Callable[[], None]) -> None:
        """Call *say*, which writes lines for people: on a raw terminal each would begin below the end of the one before."""
        was_raw = self._is_raw
        self.restore()
        say()
        if was_raw:
            self._make_raw()

    def _make_raw(self) -> None:
        # From the background this stops us, until somebody brings us to the fore.
        if self._settings is not None:
            self._is_raw = True
            _try_settings(_raw(self._settings))

    def _resize(self) -> None:
        size = _find_size()
        if size is None:
            return
        for master in self._masters:
            try:
                fcntl.ioctl(master, termios.TIOCSWINSZ, size)
            except OSError:
                continue

    def _suspend(self) -> None:
        self.restore()
        os.kill(os.getpid(), SIGSTOP)

    def _resume(self) -> None:
        if self._masters:
            self._make_raw()
        self._resize()


def _read_settings() -> list[Any]:
    try:
        return termios.tcgetattr(0)
    except termios.error:
        hint = "--interactive alone passes on what is none"
        raise UsageError("--tty", "standard input is not a terminal", hint) from None


def _write_settings(descriptor: int, settings: list[Any]) -> None:
    # Not only when all output is written: a terminal that stands still would hold us here.
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
    except termios.error as error:
        raise OSError(error.args[0], f"tcsetattr: {error.args[1]}") from None


def _try_settings(settings: list[Any]) -> None:
    try:
        _write_settings(0, settings)
    except OSError:
        pass  # there is no terminal any more


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # it is not the terminal of our session, so nobody stops us
        return True


def _raw(settings: list[Any]) -> list[Any]:
    """Return *settings* with nothing left that interprets a byte. Source: termios(3), Raw mode."""
    raw = list(settings)
    raw[_INPUT] &= _NO_INPUT_MODES
    raw[_OUTPUT] &= ~termios.OPOST
    raw[_CONTROL] = raw[_CONTROL] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    raw[_LOCAL] &= _NO_LOCAL_MODES
    raw[_CHARACTERS] = list(settings[_CHARACTERS])
    raw[_CHARACTERS][termios.VMIN], raw[_CHARACTERS][termios.VTIME] = 1, 0
    return raw


def _find_size() -> bytes | None:
    """Return the size of the first of our own descriptors that is a terminal, as the kernel has it; None when none is."""
    for descriptor in (0, 1, 2):
        try:
            return fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(_SIZE_BYTES))
        except OSError:
            continue
    return None
