"""A fork whose child begins in new namespaces: what os.fork has no argument for.

The child is ours to wait for, and this process stays where it is. unshare(2) would put it into a new user namespace, from which
nobody comes back, and every later child into the new PID namespace.

Source: clone(2); the interpreter's C API, PyOS_BeforeFork and what belongs to it, which is what os.fork itself calls.
"""

from __future__ import annotations

import ctypes
import os

from acstage1.linux.signals import SIGCHLD

_SYS_CLONE = 56 if os.uname().machine == "x86_64" else 220

# PyDLL keeps the interpreter's lock through the call, as os.fork does; the child would have nobody to take it from.
_LIBC = ctypes.PyDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def fork_into(flags: int) -> int:
    """Fork a child that is in new namespaces of *flags* (CLONE_NEW*); return its PID, and 0 in the child. Raises: OSError.

    Source: clone(2).
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = int(_LIBC.syscall(*(ctypes.c_long(value) for value in (_SYS_CLONE, flags | SIGCHLD, 0, 0, 0, 0))))
    code = ctypes.get_errno()
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(code, f"clone: {os.strerror(code)}")
    return pid
