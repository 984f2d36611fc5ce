"""A process that gives the caller's terminal back when the one that made it raw is killed and cannot.

It is a program of a few bytes that sleeps on a pipe, of which that process alone has the other end. A byte through the pipe means
that all went well. The pipe's end without one means a kill: then, and only when the terminal is still exactly as it was made, it is
set as it was before. A shell that has seen the end and set the terminal itself is not disturbed.

Source: ioctl_tty(2): TCGETS, TCSETS; pipe(7); the system call conventions in syscall(2).
"""

from __future__ import annotations

import fcntl
import os

from acstage1.linux.signals import set_wakeup_fd
from acstage1.sealed import make_sealed_program

_NAME = b"acstage1 terminal"
_TCGETS = 0x5401
_SETTINGS_BYTES = 36  # the kernel's struct termios
_TERMINAL, _PIPE, _LAST = 0, 1, 2

# Both of terminal_guard.S, and the same: read(1, buffer, 1), again when interrupted; unless that returned 0, the end;
# ioctl(0, TCGETS, buffer); unless the buffer is what comes behind the code, the end; ioctl(0, TCSETS, what comes behind that);
# exit_group(0). Beside each: the ELF machine number.
_CODE = {
    "x86_64": (62, bytes.fromhex(
        "31c0bf01000000488d7424c0ba010000000f054883f8fc74e74885c07542b81000000031ffbe01540000488d5424c00f"
        "0585c0752b488d7424c0488d3d28000000b924000000fcf3a67515b81000000031ffbe02540000488d152f0000000f05"
        "b8e700000031ff0f05"
    )),
    "aarch64": (183, bytes.fromhex(
        "200080d2e10301d1220080d2e80780d2010000d41f1000b140ffff54a00200b5000080d221808ad2e20301d1a80380d2"
        "010000d4e0010035e10301d102020010830480d224144038451440389f00056b01010054630400f161ffff54000080d2"
        "41808ad2e2010010a80380d2010000d4000080d2c80b80d2010000d4"
    )),
}  # fmt: skip


def find_kernel_settings() -> bytes | None:
    """Return how the terminal on descriptor 0 is set up, as the kernel has it; None when it is gone. Source: ioctl_tty(2)."""
    try:
        return fcntl.ioctl(_TERMINAL, _TCGETS, bytes(_SETTINGS_BYTES))
    except OSError:
        return None


class TerminalGuard:
    """The process that guards the terminal on descriptor 0, on machines that have a program for it."""

    def __init__(self) -> None:
        self._pid = self._pipe = -1

    def watch(self, before: bytes | None, raw: bytes | None) -> None:
        """Have the terminal set to *before* if this process is killed while it is *raw*, as the kernel has both.

        Where no process can be had for it, there is none.
        """
        known = _CODE.get(os.uname().machine)
        if known is None or before is None or raw is None or before == raw or self._pid >= 0:
            return
        machine, code = known
        try:
            self._start(make_sealed_program("appc-terminal", machine, code + raw + before))
        except OSError:
            return

    def _start(self, program: int) -> None:
        reading, self._pipe = os.pipe2(os.O_CLOEXEC)
        try:
            self._pid = os.fork()
            if self._pid == 0:
                _become_guard(program, reading)
        finally:
            for descriptor in (program, reading):
                os.close(descriptor)

    def dismiss(self) -> None:
        """End the guard: the terminal is as it was. Raises: OSError."""
        if self._pid < 0:
            return
        try:
            os.write(self._pipe, b"+")
        except BrokenPipeError:  # somebody has killed it
            pass
        os.close(self._pipe)
        os.waitpid(self._pid, 0)
        self._pid = self._pipe = -1


def _become_guard(program: int, pipe: int) -> None:
    try:
        set_wakeup_fd(-1)
        os.setsid()  # no signal of the terminal's is for it, and from the background it need not stop
        os.dup2(pipe, _PIPE)
        os.close(_LAST)
        os.execve(program, [_NAME], {})
    finally:
        os._exit(1)
