"""The C library, loaded once, and the one way to call into it.

Source: syscall(2), errno(3).
"""

from __future__ import annotations

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYSCALL = _LIBC.syscall
_SYSCALL.restype = ctypes.c_long

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000


def syscall(name: str, number: int, *arguments: object, path: str | bytes | None = None) -> int:
    """Make system call *number* and return its result, which is not negative.

    Integers are passed as longs, bytes as C strings, None as NULL, ctypes values as they are.

    Raises: OSError whose text names the call, with *path*.
    Source: syscall(2).
    """
    result = int(_SYSCALL(ctypes.c_long(number), *(_argument(value) for value in arguments)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}", path)
    return result


def _argument(value: object) -> object:
    if isinstance(value, int):
        return ctypes.c_long(value)
    if isinstance(value, bytes):
        return ctypes.c_char_p(value)
    return ctypes.c_void_p(None) if value is None else value
