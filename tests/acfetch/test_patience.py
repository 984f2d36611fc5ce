"""The head of an answer in its time, over real TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme

from acfetch.patience import LATE, PatientSocket, end_waiting, socket_class


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def _connect(ends: tuple[socket.socket, socket.socket], seconds: float) -> tuple[PatientSocket, ssl.SSLSocket]:
    """Return both ends of a connection, of which the first waits *seconds* for a head."""
    from threading import Thread

    authority = trustme.CA()
    mine, other = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(mine)
    authority.issue_cert("example.com").configure_cert(other)
    mine.sslsocket_class = socket_class(seconds)
    made: list[ssl.SSLSocket] = []
    serving = Thread(target=lambda: made.append(other.wrap_socket(ends[1], server_side=True)))
    serving.start()
    client = mine.wrap_socket(ends[0], server_hostname="example.com")
    serving.join()
    assert isinstance(client, PatientSocket)
    return client, made[0]


def test_a_head_that_is_late_is_waited_for_no_longer(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = _connect(ends, 0)
    with client, server:
        client.send(b"GET")
        server.sendall(b"HTTP/1.1 100 Continue")
        with pytest.raises(TimeoutError, match=LATE):
            client.recv(100)


def test_a_body_takes_its_time_until_something_is_asked_again(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = _connect(ends, 0)
    with client, server:
        client.send(b"GET")
        server.sendall(b"body")
        end_waiting(client)
        assert client.recv(100) == b"body"
        client.send(b"GET")
        with pytest.raises(TimeoutError, match=LATE):
            client.recv(100)


def test_a_head_in_time_is_read(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = _connect(ends, 3600)
    with client, server:
        client.send(b"GET")
        server.sendall(b"head")
        assert client.recv(100) == b"head"


def test_other_connections_have_nothing_to_wait_for(ends: tuple[socket.socket, socket.socket]) -> None:
    end_waiting(ends[0])
    end_waiting(None)
