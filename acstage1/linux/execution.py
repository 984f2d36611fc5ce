"""A filter of system calls and execve, one right after the other: what the filter blocks, nobody needs in between.

Python may ask the kernel for memory at any moment, and a filter may forbid to give it. So everything is laid out before the filter
is loaded, and execve is the next call.

Source: seccomp(2), SECCOMP_SET_MODE_FILTER; execve(2).
"""

from __future__ import annotations

import ctypes
import os

from acstage1.linux.libc import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_X86_64 = os.uname().machine == "x86_64"
_SYS_EXECVE = 59 if _X86_64 else 221
_SYS_SECCOMP = 317 if _X86_64 else 277
_SECCOMP_SET_MODE_FILTER = 1
_INSTRUCTION = 8


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def execute_filtered(program: bytes, path: str, words: Sequence[str | bytes], variables: Mapping[str, str]) -> NoReturn:
    """Load *program*, instructions of classic BPF, as this process's filter for ever, and execute *path* in its place.

    Loading takes CAP_SYS_ADMIN in the user namespace, or no_new_privs.

    Raises: OSError that names the call which failed; the filter may be loaded then.
    Source: seccomp(2), execve(2).
    """
    request = _Program(len(program) // _INSTRUCTION, program)
    executed = ctypes.c_char_p(os.fsencode(path))
    arguments = _vector([os.fsencode(word) for word in words])
    environment = _vector([os.fsencode(f"{name}={value}") for name, value in variables.items()])
    syscall("seccomp", _SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(request))
    syscall("execve", _SYS_EXECVE, executed, arguments, environment, path=path)
    raise AssertionError("execve returned")


def _vector(words: Sequence[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(words) + 1))(*words, None)
