"""Connections as HTTP gets them, over real sockets: heads in their time, bodies in theirs, and an end when the run ends."""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread

import pytest
import trustme
from httpcore import SyncBackend

from acfetch.network import EndedError, LateError, Network, Stream

HOST = "127.0.0.1"


class Wire:
    """A connection with both of its ends, over so many layers of TLS."""

    def __init__(self, layers: int, seconds: float, undo: ExitStack) -> None:
        authority = trustme.CA()
        mine, other = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.configure_trust(mine)
        authority.issue_cert("example.com").configure_cert(other)
        self.network = Network(SyncBackend(), seconds)
        listener = undo.enter_context(socket.create_server((HOST, 0)))
        self.client: Stream = self.network.connect_tcp(HOST, listener.getsockname()[1], 30)
        undo.callback(lambda: self.client.close())  # noqa: PLW0108 - the last of them
        end = undo.enter_context(listener.accept()[0])
        self.send: Callable[[bytes], object] = end.sendall
        for layer in range(layers):
            answering = Thread(target=self._answer, args=(other, end if layer == 0 else self._secure, undo))
            answering.start()
            self.client = self.client.start_tls(mine, "example.com", 30)
            answering.join()

    def _answer(self, context: ssl.SSLContext, below: socket.socket | ssl.SSLSocket, undo: ExitStack) -> None:
        if isinstance(below, ssl.SSLSocket):
            self._answer_inside(context, below)
            return
        self._secure = undo.enter_context(context.wrap_socket(below, server_side=True))
        self.send = self._secure.sendall

    def _answer_inside(self, context: ssl.SSLContext, below: ssl.SSLSocket) -> None:
        """Speak TLS inside TLS, which Python has for a client only in httpcore."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = context.wrap_bio(incoming, outgoing, server_side=True)

        def flush() -> None:
            below.sendall(outgoing.read())

        while True:
            try:
                inner.do_handshake()
            except ssl.SSLWantReadError:
                flush()
                incoming.write(below.recv(1 << 14))
            else:
                flush()
                break

        def send(data: bytes) -> None:
            inner.write(data)
            flush()

        self.send = send


LAYERS = {"plain": 0, "over TLS": 1, "over TLS inside a proxy's TLS": 2}


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[[float], Wire]]:
    """Return what makes a connection on which a head has so many seconds."""
    with ExitStack() as undo:
        yield lambda seconds: Wire(request.param, seconds, undo)


def test_a_head_that_is_late_is_waited_for_no_longer(connect: Callable[[float], Wire]) -> None:
    wire = connect(0)
    wire.client.write(b"GET", 30)
    wire.send(b"HTTP/1.1 100 Continue")
    with pytest.raises(LateError):
        wire.client.read(100, 30)


def test_a_head_in_time_is_read(connect: Callable[[float], Wire]) -> None:
    wire = connect(3600)
    wire.client.write(b"GET", 30)
    wire.send(b"head")
    assert wire.client.read(100, 30) == b"head"


def test_a_body_takes_its_time_until_something_is_asked_again(connect: Callable[[float], Wire]) -> None:
    wire = connect(0)
    wire.client.write(b"GET", 30)
    wire.send(b"body")
    wire.client.take_time()
    assert wire.client.read(100, 30) == b"body"
    wire.client.write(b"GET", 30)
    with pytest.raises(LateError):
        wire.client.read(100, 30)


def test_a_body_is_what_was_sent_however_it_is_read(connect: Callable[[float], Wire]) -> None:
    wire = connect(3600)
    pieces = [os.urandom(1 << 14) for _ in range(99)]
    sending = Thread(target=lambda: [wire.send(piece) for piece in pieces])
    sending.start()
    received = b""
    while len(received) < 99 << 14:
        received += wire.client.read(1 << 16, 30)
    sending.join()
    assert received == b"".join(pieces)


def test_a_reading_that_waits_ends_with_the_run(connect: Callable[[float], Wire]) -> None:
    wire = connect(3600)
    ended: list[bytes | Exception] = []

    def read() -> None:
        try:
            ended.append(wire.client.read(100, 3600))
        except Exception as error:
            ended.append(error)

    waiting = Thread(target=read)
    waiting.start()
    wire.network.interrupt()
    waiting.join()
    assert len(ended) == 1
    assert ended[0] != b"x"


def test_a_connection_that_nobody_answers_ends_with_the_run_and_no_other_is_made() -> None:
    # With one in the queue, the kernel answers no more.
    with socket.create_server((HOST, 0), backlog=0) as listener, socket.create_connection(listener.getsockname()):
        port = listener.getsockname()[1]
        select.select([listener], [], [])
        network, ended = Network(SyncBackend(), 60), list[BaseException]()

        def connect() -> None:
            try:
                network.connect_tcp(HOST, port, 600)
            except BaseException as error:
                ended.append(error)

        waiting = Thread(target=connect)
        waiting.start()
        while not network._waiting:
            assert waiting.is_alive()
        network.interrupt()
        waiting.join()
        assert [type(error) for error in ended] == [EndedError]
        with pytest.raises(EndedError):
            network.connect_tcp(HOST, port, 5)
