"""The last exec before the app, done by a few bytes of machine code instead of the host's Python.

While the kernel resolves the app's program, /proc/self/exe is the executable of whoever calls execve. Were that the host's
interpreter, an image whose program is `/proc/self/exe` would run it with the image's own loader, and could then open it for
writing. So a static program in a sealed memory file calls execve; there is nothing else in it to be had.

It is called as `MARKER PROGRAM ARGV…`, sets descriptor 63 close-on-exec, executes PROGRAM with ARGV and its own environment,
and when that fails writes -errno as eight bytes to descriptor 63. Without the marker it ends with 126: that is what becomes
of a program that names itself.

Source: execve(2), memfd_create(2), elf(5); the system call conventions in syscall(2).
"""

from __future__ import annotations

import fcntl
import os
from errno import EINVAL

from acstage1.errors import StartError
from acstage1.sealed import make_sealed_program

MARKER = b"appc:app"

# Both of trampoline.S, and the same: check argc and the marker; fcntl(63, F_SETFD, FD_CLOEXEC); execve(argv[1], &argv[2], envp);
# write(63, &result, 8); exit_group(126). Beside each: the ELF machine number.
_CODE = {
    "x86_64": (62, bytes.fromhex(
        "4889e348833b027c55488b430848b9617070633a6170704839087542b848000000bf3f000000be02000000ba01000000"
        "0f05488b7b10488d7318488b03488d54c310b83b0000000f05504889e6ba08000000bf3f000000b8010000000f05bf7e"
        "000000b8e70000000f05"
    )),
    "aarch64": (183, bytes.fromhex(
        "f3030091600240f91f0800f10b030054610640f9220040f9030300585f0003eb61020054e00780d2410080d2220080d2"
        "280380d2010000d4630240f9600a40f96162009162420091420c038ba81b80d2010000d4e00f1ff8e1030091e00780d2"
        "020180d2080880d2010000d4c00f80d2c80b80d2010000d4617070633a617070"
    )),
}  # fmt: skip


def make_trampoline() -> int | None:
    """Return a close-on-exec descriptor of the sealed program for this machine, or None where there is none.

    Raises: OSError.
    Source: memfd_create(2), F_ADD_SEALS.
    """
    known = _CODE.get(os.uname().machine)
    if known is None:
        return None
    return make_sealed_program("appc-app", *known)


def make_high_trampoline() -> int | None:
    """Return the trampoline's descriptor out of the way of those the app gets.

    Raises: StartError where so many may not be open; OSError.
    Source: fcntl(2), F_DUPFD: EINVAL.
    """
    low = make_trampoline()
    if low is None:
        return None
    try:
        return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 64)
    except OSError as error:
        if error.errno == EINVAL:
            raise StartError("descriptors", "too few may be open", "ulimit -n 1024") from None
        raise
    finally:
        os.close(low)
