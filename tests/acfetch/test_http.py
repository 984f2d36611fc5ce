"""HTTP over real TLS: redirects, certificates, bodies that lie, and what is never sent."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acfetch.errors import HTTPStatusError, TransportRefusedError, UnreachableError
from acfetch.http import Client
from acfetch.settings import Settings
from acspec import limits
from acspec.errors import ConfigError, ProtocolError, ToolError, UnavailableError
from tests.support.server import EXPIRED, OTHER_NAME, SELF_SIGNED, Answer, Server, endless, redirect

URL = "https://example.com/file"
PLAIN = "http://example.com/file"


def get(url: str = URL, limit: int = 1000, *, plain_http: bool = False, any_certificate: bool = False) -> bytes:
    with Client(plain_http=plain_http, any_certificate=any_certificate) as client:
        return client.get(url, limit)


def test_a_body_is_returned_as_it_is(server: Server) -> None:
    server.answers[URL] = Answer(b"\x1f\x8b\x08not unpacked", headers={"Content-Type": "application/gzip"})
    assert get() == b"\x1f\x8b\x08not unpacked"


def test_without_a_proxy_it_is_just_a_server(server: Server) -> None:
    url = f"https://localhost:{server.port}/file"
    server.answers[url] = Answer(b"direct")
    assert get(url) == b"direct"


@pytest.mark.parametrize(
    "answer", [Answer([b"ab", b"cde"], chunked=True), Answer(b"abcde", length=None)], ids=["chunked", "to the end"]
)
def test_a_body_without_a_length_is_read_to_its_end(answer: Answer, server: Server) -> None:
    server.answers[URL] = answer
    assert get() == b"abcde"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_is_followed(status: int, server: Server) -> None:
    server.answers[URL] = redirect("/there?x=1", status)
    server.answers["https://example.com/there?x=1"] = redirect("https://www.example.org/last", status)
    server.answers["https://www.example.org/last"] = Answer(b"here")
    assert get() == b"here"
    assert [request.headers["host"] for request in server.requests] == ["example.com", "example.com", "www.example.org"]


def test_20_redirects_are_followed_and_21_are_not(server: Server) -> None:
    for number in range(limits.REDIRECTS + 1):
        server.answers[f"https://example.com/{number}"] = redirect(f"/{number + 1}")
    server.answers[f"https://example.com/{limits.REDIRECTS + 1}"] = Answer(b"end")
    assert get("https://example.com/1") == b"end"
    with pytest.raises(ProtocolError, match="more than the limit of 20 redirects"):
        get("https://example.com/0")


def test_a_redirect_to_itself_ends(server: Server) -> None:
    server.answers[URL] = redirect(URL)
    with pytest.raises(ProtocolError, match="more than the limit of 20 redirects"):
        get()
    assert len(server.asked) == limits.REDIRECTS + 1


LOCATIONS = {
    "plain http": "http://example.com/x",
    "a file": "file:///etc/passwd",
    "data": "data:text/plain,x",
    "ftp": "ftp://example.com/x",
    "user information": "https://user:word@example.com/x",
    "two dots": "https://example.com/../x",
    "a broken address": "https://[::1/x",
    "a port that is none": "https://example.com:x/",
    "no host": "http:///x",
    "bytes beyond ASCII": "https://ex\xe4mple.com/x",
    "an encoded host": "https://example.com%00.evil.example/x",
}


@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
def test_a_redirect_is_refused_that_leads_to(location: str, server: Server) -> None:
    server.answers[URL] = redirect(location)
    with pytest.raises(TransportRefusedError):
        get()
    assert server.asked == [URL]


def test_plain_http_is_for_those_who_gave_it_up(server: Server) -> None:
    server.answers[PLAIN] = Answer(b"plain")
    server.answers[URL] = redirect(PLAIN)
    for url in (URL, PLAIN):
        with pytest.raises(TransportRefusedError, match="is plain http") as caught:
            get(url)
        assert caught.value.hint == "--insecure-options=http allows it"
        assert get(url, plain_http=True) == b"plain"


def test_no_credentials_are_sent_anywhere(server: Server, own_home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(f"{own_home}/.netrc", "w") as file:
        file.write("machine example.com login me password word\nmachine www.example.org login me password word\n")
    cookie = {"Set-Cookie": "secret=1; Domain=example.com; Path=/"}
    server.answers["https://example.com/1"] = redirect("https://www.example.com/2", headers=cookie)
    server.answers["https://www.example.com/2"] = redirect("https://www.example.org/3", headers=cookie)
    server.answers["https://www.example.org/3"] = redirect(URL, headers=cookie)
    server.answers[URL] = Answer(b"end")
    assert get("https://example.com/1") == b"end"
    assert len(server.requests) == 4
    for request in server.requests:
        assert not {"authorization", "cookie", "referer"} & set(request.headers)
        assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("host", [SELF_SIGNED, EXPIRED, OTHER_NAME])
def test_a_bad_certificate_is_refused_and_not_tried_without(host: str, server: Server) -> None:
    server.answers[f"https://{host}/file"] = Answer(b"secret")
    with pytest.raises(UnreachableError, match="its certificate is not accepted: ") as caught:
        get(f"https://{host}/file")
    assert "_ssl" not in caught.value.why
    assert (caught.value.hint is not None) == (host == SELF_SIGNED)
    assert server.asked == []
    assert get(f"https://{host}/file", any_certificate=True) == b"secret"


def test_a_redirect_to_a_bad_certificate_is_refused(server: Server) -> None:
    server.answers[URL] = redirect(f"https://{OTHER_NAME}/file")
    with pytest.raises(UnreachableError, match=f"certificate is not valid for '{OTHER_NAME}'"):
        get()


def test_only_the_authorities_of_the_environment_count(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers[URL] = Answer(b"x")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    with pytest.raises(UnreachableError, match="its certificate is not accepted"):
        get()


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 403, 404, 500, 503])
def test_a_status_that_is_not_200_has_its_number(status: int, server: Server) -> None:
    server.answers[URL] = Answer(b"" if status in (204, 304) else b"page", status=status, length=None)
    with pytest.raises(HTTPStatusError, match=f"the server answered {status}") as caught:
        get()
    assert caught.value.status == status


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "GZIP", "identity, gzip", "nonsense"])
def test_an_encoded_body_is_refused(encoding: str, server: Server) -> None:
    server.answers[URL] = Answer(b"x", headers={"Content-Encoding": encoding})
    with pytest.raises(ProtocolError, match="which nobody asked for"):
        get()


def test_a_body_that_says_it_is_not_encoded_is_taken(server: Server) -> None:
    server.answers[URL] = Answer(b"x", headers={"Content-Encoding": "Identity"})
    assert get() == b"x"


BODIES: dict[str, tuple[Answer, type[ToolError], str]] = {
    "shorter than announced": (Answer(b"abc", length=10), UnreachableError, "the connection ended early, after 3 of 10 bytes"),
    "cut inside its chunks": (Answer([b"abc"], chunked=True, cut=True), UnreachableError, "ended early, after 3 bytes"),
    "missing altogether": (Answer(raw=b"H"), UnreachableError, "the connection ended before the answer began"),
    "not HTTP": (Answer(raw=b"SSH-2.0-x\r\n\r\n"), ProtocolError, "the answer is not HTTP"),
    "of a length that is none": (Answer(b"abc", length="three"), ProtocolError, "the answer is not HTTP"),
    "of negative length": (Answer(b"abc", length=-3), ProtocolError, "the answer is not HTTP"),
    "of two lengths": (Answer(b"abc", headers={"content-length": "4"}), ProtocolError, "the answer is not HTTP"),
    "of chunks that are none": (
        Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"),
        ProtocolError,
        "the answer is not HTTP",
    ),
    "behind endless headers": (Answer(raw=b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000), ProtocolError, "the answer is not HTTP"),
    "endless": (Answer(endless(), length=None), ProtocolError, "larger than the limit of 1000 bytes"),
    "endless in chunks": (Answer(endless(), chunked=True), ProtocolError, "larger than the limit of 1000 bytes"),
    "one byte too large": (Answer(bytes(1001)), ProtocolError, "larger than the limit of 1000 bytes"),
    "announced as enormous": (Answer(b"abc", length=2**62), ProtocolError, "larger than the limit of 1000 bytes"),
}


@pytest.mark.parametrize(("answer", "error", "message"), BODIES.values(), ids=BODIES)
def test_a_body_is_refused_that_is(answer: Answer, error: type[ToolError], message: str, server: Server) -> None:
    server.answers[URL] = answer
    with pytest.raises(error, match=message):
        get()


def test_a_body_of_just_the_limit_is_taken(server: Server) -> None:
    server.answers[URL] = Answer(bytes(1000))
    assert len(get()) == 1000


def test_a_body_longer_than_announced_ends_where_it_was_announced(server: Server) -> None:
    server.answers[URL] = Answer(b"abcdef", length=3)
    assert get() == b"abc"


def test_a_body_can_be_read_in_small_pieces(server: Server) -> None:
    server.answers[URL] = Answer(b"abcdef")
    with Client() as client, client.open(URL) as body:
        assert body.size == 6
        assert [body.read(4), body.read(4), body.read(4), body.read(4)] == [b"abcd", b"ef", b"", b""]


def test_a_reader_that_waits_can_be_interrupted(server: Server) -> None:
    silent = threading.Event()
    server.answers[URL] = Answer(b"abc", length=10, silent=silent)
    failures: list[BaseException] = []

    def read_all() -> None:
        try:
            while body.read(100):
                pass
        except ToolError as error:
            failures.append(error)

    with Client(settings=Settings(silence_seconds=3600)) as client, client.open(URL) as body:
        assert body.read(3) == b"abc"
        reader = threading.Thread(target=read_all)
        reader.start()
        assert silent.wait(60)
        body.interrupt()
        reader.join(120)  # a thirtieth of what it would wait for a byte
        assert not reader.is_alive()
        body.interrupt()
    assert isinstance(failures[0], UnavailableError)


def test_a_body_that_has_begun_may_take_longer_than_a_head(server: Server) -> None:
    server.answers[URL] = Answer(b"content")
    with Client() as client, client.open(URL) as body:
        assert body._response.extensions["network_stream"]._until is None
        assert body.read(100) == b"content"


def test_a_server_that_is_not_there_cannot_be_reached(server: Server) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody else can take the port, and nobody listens
        with pytest.raises(UnreachableError, match="connection refused"):
            get(f"https://localhost:{deaf.getsockname()[1]}/x")


PROXIES = {
    "of SOCKS": "socks5://127.0.0.1:1",
    "of another scheme": "ftp://127.0.0.1:1",
    "that is no URL": "http://[::1",
    "with a bad port": "http://x:y",
}


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_cannot_be_used_is_bad_configuration(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigError, match="HTTPS_PROXY: names a proxy that cannot be used"):
        get()


def test_a_proxy_that_refuses_is_named(server: Server) -> None:
    server.answers["CONNECT example.com:443"] = Answer(status=403)
    with pytest.raises(UnreachableError, match="the proxy does not lead there: 403"):
        get()


def test_any_location_is_followed_or_refused(server: Server) -> None:
    # Nothing is there to be reached: what matters is that each text ends in an error of ours.
    with Client(plain_http=True) as client:

        @given(st.text(st.sampled_from(":/.@[]%0\\?#ae\n\x00é-_"), max_size=20))
        def follow(location: str) -> None:
            with pytest.raises(ToolError):
                client.get(f"https://localhost:1{location}", 10)

        follow()


PARTS = (
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\n", b"HTTP/9.9 999 \r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n", b"\n"),
    *(
        b"Content-Length: 3\r\n",
        b"Content-Length: 1e9\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Location: /x\r\n",
        b"Location:\r\n",
    ),
    *(
        b"Content-Encoding: \xff\r\n",
        b"Set-Cookie: a=\x80;;=\r\n",
        b"Location: https://[\r\n",
        b"Upgrade: h2c\r\n",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
    ),
)


def test_any_answer_is_a_body_or_an_error_of_ours(server: Server) -> None:
    with Client() as client:

        @settings(max_examples=80)
        @given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), min_size=1, max_size=9))
        def ask(parts: list[bytes]) -> None:
            server.answers[URL] = Answer(raw=b"".join(parts) or b"\0")
            try:
                assert len(client.get(URL, 1000)) <= 1000
            except ToolError as error:
                assert error.exit_code in (69, 76)

        ask()
