"""A web server on loopback with real TLS, for every host that a test names, whose answer to each URL a test chooses.

    with Server(directory) as server:
        server.answers["https://example.com/app?ac-discovery=1"] = Answer(b"<html>…")

It is its own proxy: with HTTPS_PROXY and HTTP_PROXY set to `server.proxy`, a client reaches any host name here and nowhere else,
without root, port 443 or /etc/hosts. Without a proxy, `server.port` speaks HTTP and HTTPS for localhost.
The certificates come from an authority of trustme's, `server.authority`; hosts in `BAD_CERTIFICATES` have one that is wrong.
What has been asked for is in `server.requests`, and what its proxy was to lead to in `server.connects`. URLs without an answer get
404; an answer that depends on the request is in `server.decisions`, and what a host says that does not speak TLS in
`server.instead_of_tls`. An answer to `CONNECT host:443` is the proxy's own.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

SELF_SIGNED, EXPIRED, OTHER_NAME = "selfsigned.example", "expired.example", "othername.example"
BAD_CERTIFICATES = (SELF_SIGNED, EXPIRED, OTHER_NAME)


@dataclass(frozen=True)
class Answer:
    """What the server says: a status line, headers, a body, and how the connection ends."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    # What Content-Length says; None leaves it out, so that the body lasts as long as the connection.
    length: int | str | None = -1
    # Further bytes go out as one chunk each, without the last one when it is cut.
    chunked: bool = False
    cut: bool = False
    # After the body, the connection stays open and silent until the other side goes away; `silent` is set then.
    silent: threading.Event | None = None
    # Everything, head and all, as it is: in one piece, or in as many as come, which may be for ever or none at all.
    raw: bytes = b""
    raw_pieces: Iterable[bytes] | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the whole answer."""
        if self.raw or self.raw_pieces is not None:
            yield from [self.raw] if self.raw_pieces is None else self.raw_pieces
            return
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.length is not None:
            lines.append(f"Content-Length: {self._default_length() if self.length == -1 else self.length}")
        yield "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
        for piece in [self.body] if isinstance(self.body, bytes) else self.body:
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece
        if self.chunked and not self.cut:
            yield b"0\r\n\r\n"

    def _default_length(self) -> int:
        assert isinstance(self.body, bytes), "an endless body has no length: say what it is to be"
        return len(self.body)


def redirect(location: str, status: int = 302, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer that leads elsewhere."""
    return Answer(status=status, headers={"Location": location, **(headers or {})})


def endless(piece: bytes = bytes(1 << 16)) -> Iterator[bytes]:
    """Return a body that goes on for ever."""
    return repeat(piece)


@dataclass(frozen=True)
class Request:
    """What was asked for: the URL, and the headers by their lower-case names."""

    url: str
    headers: Mapping[str, str]


class Server:
    """The server; used as a context manager. A thread serves each connection, which has one request."""

    def __init__(self, directory: Path) -> None:
        """Listen on a port of 127.0.0.1; *directory* gets `authority.pem`."""
        self.answers: dict[str, Answer] = {}
        self.decisions: dict[str, Callable[[Request], Answer]] = {}
        self.requests: list[Request] = []
        self.connects: list[Request] = []
        self.instead_of_tls: dict[str, bytes] = {}
        self.authority = directory / "authority.pem"
        self._authority, self._stranger = trustme.CA(), trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.authority))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._connections: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, name="server")
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self._end_connections()

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 that it listens on."""
        number: int = self._listener.getsockname()[1]
        return number

    @property
    def proxy(self) -> str:
        """The URL for HTTPS_PROXY and HTTP_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    def clear(self) -> None:
        """Forget every answer and every request."""
        self.answers.clear()
        self.decisions.clear()
        self.requests.clear()
        self.connects.clear()
        self.instead_of_tls.clear()

    def settle(self) -> None:
        """End the connections that there still are, and return when nobody serves one: what clients have left behind is over."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)  # connections are taken in their order: all those before this one have been
        self._end_connections()

    def _end_connections(self) -> None:
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def asked(self) -> list[str]:
        """The URLs that were asked for, in order."""
        return [request.url for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="connection")
            with self._lock:
                self._connections.add(connection)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._answer(connection)
        except OSError:  # a client that goes away, or does not like the certificate, is no event
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":  # a TLS record: spoken to without a proxy
            self._answer_tls(connection, "localhost", f"https://localhost:{self.port}")
            return
        method, target, headers = _read_head(connection)
        if method == "CONNECT":
            self.connects.append(Request(target, headers))
        if method == "CONNECT" and f"CONNECT {target}" in self.answers:
            self._send(connection, f"CONNECT {target}", headers)
        elif method == "CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            host = target.removesuffix(":443")
            if host in self.instead_of_tls:
                connection.recv(1 << 16)  # the client's hello: what came before it would be taken for the proxy's
                connection.sendall(self.instead_of_tls[host])
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):  # closed with bytes unread, it would be a reset
                    pass
                return
            self._answer_tls(connection, host.partition(":")[0], f"https://{host}")
        elif method:
            self._send(connection, target if "://" in target else f"http://localhost:{self.port}{target}", headers)

    def _answer_tls(self, connection: socket.socket, host: str, origin: str) -> None:
        with self._context(host).wrap_socket(connection.dup(), server_side=True) as secure:
            method, target, headers = _read_head(secure)
            if method:
                self._send(secure, origin + target, headers)

    def _send(self, connection: socket.socket, url: str, headers: Mapping[str, str]) -> None:
        request = Request(url, headers)
        self.requests.append(request)
        answer = self.decisions[url](request) if url in self.decisions else self.answers.get(url, Answer(b"not here", 404))
        for piece in answer.pieces():
            connection.sendall(piece)
        if answer.silent is not None:
            answer.silent.set()
            connection.recv(1)

    def _context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        authority = self._stranger if host == SELF_SIGNED else self._authority
        name = "elsewhere.example" if host == OTHER_NAME else host
        end = datetime(2001, 1, 1, tzinfo=UTC) if host == EXPIRED else None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name, not_after=end).configure_cert(context)
        return context


def _read_head(connection: socket.socket) -> tuple[str, str, Mapping[str, str]]:
    """Return method, target and headers of a request; nothing when the client went away."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return "", "", {}
        head += byte
    first, *lines = head.decode("latin-1").splitlines()
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return method, target, {name.lower(): value.strip() for name, _, value in pairs}
