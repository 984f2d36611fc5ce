"""What the next program is to be: its label, its filter of system calls, and execve.

Filter and execve come one right after the other: what the filter blocks, nobody needs in between.

Python may ask the kernel for memory at any moment, and a filter may forbid to give it. So everything is laid out before the filter
is loaded, and execve is the next call.

Source: seccomp(2), SECCOMP_SET_MODE_FILTER; execve(2).
"""

from __future__ import annotations

import ctypes
import errno
import os

from acstage1.linux.libc import AT_EMPTY_PATH, syscall
from acstage1.linux.mounts import RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, file_system, open_resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_X86_64 = os.uname().machine == "x86_64"
_SYS_EXECVE = 59 if _X86_64 else 221
_SYS_EXECVEAT = 322 if _X86_64 else 281
_SYS_SECCOMP = 317 if _X86_64 else 277
_SECCOMP_SET_MODE_FILTER = 1
_PROC_SUPER_MAGIC = 0x9FA0
_INSTRUCTION = 8


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def set_next_label(places: Sequence[str], text: str, name: str, unknown: str) -> None:
    """Write *text* for the next execve into the first file of *places* that this process has in /proc.

    An image may put anything at /proc, so what is written to is a file of the proc file system and of no other, reached by no link.

    Raises: OSError, which names the label as *name*, and is for the reason *unknown* when the kernel does not know it.
    Source: proc_pid_attr(5), /proc/PID/attr/exec; aa_change_onexec(2).
    """
    descriptor = _open_own(places)
    if descriptor is None:
        raise OSError(errno.EOPNOTSUPP, "this kernel has no place for it", name)
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        why = unknown if error.errno in (errno.ENOENT, errno.EINVAL) else os.strerror(error.errno or 0)
        raise OSError(error.errno, why, name) from None
    finally:
        os.close(descriptor)


def _open_own(places: Sequence[str]) -> int | None:
    proc = open_resolved(None, "/proc", os.O_PATH | os.O_DIRECTORY, RESOLVE_NO_SYMLINKS)
    try:
        if file_system(proc) != _PROC_SUPER_MAGIC:
            raise OSError(errno.EINVAL, "is not the proc file system", "/proc")
        for place in places:
            try:
                return open_resolved(proc, f"{os.getpid()}/{place}", os.O_WRONLY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
            except FileNotFoundError:
                continue
        return None
    finally:
        os.close(proc)


def execute_filtered(program: bytes, file: str | int, words: Sequence[str | bytes], variables: Mapping[str, str]) -> NoReturn:
    """Load *program*, instructions of classic BPF, as this process's filter for ever, and execute *file* in its place.

    That is a path, or the descriptor of a program. Loading takes CAP_SYS_ADMIN in the user namespace, or no_new_privs.

    Raises: OSError that names the call which failed; the filter may be loaded then.
    Source: seccomp(2), execve(2), execveat(2).
    """
    request = _Program(len(program) // _INSTRUCTION, program)
    executed = ctypes.c_char_p(b"" if isinstance(file, int) else os.fsencode(file))
    arguments = _vector([os.fsencode(word) for word in words])
    environment = _vector([os.fsencode(f"{name}={value}") for name, value in variables.items()])
    syscall("seccomp", _SYS_SECCOMP, _SECCOMP_SET_MODE_FILTER, 0, ctypes.byref(request))
    if isinstance(file, int):
        syscall("execveat", _SYS_EXECVEAT, file, executed, arguments, environment, AT_EMPTY_PATH)
    else:
        syscall("execve", _SYS_EXECVE, executed, arguments, environment, path=file)
    raise AssertionError("execve returned")


def _vector(words: Sequence[bytes]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(words) + 1))(*words, None)
