"""Connections over TLS that wait for the head of an answer so long and no longer, however many bytes come meanwhile.

A server may say "100 Continue" as often as it likes, or send its head a byte a minute: to each single wait that is an answer in
time. What the body may take is for `http.Pace` to say.

Source: RFC 9110, 15.2 ("one or more" interim responses).
"""

from __future__ import annotations

import ssl
import time
from typing import ClassVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LATE = "the answer did not begin in time"


class PatientSocket(ssl.SSLSocket):
    """A connection on which, after each sending, the head of the answer must come within `seconds`."""

    seconds: ClassVar[float] = 60

    _until: float | None = None

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """Send bytes of a request, from which on the head is waited for."""
        self._until = time.monotonic() + self.seconds
        return super().send(data, flags)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return what has come. Raises: TimeoutError when the head is late; OSError."""
        if self._until is not None and time.monotonic() >= self._until:
            raise TimeoutError(LATE)
        return super().recv(buflen, flags)

    def take_time(self) -> None:
        """Wait for what comes now, which is a body, as long as it takes."""
        self._until = None


def socket_class(seconds: float) -> type[PatientSocket]:
    """Return the class of connections on which a head has *seconds* to come: what a context is to make."""
    return type("Socket", (PatientSocket,), {"seconds": seconds})


def end_waiting(connection: object) -> None:
    """Tell a connection, when it is one of these, that the head is there."""
    if isinstance(connection, PatientSocket):
        connection.take_time()
