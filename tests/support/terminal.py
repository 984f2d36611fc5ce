"""A person at a terminal of their own, and a program that nobody is with: both real, made with a pseudo-terminal and a session."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ACTOOL = (sys.executable, "-c", "import sys; from actool.cli import main; sys.exit(main())")


class Terminal:
    """A program at a terminal: what it shows is read, what a person types is written."""

    def __init__(self, master: int, process: subprocess.Popen[bytes], before: list[Any]) -> None:
        self.process = process
        self.before = before  # how it was set up when the program was not there yet: soon it may have set it up otherwise
        self.shown = ""
        self._master = master
        self._decoder = codecs.getincrementaldecoder("utf-8")()  # one reading may end in the middle of a character

    def wait_for(self, text: str) -> None:
        """Read what is shown until *text* has come."""
        while text not in self.shown:
            assert self._read(), f"the program ended without {text!r}, it showed {self.shown!r}"

    def skip(self, text: str) -> None:
        """Wait for *text*, and forget what was shown up to its end."""
        self.wait_for(text)
        self.shown = self.shown.partition(text)[2]

    def answer(self, text: str, line: str) -> None:
        """Wait for *text*, forget what was shown, and type a line."""
        self.skip(text)
        os.write(self._master, line.encode() + b"\n")

    def press(self, key: bytes) -> None:
        """Type a key."""
        os.write(self._master, key)

    def resize(self, rows: int, columns: int) -> None:
        """Make the window another size, as a person does with a mouse."""
        termios.tcsetwinsize(self._master, (rows, columns))

    def settings(self) -> list[Any]:
        """Return how the terminal is set up."""
        return termios.tcgetattr(self._master)

    def change(self, local: Callable[[list[Any]], int]) -> None:
        """Set the terminal up as it is but for its local modes."""
        settings = termios.tcgetattr(self._master)
        settings[3] = local(settings)
        termios.tcsetattr(self._master, termios.TCSANOW, settings)

    def is_raw(self) -> bool:
        """Tell whether every key goes to the program as it is."""
        return not termios.tcgetattr(self._master)[3] & (termios.ICANON | termios.ISIG | termios.ECHO)

    def close(self) -> None:
        """Close the window, if it is still there."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def end(self) -> int:
        """Read all that is shown and return the exit code."""
        while self._read():
            pass
        return self.process.wait()

    def echoes(self) -> bool:
        """Tell whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def _read(self) -> bool:
        """Read what is shown now; tell whether there may be more."""
        try:
            data = os.read(self._master, 4096)
        except OSError:  # nobody has it open any more
            return False
        self.shown += self._decoder.decode(data)
        return bool(data)


@contextmanager
def at_terminal(
    words: Sequence[str],
    place: Path,
    environment: Mapping[str, str] | None = None,
    size: tuple[int, int] = (24, 80),
    **streams: Any,
) -> Iterator[Terminal]:
    """Start a program of *words* in *place* whose terminal is its own; *streams* that are not named are the terminal, too."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(master, size)
    before = termios.tcgetattr(master)

    def take_terminal() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    how = {"stdin": slave, "stdout": slave, "stderr": slave, **streams}
    known = {**os.environ, **(environment or {})}
    how |= {"start_new_session": True, "preexec_fn": take_terminal}  # a new session has no terminal until it takes one
    with subprocess.Popen(words, cwd=place, env=known, **how) as process:
        os.close(slave)
        terminal = Terminal(master, process, before)
        try:
            yield terminal
        finally:
            process.kill()
            process.wait()
            terminal.close()


def alone(*words: str, place: Path, data: bytes = b"", **how: Any) -> subprocess.CompletedProcess[bytes]:
    """Run actool with *words* in *place* where there is no terminal at all."""
    return subprocess.run([*ACTOOL, *words], input=data, capture_output=True, cwd=place, start_new_session=True, check=False, **how)
