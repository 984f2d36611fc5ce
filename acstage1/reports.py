"""Messages between the monitor and pod init, and what a process reports that does not become the app.

One message is one packet: fields joined by zero bytes, the first its kind. Nothing is decided here.

Source: spec/stage1.md, Inside stage1.
"""

from __future__ import annotations

import errno
import os
from _socket import AF_UNIX, MSG_CMSG_CLOEXEC, MSG_CTRUNC, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET, socket, socketpair

from acspec.errors import ToolError, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# In bytes. A field is cut, and not the message, which would lack the fields behind it: images have paths longer than any file's.
_LARGEST, _LONGEST = 32768, 4096
_LONGEST_REPORTED = 1000  # four have room in what a pipe takes at once
_DESCRIPTOR_BYTES = 4
_HANDED_BYTES = 128  # of descriptors and what is before them: more than init has to hand out

# Kinds, init to monitor. READY mark…: the trees stand and the host is out of reach. FORKED app role pid. STARTED app role: the
# program runs. ENDED app role waitstatus. FAILED app role step code path why. NOTE text.
READY, FORKED, STARTED, ENDED, FAILED, NOTE = "ready", "forked", "started", "ended", "failed", "note"
# Kinds, monitor to init. START app role. JOINED: the process that was forked is in its cgroups.
START, JOINED = "start", "joined"

# Roles of a process of an app.
PRE_START, MAIN, POST_STOP = "pre-start", "main", "post-stop"


class Channel:
    """One end of the connection between monitor and init."""

    __slots__ = ("_socket", "handed")

    def __init__(self, end: socket) -> None:
        self._socket = end
        self.handed: list[int] = []  # descriptors that came with messages

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self._socket.fileno()

    def send(self, *fields: str, descriptors: Sequence[int] = ()) -> None:
        """Send one message, with *descriptors*. An end that is gone is seen by who reads. Raises: OSError."""
        data = _join(fields, _LONGEST)
        words = b"".join(descriptor.to_bytes(_DESCRIPTOR_BYTES, "little") for descriptor in descriptors)
        try:
            if words:
                self._socket.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, words)])
            else:
                self._socket.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive(self) -> list[str]:
        """Return the next message's fields; an empty list when the other end is gone. Raises: OSError."""
        try:
            data, handed, flags, _ = self._socket.recvmsg(_LARGEST, _HANDED_BYTES, MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return []
        for level, kind, words in handed:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                parts = (words[place : place + _DESCRIPTOR_BYTES] for place in range(0, len(words), _DESCRIPTOR_BYTES))
                self.handed += [int.from_bytes(part, "little") for part in parts]
        if flags & MSG_CTRUNC:  # there was no room for all descriptors, and the first ones alone would lead elsewhere
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return data.decode("utf-8", "surrogateescape").split("\0") if data else []

    def close(self) -> None:
        """Close this end, and what came through it."""
        self._socket.close()
        for descriptor in self.handed:
            os.close(descriptor)
        self.handed = []


def open_channel() -> tuple[Channel, Channel]:
    """Return the two ends of a new connection. Raises: OSError. Source: unix(7), SOCK_SEQPACKET."""
    left, right = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    return Channel(left), Channel(right)


def _join(fields: Sequence[str], longest: int) -> bytes:
    return b"\0".join(field.encode("utf-8", "surrogateescape")[:longest] for field in fields)


class Failure:
    """Why a process did not become the app: the step, the exit code (125 to 127), what it was about (empty: nothing), and why."""

    __slots__ = ("code", "path", "step", "why")

    def __init__(self, step: str, code: int, path: str, why: str) -> None:
        self.step = step
        self.code = code
        self.path = path
        self.why = why

    def fields(self) -> list[str]:
        """Return the failure as fields of a message."""
        return [self.step, str(self.code), self.path, self.why]


def describe_failure(step: str, error: BaseException) -> Failure:
    """Return what *error* in *step* means for the one who asked."""
    if isinstance(error, ToolError):
        return Failure(step, error.exit_code if error.exit_code in (126, 127) else 125, error.what, error.why)
    if isinstance(error, OSError):
        name = error.filename
        path = os.fsdecode(name) if isinstance(name, (str, bytes)) else ""
        return Failure(step, 125, path, reason_of(error))
    return Failure(step, 125, "", f"{type(error).__name__}: {error}")


def write_failure(descriptor: int, failure: Failure) -> None:
    """Write a failure to the report pipe *descriptor*. Nothing can be done about a failure to do so."""
    try:
        os.write(descriptor, _join(failure.fields(), _LONGEST_REPORTED))
    except OSError:
        pass


def read_failure(data: bytes) -> Failure:
    """Return the failure that a report pipe held; the trampoline writes nothing but eight bytes of -errno."""
    if len(data) == 8 and data[4:] == b"\xff\xff\xff\xff":
        number = -int.from_bytes(data, "little", signed=True)
        return Failure("execve", 126, "", explain(number))
    fields = [*data.decode("utf-8", "surrogateescape").split("\0"), "", "", ""]
    return Failure(fields[0], int(fields[1]) if fields[1].isdigit() else 125, fields[2], fields[3])


def explain(number: int) -> str:
    """Return why execve refused a program that is there. Source: execve(2)."""
    if number == errno.ENOEXEC:
        return "is neither a program for this machine nor a script with #!"
    if number == errno.EPERM:
        return "has a capability that the app may not have"
    if number == errno.ENOENT:
        return "its interpreter is not in the image"
    return os.strerror(number).lower()
