"""sd_notify: what apps tell the monitor of themselves, and what the monitor tells the service manager that started it.

An app whose image says that it speaks this protocol gets a socket in its own /dev, where nobody else comes: what is heard there is
the app's word. Of all that it may say READY=1 and STOPPING=1 alone mean something here. No descriptor of it is in the pod.

Source: sd_notify(3); aci.md, annotations: appc.io/executor/supports-systemd-notify; unix(7).
"""

from __future__ import annotations

import os
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, socket

from acstage1.environment import NOTIFY_VARIABLE

# In the app's directory, below that of the pod.
SOCKET = "notify"

# What an app may say, and how the file `pid` has it.
_WORDS = {b"READY=1": "ready", b"STOPPING=1": "stopping"}
_LONGEST = 4096
_AT_ONCE = 1024  # more than can wait, which is 512 where systemd has said so: `drain` leaves nothing
_PATIENCE = 5.0
_KIND = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK


class NotifySocket:
    """The socket at which one app is heard."""

    __slots__ = ("_socket",)

    def __init__(self, directory: str) -> None:
        """Make the socket in *directory*, which is the app's in the pod directory. Raises: OSError."""
        self._socket = socket(AF_UNIX, _KIND)
        place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # By descriptor: the name of a socket has at most 107 bytes.
            self._socket.bind(f"/proc/self/fd/{place}/{SOCKET}")
            os.chmod(SOCKET, 0o666, dir_fd=place)  # for any user of the app; the directories above let no other in
        finally:
            os.close(place)

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self._socket.fileno()

    def receive(self) -> set[str]:
        """Take what has come, and return what the app says in it that it is: `ready`, `stopping`. Raises: OSError."""
        heard: set[str] = set()
        for _ in range(_AT_ONCE):
            try:
                message = self._socket.recv(_LONGEST)
            except BlockingIOError:
                break
            heard.update(_WORDS[word] for word in message.split(b"\n") if word in _WORDS)
        return heard

    def drain(self) -> None:
        """Drop what an attempt that has ended may have left. Raises: OSError."""
        self.receive()


def notify_service_manager(text: str, patience: float = _PATIENCE) -> None:
    """Send *text* to the service manager that started this process, if there is one; one that is gone gets nothing.

    One that is so busy that its queue is full is waited for, but for no more than *patience* seconds: one that never reads does not
    hold up the pod.

    Source: sd_notify(3), NOTIFY_SOCKET; unix(7).
    """
    address = os.environ.get(NOTIFY_VARIABLE, "")
    if address[:1] not in ("/", "@"):
        return
    own = socket(AF_UNIX, _KIND)
    try:
        own.settimeout(patience)
        own.connect("\0" + address[1:] if address[0] == "@" else address)  # only of a peer does poll know that its queue is full
        own.send(text.encode("ascii"))
    except OSError:
        pass
    finally:
        own.close()
