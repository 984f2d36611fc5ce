"""Credentials over real TLS: sent when asked for, where they belong, and nowhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acfetch.credentials import Credentials
from acfetch.errors import HTTPStatusError
from acfetch.http import Client
from acspec.errors import ConfigError, ToolError
from tests.support.server import Answer, Request, Server, redirect

HOST = "https://example.com"
URL = f"{HOST}/private/file"
SECRET = {"basic": {"user": "me", "password": "word"}}
TOKEN = {"bearer": {"token": "t0ken"}}
AS_ME = f"Basic {b64encode(b'me:word').decode()}"
AS_BEARER = "Bearer t0ken"


def asking(*challenges: str, wanted: str, then: Answer | None = None) -> Callable[[Request], Answer]:
    """Return who gives *then* to those who say *wanted*, and asks all others."""

    def decide(request: Request) -> Answer:
        if request.headers.get("authorization") == wanted:
            return then or Answer(b"for you")
        return Answer(b"who?", status=401, headers={"WWW-Authenticate": ", ".join(challenges)} if challenges else {})

    return decide


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Client]:
    """Give the test a way to make clients with an `auth.json`."""

    def make(entries: dict[str, Any], **options: bool) -> Client:
        file = tmp_path / "auth.json"
        file.write_text(json.dumps(entries))
        file.chmod(0o600)
        return Client(credentials=Credentials([str(tmp_path)]), **options)

    return make


def said(server: Server) -> list[tuple[str, str | None]]:
    """Return what was asked for, and what was said of who asks."""
    return [(request.url, request.headers.get("authorization")) for request in server.requests]


def test_who_asks_is_told_and_from_then_on_unasked(server: Server, configured: Callable[..., Client]) -> None:
    server.decisions[URL] = server.decisions[f"{URL}.asc"] = asking('Basic realm="x"', wanted=AS_ME)
    server.answers[f"{HOST}/public"] = Answer(b"for all")
    with configured({"example.com/private": SECRET}) as client:
        assert client.get(URL, 99) == client.get(f"{URL}.asc", 99) == b"for you"
        assert client.get(f"{HOST}/public", 99) == b"for all"
    assert said(server) == [(URL, None), (URL, AS_ME), (f"{URL}.asc", AS_ME), (f"{HOST}/public", None)]


def test_nobody_is_told_who_does_not_ask(server: Server, configured: Callable[..., Client]) -> None:
    server.answers[URL] = Answer(b"for all")
    with configured({"example.com": {**SECRET, **TOKEN}}) as client:
        client.get(URL, 99)
    assert said(server) == [(URL, None)]


def test_what_is_to_be_sent_always_is_sent_at_once_and_below_its_place_only(
    server: Server, configured: Callable[..., Client]
) -> None:
    server.answers[URL] = server.answers[f"{HOST}/privately"] = Answer(b"x")
    with configured({"example.com/private": {**TOKEN, "always": True}}) as client:
        client.get(URL, 99)
        client.get(f"{HOST}/privately", 99)
    assert said(server) == [(URL, AS_BEARER), (f"{HOST}/privately", None)]


SCHEMES: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "a token where a token is asked for": ({**SECRET, **TOKEN}, ("Bearer",), AS_BEARER),
    "a password where a password is asked for": ({**SECRET, **TOKEN}, ('Basic realm="Bearer x"',), AS_ME),
    "a token where either will do": ({**SECRET, **TOKEN}, ("Basic", "Bearer"), AS_BEARER),
    "a password where there is no token": (SECRET, ("Bearer", "Negotiate", "Basic"), AS_ME),
    "a password after one that was not asked for": ({**SECRET, **TOKEN, "always": True}, ("Basic",), AS_ME),
}


@pytest.mark.parametrize(("entry", "challenges", "wanted"), SCHEMES.values(), ids=SCHEMES)
def test_the_server_s_challenge_decides_which_credential_is_sent(
    entry: dict[str, Any], challenges: tuple[str, ...], wanted: str, server: Server, configured: Callable[..., Client]
) -> None:
    server.decisions[URL] = asking(*challenges, wanted=wanted)
    with configured({"example.com": entry}) as client:
        assert client.get(URL, 99) == b"for you"
    assert len(server.requests) == 2


def test_the_longest_place_that_has_what_is_asked_for_wins(server: Server, configured: Callable[..., Client]) -> None:
    near = {"basic": {"user": "near", "password": "word"}}
    server.decisions[URL] = asking("Basic", wanted=f"Basic {b64encode(b'near:word').decode()}")
    server.decisions[f"{URL}2"] = asking("Bearer", wanted=AS_BEARER)
    with configured({"example.com": {**SECRET, **TOKEN}, "example.com/private": near}) as client:
        assert client.get(URL, 99) == client.get(f"{URL}2", 99) == b"for you"


def test_secrets_may_lie_in_files_of_their_own(server: Server, configured: Callable[..., Client], tmp_path: Path) -> None:
    (tmp_path / "word").write_text("word\nand more\n")
    (tmp_path / "word").chmod(0o600)
    server.decisions[URL] = asking("Basic", wanted=AS_ME)
    with configured({"example.com": {"basic": {"user": "me", "passwordFile": "word"}}}) as client:
        assert client.get(URL, 99) == b"for you"


# Redirects


ELSEWHERE = {
    "another host": "https://www.example.com/private/file",
    "a host with the name at its end": "https://notexample.com/private/file",
    "a host with the name at its beginning": "https://example.com.evil.example/private/file",
    "another port": "https://example.com:8443/private/file",
    "another path": "https://example.com/public/file",
    "plain http": "http://example.com/private/file",
    "plain http on the port of https": "http://example.com:443/private/file",
}


@pytest.mark.parametrize("always", [False, True], ids=["asked", "unasked"])
@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_redirect_carries_credentials_to(
    url: str, always: bool, server: Server, configured: Callable[..., Client], own_home: Path
) -> None:
    (own_home / ".netrc").write_text("default login any password any\nmachine example.co login x password y\n")
    (own_home / ".netrc").chmod(0o600)
    server.decisions[URL] = asking("Basic", wanted=AS_ME, then=redirect(url))
    server.decisions[url] = asking("Basic", "Bearer", wanted="nothing will do")
    with configured({"example.com/private": {**SECRET, "always": always}}, plain_http=True) as client:
        with pytest.raises(HTTPStatusError, match="the server answered 401"):
            client.get(URL, 99)
        with pytest.raises(HTTPStatusError, match="the server answered 401"):
            client.get(URL, 99)  # also when the first place is known to want them
    assert [who for place, who in said(server) if place == url] == [None, None]
    assert [who for place, who in said(server) if place == URL][-1] == AS_ME
    assert not [connect for connect in server.connects if {"authorization", "proxy-authorization"} & set(connect.headers)]


def test_each_place_on_the_way_is_told_its_own(server: Server, configured: Callable[..., Client]) -> None:
    there = "https://cdn.example.net/file"
    server.decisions[URL] = asking("Basic", wanted=AS_ME, then=redirect(there))
    server.decisions[there] = asking("Bearer", wanted=AS_BEARER)
    with configured({"example.com": SECRET, "cdn.example.net": TOKEN}) as client:
        assert client.get(URL, 99) == b"for you"
    assert said(server) == [(URL, None), (URL, AS_ME), (there, None), (there, AS_BEARER)]


def test_a_redirect_back_is_told_again(server: Server, configured: Callable[..., Client]) -> None:
    server.decisions[URL] = asking("Basic", wanted=AS_ME, then=redirect("https://www.example.com/x"))
    server.answers["https://www.example.com/x"] = redirect(f"{URL}2")
    server.decisions[f"{URL}2"] = asking("Basic", wanted=AS_ME)
    with configured({"example.com": SECRET}) as client:
        assert client.get(URL, 99) == b"for you"
    assert said(server)[-2:] == [("https://www.example.com/x", None), (f"{URL}2", AS_ME)]


# What is not sent


def test_over_plain_http_nothing_is_sent(server: Server, configured: Callable[..., Client]) -> None:
    plain = URL.replace("https", "http")
    server.decisions[plain] = asking("Basic", wanted=AS_ME)
    with (
        configured({"example.com": {**SECRET, "always": True}}, plain_http=True) as client,
        pytest.raises(HTTPStatusError, match=r"answered 401 \(no credentials are sent over plain http\)"),
    ):
        client.get(plain, 99)
    assert said(server) == [(plain, None)]


def test_to_a_server_whose_certificate_nobody_checked_nothing_is_sent(server: Server, configured: Callable[..., Client]) -> None:
    server.decisions[URL] = asking("Basic", wanted=AS_ME)
    with (
        configured({"example.com": {**SECRET, "always": True}}, any_certificate=True) as client,
        pytest.raises(HTTPStatusError, match=r"answered 401 \(no credentials are sent with --insecure-options=tls\)"),
    ):
        client.get(URL, 99)
    assert said(server) == [(URL, None)]


REFUSALS: dict[str, tuple[dict[str, Any], Answer, int, str]] = {
    "without any, asked for a password": (
        {},
        Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}),
        1,
        "answered 401 (it asks for basic credentials; auth.json or netrc says which)",
    ),
    "without those that are asked for": (
        {"example.com": SECRET},
        Answer(status=401, headers={"WWW-Authenticate": "Bearer"}),
        1,
        "answered 401 (it asks for bearer credentials; auth.json says which)",
    ),
    "with the wrong ones": (
        {"example.com": SECRET},
        Answer(status=401, headers={"WWW-Authenticate": "Basic"}),
        2,
        "answered 401 (the credentials in {} did not help)",
    ),
    "with nothing that was asked for": (
        {"example.com": SECRET},
        Answer(status=403),
        1,
        'answered 403 (it asks for no credentials; "always" in auth.json sends some unasked)',
    ),
    "with those that are sent always": (
        {"example.com": {**SECRET, "always": True}},
        Answer(status=403),
        1,
        "answered 403 (the credentials in {} did not help)",
    ),
}


@pytest.mark.parametrize(("entries", "answer", "asked", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_to_do(
    entries: dict[str, Any],
    answer: Answer,
    asked: int,
    message: str,
    server: Server,
    configured: Callable[..., Client],
    tmp_path: Path,
) -> None:
    server.answers[URL] = answer
    with configured(entries) as client, pytest.raises(HTTPStatusError) as caught:
        client.get(URL, 99)
    assert str(caught.value).endswith(message.format(tmp_path / "auth.json"))
    assert len(server.requests) == asked
    assert "word" not in str(caught.value)


def test_a_server_that_asks_for_ever_is_asked_twice(server: Server, configured: Callable[..., Client]) -> None:
    server.answers[URL] = Answer(status=401, headers={"WWW-Authenticate": "Basic, Bearer"})
    with configured({"example.com": {**SECRET, **TOKEN}}) as client, pytest.raises(HTTPStatusError):
        client.get(URL, 99)
    assert len(server.requests) == 2


def test_what_was_refused_is_not_sent_a_second_time(server: Server, configured: Callable[..., Client]) -> None:
    server.answers[URL] = Answer(status=401, headers={"WWW-Authenticate": "Bearer"})
    with configured({"example.com": {**TOKEN, "always": True}}) as client, pytest.raises(HTTPStatusError, match="did not help"):
        client.get(URL, 99)
    assert said(server) == [(URL, AS_BEARER)]


# netrc


def test_netrc_is_for_those_whom_auth_json_does_not_mention(
    server: Server, configured: Callable[..., Client], own_home: Path
) -> None:
    (own_home / ".netrc").write_text("machine www.example.com login me password word\nmachine example.com login no password no\n")
    (own_home / ".netrc").chmod(0o600)
    www = "https://www.example.com/x"
    for url in (URL, www, f"{www}.asc"):
        server.decisions[url] = asking("Basic", wanted=AS_ME)
    with configured({"example.com": SECRET}) as client:
        assert [client.get(url, 99) for url in (URL, www, f"{www}.asc")] == [b"for you"] * 3
    assert said(server)[2:] == [(www, None), (www, AS_ME), (f"{www}.asc", AS_ME)]


def test_netrc_has_no_tokens_and_no_ports_but_those_it_names(
    server: Server, configured: Callable[..., Client], own_home: Path
) -> None:
    (own_home / ".netrc").write_text("machine example.com login me password word\nmachine a.b:8443 login me password word")
    (own_home / ".netrc").chmod(0o600)
    server.decisions[URL] = asking("Bearer", wanted=AS_ME)
    other, named = "https://example.com:8443/x", "https://a.b:8443/x"
    server.decisions[other] = server.decisions[named] = asking("Basic", wanted=AS_ME)
    with configured({}) as client:
        for url in (URL, other):
            with pytest.raises(HTTPStatusError):
                client.get(url, 99)
        assert client.get(named, 99) == b"for you"
    assert [who for _, who in said(server)] == [None, None, None, AS_ME]


def test_bad_configuration_is_told_when_it_matters(server: Server, configured: Callable[..., Client], own_home: Path) -> None:
    (own_home / ".netrc").write_text("machine example.com login me password word extra")
    server.answers[URL] = Answer(b"x")
    server.decisions[f"{URL}2"] = asking("Basic", wanted=AS_ME)
    with configured({}) as client:
        assert client.get(URL, 99) == b"x"
        with pytest.raises(ConfigError, match=r"\.netrc:1: neither machine"):
            client.get(f"{URL}2", 99)
    with configured({"example.com": {"password": "x"}}) as client, pytest.raises(ToolError, match="is not known"):
        client.get(URL, 99)
