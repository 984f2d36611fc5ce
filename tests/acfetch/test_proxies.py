"""Which proxy the environment names for a URL: the decision as a table, and real proxies on the way."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from acfetch.errors import UnreachableError
from acfetch.http import Client
from acfetch.proxies import find_proxy
from acspec.errors import ConfigError
from tests.support.server import Answer, Server

URL = "https://example.com/file"
P, Q = "http://proxy:3128", "http://other:3128"

CHOSEN: dict[str, tuple[str, dict[str, str], tuple[str, str] | None]] = {
    "nothing": (URL, {}, None),
    "that of its scheme": (URL, {"HTTPS_PROXY": P, "HTTP_PROXY": Q, "ALL_PROXY": Q}, ("HTTPS_PROXY", P)),
    "that of plain http": ("http://a/", {"HTTPS_PROXY": P, "HTTP_PROXY": Q}, ("HTTP_PROXY", Q)),
    "another scheme's": (URL, {"HTTP_PROXY": P}, None),
    "that for all": (URL, {"HTTP_PROXY": P, "ALL_PROXY": Q}, ("ALL_PROXY", Q)),
    "the lower-case one": (URL, {"https_proxy": P, "HTTPS_PROXY": Q}, ("https_proxy", P)),
    "an empty one": (URL, {"https_proxy": "", "HTTPS_PROXY": Q, "ALL_PROXY": Q}, None),
    "one without a scheme": (URL, {"HTTPS_PROXY": " proxy:3128 "}, ("HTTPS_PROXY", P)),
    "one of somebody's request to a CGI program": ("http://a/", {"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, None),
    "the lower-case one of a CGI program": ("http://a/", {"http_proxy": P, "REQUEST_METHOD": "GET"}, ("http_proxy", P)),
}


@pytest.mark.parametrize(("url", "environment", "proxy"), CHOSEN.values(), ids=CHOSEN)
def test_the_environment_says_which_proxy_leads_to_a_url(
    url: str, environment: dict[str, str], proxy: tuple[str, str] | None
) -> None:
    assert find_proxy(url, environment) == proxy


EXCEPTED = {
    "everything": ("*", "https://example.com/", True),
    "the host": ("a.b, example.com", "https://example.com/", True),
    "the host after a space": ("a.b example.com", "https://EXAMPLE.com/", True),
    "the host with a dot at its end": ("example.com", "https://example.com./", True),
    "capitals": ("Example.COM", "https://example.com/", True),
    "a domain": ("example.com", "https://www.example.com/", True),
    "a domain with a dot": (".example.com", "https://www.example.com/", True),
    "the host with a dot before it": (".example.com", "https://example.com/", True),
    "a domain with a star": ("*.example.com", "https://www.example.com/", True),
    "a text at the end of it": ("example.com", "https://badexample.com/", False),
    "a host below": ("www.example.com", "https://example.com/", False),
    "the port": ("example.com:443", "https://example.com/", True),
    "another port": ("example.com:8443", "https://example.com/", False),
    "the port of the URL": ("example.com:8443", "https://example.com:8443/", True),
    "an address": ("10.0.0.1", "https://10.0.0.1/", True),
    "a part of an address": ("0.1", "https://10.0.0.1/", False),
    "a network": ("192.168.0.0/16,10.0.0.0/8", "https://10.1.2.3/", True),
    "another network": ("10.0.0.0/8", "https://11.0.0.1/", False),
    "a network, for a name": ("10.0.0.0/8", "https://example.com/", False),
    "an address of IPv6": ("::1", "https://[::1]/", True),
    "an address of IPv6 in brackets": ("[::1]:443", "https://[::1]/", True),
    "an address of IPv6 and another port": ("[::1]:80", "https://[::1]/", False),
    "a network of IPv6": ("fd00::/8", "https://[fd12::1]/", True),
    "nothing": ("", "https://example.com/", False),
    "commas and dots": (",, . ,*.", "https://example.com/", False),
}


@pytest.mark.parametrize(("listed", "url", "excepted"), EXCEPTED.values(), ids=EXCEPTED)
def test_no_proxy_is_taken_where_the_list_has(listed: str, url: str, excepted: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert (find_proxy(url, {"ALL_PROXY": P, name: listed}) is None) is excepted


@given(st.text(st.sampled_from("a1.:*[]/, ²\n-"), max_size=20), st.sampled_from(["a.a", "1.1.1.1", "[::1]"]))
def test_any_list_is_a_decision(listed: str, host: str) -> None:
    assert find_proxy(f"https://{host}/", {"https_proxy": P, "no_proxy": listed}) in (None, ("https_proxy", P))


# On the way


def get(url: str = URL, **options: bool) -> bytes:
    with Client(**options) as client:
        return client.get(url, 1000)


def test_https_goes_through_a_tunnel_and_what_is_excepted_does_not(server: Server) -> None:
    direct = f"https://localhost:{server.port}/file"
    server.answers[URL], server.answers[direct] = Answer(b"through"), Answer(b"direct")
    assert (get(), get(direct)) == (b"through", b"direct")
    assert [request.url for request in server.connects] == ["example.com:443"]


def test_without_an_exception_the_same_goes_through_it_as_well(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com:8443")
    server.answers["https://localhost:1/file"] = server.answers[URL] = Answer(b"through")
    assert (get("https://localhost:1/file"), get()) == (b"through", b"through")
    assert [request.url for request in server.connects] == ["localhost:1", "example.com:443"]


def test_a_network_is_reached_directly(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    server.answers[f"https://localhost:{server.port}/file"] = Answer(b"direct")
    assert get(f"https://127.0.0.1:{server.port}/file", any_certificate=True) == b"direct"
    assert server.connects == []


def test_plain_http_is_asked_of_the_proxy(server: Server) -> None:
    server.answers["http://example.com/file"] = Answer(b"plain")
    assert get("http://example.com/file", plain_http=True) == b"plain"
    assert server.connects == []


def test_a_password_for_the_proxy_is_the_proxy_s_alone(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{server.port}")
    server.answers[URL] = Answer(b"through")
    assert get() == b"through"
    [connect], [request] = server.connects, server.requests
    assert connect.headers["proxy-authorization"] == f"Basic {b64encode(b'me:word').decode()}"
    assert not {"proxy-authorization", "authorization"} & set(request.headers)


def test_a_password_for_the_proxy_is_in_no_message(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers["CONNECT example.com:443"] = Answer(status=407)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{server.port}")
    with pytest.raises(UnreachableError, match="the proxy does not lead there: 407") as caught:
        get()
    assert "word" not in str(caught.value)
    for wrong in ("ftp://me:word@127.0.0.1:1", "http://me:word@[::1", "socks5://me:word@127.0.0.1:1"):
        monkeypatch.setenv("HTTPS_PROXY", wrong)
        with pytest.raises(ConfigError, match="HTTPS_PROXY: names a proxy that cannot be used") as bad:
            get()
        assert "word" not in str(bad.value)


@pytest.fixture
def tls_proxy(server: Server, tmp_path: Path) -> Iterator[str]:
    """Give the test a proxy that speaks TLS itself, under an authority of its own in `proxy.pem`: a way to the server."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "proxy.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as ours:
                    _join(ours, server.port)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def _join(ours: ssl.SSLSocket, port: int) -> None:
    """Carry bytes both ways until the server has said all."""
    with socket.create_connection(("127.0.0.1", port)) as theirs:

        def forward() -> None:
            with suppress(OSError):
                while data := ours.recv(1 << 16):
                    theirs.sendall(data)

        thread = threading.Thread(target=forward)
        thread.start()
        while data := theirs.recv(1 << 16):
            ours.sendall(data)
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_proxy_over_tls_is_held_to_the_same_authorities(
    server: Server, tls_proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", tls_proxy)
    server.answers[URL] = Answer(b"through")
    with pytest.raises(UnreachableError, match="its certificate is not accepted"):
        get()
    assert server.requests == []
    both = tmp_path / "both.pem"
    both.write_bytes(server.authority.read_bytes() + (tmp_path / "proxy.pem").read_bytes())
    with Client(cafile=str(both)) as client:
        assert client.get(URL, 1000) == b"through"
