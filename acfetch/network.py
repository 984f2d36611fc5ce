"""The connections below HTTP: ended when the run is, patient with bodies, and with the head of an answer so long and no longer.

A server may say "100 Continue" as often as it likes, or send its head a byte a minute: to each single wait that is an answer in
time. So a connection counts from the last byte of the question on, be it plain, over TLS, or over TLS inside a proxy's. What the
body may take is for `pace` to say.

Source: RFC 9110, 15.2 ("one or more" interim responses).
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread
from weakref import WeakSet

from httpcore import NetworkBackend, NetworkStream, ReadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MOST = 1 << 18  # bytes that one reading gives at most, all of them there already but for the first
_RECORD = 1 << 14  # bytes of a TLS record, which is all that OpenSSL gives at once


class LateError(Exception):
    """The head of an answer did not come in time."""


class EndedError(Exception):
    """The run has ended, and nothing is connected to any more."""


class Network(NetworkBackend):
    """Connections made by *backend*, all of which `interrupt` ends; on each, a head has *seconds* to come."""

    def __init__(self, backend: NetworkBackend, seconds: float) -> None:
        self._backend = backend
        self._seconds = seconds
        self._lock = Lock()
        self._ended = False
        self._streams: WeakSet[Stream] = WeakSet()
        self._waiting: set[SimpleQueue[NetworkStream | BaseException]] = set()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """Return a connection. Raises: EndedError; what the backend raises."""
        made: SimpleQueue[NetworkStream | BaseException] = SimpleQueue()

        def connect() -> None:
            try:
                stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
            except BaseException as error:  # whatever it is, it belongs to whoever waits
                made.put(error)
                return
            with self._lock:
                if made in self._waiting:
                    made.put(stream)
                    return
            stream.close()

        with self._lock:
            if self._ended:
                raise EndedError
            self._waiting.add(made)
        # While a name is looked up and a host called, nothing can be shut down: that is left behind in a thread.
        Thread(target=connect, name="connect", daemon=True).start()
        try:
            answer = made.get()
        finally:
            with self._lock:
                self._waiting.discard(made)
        if isinstance(answer, BaseException):
            raise answer
        return self._follow(answer)

    def _follow(self, stream: NetworkStream) -> Stream:
        with self._lock:
            if self._ended:
                stream.close()
                raise EndedError
            followed = Stream(stream, self, self._seconds)
            self._streams.add(followed)
        return followed

    def interrupt(self) -> None:
        """End every connection that there is or would be, whoever waits for it in another thread."""
        with self._lock:
            self._ended = True
            for waiting in self._waiting:
                waiting.put(EndedError())
            self._waiting.clear()
            streams = list(self._streams)
        for stream in streams:
            stream.interrupt()


class Stream(NetworkStream):
    """A connection on which, after each writing, the head of the answer must come within *seconds*."""

    def __init__(self, stream: NetworkStream, network: Network, seconds: float) -> None:
        self._stream = stream
        self._network = network
        self._seconds = seconds
        self._until: float | None = None
        self._broken: Exception | None = None
        connection = stream.get_extra_info("socket")
        # TLS inside a proxy's TLS has an object of its own, and the socket is only what that lies in.
        is_inside = isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject)
        self._tls = connection if isinstance(connection, ssl.SSLSocket) and not is_inside else None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come. Raises: LateError when it is a head, and late; what httpcore raises."""
        if self._until is not None and time.monotonic() >= self._until:
            raise LateError
        if self._broken is not None:
            raise self._broken
        data = self._stream.read(max_bytes, timeout)
        return data if self._until is not None or len(data) < _RECORD else self._read_on(data)

    def _read_on(self, data: bytes) -> bytes:
        """Return *data* with what has come behind it already: whoever takes bodies apart does it piece by piece."""
        if self._tls is None:
            return data
        parts, size = [data], len(data)
        self._tls.settimeout(0)
        try:
            while size < MOST and (part := self._tls.recv(_RECORD)):
                parts.append(part)
                size += len(part)
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except OSError as error:  # what has come counts all the same
            self._broken = ReadError(str(error))
        return b"".join(parts)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes of a question, from which on the head is waited for."""
        self._until = time.monotonic() + self._seconds
        self._stream.write(buffer, timeout)

    def take_time(self) -> None:
        """Wait for what comes now, which is a body, as long as it takes."""
        self._until = None

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> Stream:
        """Return the same connection, with TLS over it."""
        return self._network._follow(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for."""
        return self._stream.get_extra_info(info)

    def interrupt(self) -> None:
        """End a reading that waits in another thread, and all that follow."""
        connection: socket.socket = self.get_extra_info("socket")
        with suppress(OSError):  # it has ended by itself
            connection.shutdown(socket.SHUT_RDWR)
