"""A terminal of an app's own: made in its own devpts instance by the process that is about to be the app, its master handed out.

So its path is good inside, and nothing inside keeps the master. The caller's terminal is `terminal`'s business.

Source: pts(4), ioctl_tty(2), unix(7): SCM_RIGHTS; spec/stage1.md, Terminals.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET, socket, socketpair

from acstage1.inroot import open_plain

_MASTERS = "/dev/pts/ptmx"
_MASTERS_NUMBER = os.makedev(5, 2)
_TIOCSCTTY = 0x540E
_TIOCSPTLCK = 0x40045431
_TIOCGPTPEER = 0x5441
_DESCRIPTOR_BYTES = 4


def open_handover() -> tuple[int, int]:
    """Return the two ends of the way that a master takes: ours, and the one for inside. Raises: OSError."""
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    return ours.detach(), theirs.detach()


def open_terminal(handover: int) -> int:
    """Make a terminal, this session's from now on, hand its master out and return its descriptor, once it is set up outside.

    This process leads a session without a terminal, and its root is the app's. An app that may mount can have put something else
    in the place of its terminals: that is looked at before it is used.

    Raises: OSError.
    Source: pts(4); ioctl_tty(2): TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY.
    """
    master = open_plain(_MASTERS, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        status = os.fstat(master)
        if not stat.S_ISCHR(status.st_mode) or status.st_rdev != _MASTERS_NUMBER:
            raise OSError(errno.ENOTTY, "does not make terminals", _MASTERS)
        fcntl.ioctl(master, _TIOCSPTLCK, bytes(4))
        terminal: int = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.ioctl(terminal, _TIOCSCTTY, 0)
        _hand_out(handover, master)
    finally:
        os.close(master)
    return terminal


def _hand_out(handover: int, master: int) -> None:
    way = socket(AF_UNIX, SOCK_SEQPACKET, 0, handover)
    way.sendmsg([b"+"], [(SOL_SOCKET, SCM_RIGHTS, master.to_bytes(_DESCRIPTOR_BYTES, "little"))])
    if way.recv(1) != b"+":  # whoever wanted it is gone
        os._exit(125)
    way.detach()


def receive_master(handover: int) -> int | None:
    """Return the master that was handed out, or None when no more will come. Raises: OSError. Source: unix(7)."""
    way = socket(AF_UNIX, SOCK_SEQPACKET, 0, handover)
    try:
        data, ancillary, _, _ = way.recvmsg(1, 64)
    except ConnectionResetError:
        return None
    finally:
        way.detach()
    found = [part for level, kind, part in ancillary if (level, kind) == (SOL_SOCKET, SCM_RIGHTS)]
    if not data or not found:
        return None
    master = int.from_bytes(found[0][:_DESCRIPTOR_BYTES], "little")
    os.set_inheritable(master, False)
    return master


def say_ready(handover: int) -> None:
    """Let the process that handed a master out go on; one that is gone needs no word. Raises: OSError."""
    try:
        os.write(handover, b"+")
    except (BrokenPipeError, ConnectionResetError):
        pass


def open_peer(master: int) -> int:
    """Return the terminal of *master*: as long as it is open, an app that closes its own has not ended the conversation.

    Raises: OSError.
    Source: ioctl_tty(2), TIOCGPTPEER.
    """
    peer: int = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    return peer
