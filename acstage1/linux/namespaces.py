"""Namespaces: leaving and joining them, the root of a mount namespace, host name and loopback of the new ones.

Source: unshare(2), setns(2), pivot_root(2), sethostname(2), netdevice(7).
"""

from __future__ import annotations

import fcntl
import os
from _socket import AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, socket

from acstage1.linux.libc import syscall
from acstage1.linux.mounts import unmount_detached

_X86_64 = os.uname().machine == "x86_64"
_SYS_UNSHARE = 272 if _X86_64 else 97
_SYS_SETNS = 308 if _X86_64 else 268
_SYS_PIVOT_ROOT = 155 if _X86_64 else 41
_SYS_SETHOSTNAME = 170 if _X86_64 else 161

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


def unshare(flags: int) -> None:
    """Leave the namespaces of *flags* (CLONE_NEW*) for new ones. Raises: OSError.

    Source: unshare(2).
    """
    syscall("unshare", _SYS_UNSHARE, flags)


def setns(descriptor: int, flags: int) -> None:
    """Join the namespaces of *flags* that *descriptor*, a pidfd or a namespace, is in. Raises: OSError.

    Source: setns(2).
    """
    syscall("setns", _SYS_SETNS, descriptor, flags)


def pivot_root_here(path: str) -> None:
    """Make the mount at *path* the root of this mount namespace and let go of all that was mounted before. Raises: OSError.

    Source: pivot_root(2), the paragraph on pivot_root(".", ".").
    """
    os.chdir(path)
    syscall("pivot_root", _SYS_PIVOT_ROOT, b".", b".", path=path)
    unmount_detached(".")
    os.chdir("/")


def set_hostname(name: str) -> None:
    """Set the host name of this UTS namespace. Raises: OSError.

    Source: sethostname(2).
    """
    text = name.encode("utf-8")
    syscall("sethostname", _SYS_SETHOSTNAME, text, len(text), path=name)


def bring_loopback_up() -> None:
    """Set the interface lo of this network namespace up. Raises: OSError.

    Source: netdevice(7), SIOCSIFFLAGS.
    """
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC)
    request = bytearray(b"lo".ljust(40, b"\0"))
    fcntl.ioctl(control.fileno(), _SIOCGIFFLAGS, request)
    flags = int.from_bytes(request[16:18], "little") | _IFF_UP
    request[16:18] = flags.to_bytes(2, "little")
    fcntl.ioctl(control.fileno(), _SIOCSIFFLAGS, bytes(request))
    control.close()
