"""From a name to templates, over real TLS: which pages are asked, and which tags count."""

from __future__ import annotations

import pytest

from acfetch.discovery import Found, discover
from acfetch.errors import DiscoveryError, HTTPStatusError, TransportRefusedError, UnreachableError
from acfetch.http import Client
from acspec import limits
from acspec.errors import ProtocolError
from tests.acfetch.customer import page
from tests.support.server import Answer, Server, endless, redirect

NAME = "example.com/project/sub"
PAGES = tuple(f"https://{path}?ac-discovery=1" for path in ("example.com/project/sub", "example.com/project", "example.com/"))
T = "https://a.b/{name}.{ext}"


def find(name: str = NAME) -> Found:
    with Client() as client:
        return discover(client, name)


def test_the_first_page_is_that_of_the_name_itself(server: Server) -> None:
    for number, url in enumerate(PAGES):
        server.answers[url] = page(("example.com", f"https://{number}/{{ext}}"))
    assert find().templates == ("https://0/{ext}",)
    assert server.asked == [PAGES[0]]


NOT_HERE = {
    "404": Answer(status=404),
    "401": Answer(status=401, headers={"WWW-Authenticate": "Basic"}),
    "410 with tags": Answer(page(("example.com", "https://no/{ext}")).body, status=410),
    "no tags": Answer(b"<p>nothing"),
    "an empty page": Answer(b""),
    "tags for keys only": page(("example.com", "https://a.b/keys"), kind="ac-discovery-pubkeys"),
    "tags for another domain": page(("example.org", T)),
    "tags for a longer name": page(("example.com/project/sub/sub", T)),
    "a prefix of the text only": page(("example.com/project/su", T)),
    "a prefix of the domain's text": page(("exam", T)),
    "a prefix that is only a slash": page(("/", T)),
    "a prefix in capitals": page(("Example.com", T)),
}


@pytest.mark.parametrize("answer", NOT_HERE.values(), ids=NOT_HERE)
def test_the_parent_is_asked_after(answer: Answer, server: Server) -> None:
    server.answers[PAGES[0]] = server.answers[PAGES[1]] = answer
    server.answers[PAGES[2]] = page(("example.com", T))
    found = find()
    assert found.templates == (T,)
    assert server.asked == list(PAGES)
    assert len(found.walk) == 3


def test_the_nearest_page_with_tags_for_the_name_decides(server: Server) -> None:
    server.answers[PAGES[1]] = page(
        ("example.org", "https://no/{ext}"), ("example.com/project", T), ("example.com/project/", "https://2/{ext}")
    )
    server.answers[PAGES[2]] = page(("example.com", "https://no/{ext}"))
    assert find().templates == (T, "https://2/{ext}")
    assert server.asked == list(PAGES[:2])


def test_key_urls_come_along_for_the_name_only(server: Server) -> None:
    tags = b'<meta name="ac-discovery-pubkeys" content="%s https://a.b/%s">'
    body = page(("example.com", T)).body
    assert isinstance(body, bytes)
    server.answers[PAGES[0]] = Answer(body + tags % (b"example.com", b"1") + tags % (b"example.org", b"2"))
    assert find().key_urls == ("https://a.b/1",)


def test_when_nobody_has_tags_the_whole_walk_is_told(server: Server) -> None:
    server.answers[PAGES[1]] = page(("example.org", T))
    server.answers[PAGES[2]] = Answer(b"<p>")
    with pytest.raises(DiscoveryError) as caught:
        find()
    assert str(caught.value) == (
        "example.com/project/sub: cannot be discovered: example.com/project/sub answered 404; "
        "example.com/project has tags for other names only; example.com has no ac-discovery tags"
    )


@pytest.mark.parametrize("status", [500, 503, 204, 304])
def test_a_server_that_fails_ends_the_search(status: int, server: Server) -> None:
    server.answers[PAGES[0]] = Answer(status=status, length=None)
    server.answers[PAGES[2]] = page(("example.com", T))
    with pytest.raises(HTTPStatusError, match=f"sub.ac-discovery=1: the server answered {status}"):
        find()
    assert server.asked == [PAGES[0]]


BROKEN: dict[str, tuple[Answer, type[Exception]]] = {
    "breaks off": (Answer(b"<meta", length=100), UnreachableError),
    "breaks off before it begins": (Answer(raw=b"HTTP/1.1"), UnreachableError),
    "talks something else": (Answer(raw=b"220 ready\r\n\r\n"), ProtocolError),
    "sends an endless page": (Answer(endless(), length=None), ProtocolError),
    "announces a page too large": (Answer(b"", length=limits.DISCOVERY_PAGE_BYTES + 1), ProtocolError),
    "compresses the page": (Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), ProtocolError),
    "leads to plain http": (redirect("http://example.com/project/sub?ac-discovery=1"), TransportRefusedError),
}


@pytest.mark.parametrize(("answer", "error"), BROKEN.values(), ids=BROKEN)
def test_the_search_ends_where_a_server(answer: Answer, error: type[Exception], server: Server) -> None:
    server.answers[PAGES[0]] = answer
    server.answers[PAGES[2]] = page(("example.com", T))
    with pytest.raises(error):
        find()
    assert server.asked == [PAGES[0]]


def test_redirects_are_followed(server: Server) -> None:
    server.answers[PAGES[0]] = redirect("https://www.example.com/elsewhere")
    server.answers["https://www.example.com/elsewhere"] = page(("example.com", T))
    assert find().templates == (T,)


def test_a_page_of_just_the_limit_is_read(server: Server) -> None:
    body = page(("example.com", T)).body
    assert isinstance(body, bytes)
    server.answers[PAGES[0]] = Answer(body.ljust(limits.DISCOVERY_PAGE_BYTES))
    assert find().templates == (T,)


@pytest.mark.parametrize("name", ["a" * 64 + ".com/x", "exa~mple.com/x"])
def test_a_name_whose_domain_no_resolver_takes_is_refused(name: str, server: Server) -> None:
    with pytest.raises(TransportRefusedError, match="names no host that can be asked"):
        find(name)
