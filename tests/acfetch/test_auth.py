"""What `auth.json` may say, for which URLs it counts, and what servers ask for."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.auth import (
    Entry,
    Secret,
    basic_header,
    bearer_header,
    check_password,
    check_token,
    entries_for,
    explain_refusal,
    holds_secrets,
    parse_auth,
    parse_challenges,
)
from acspec.configuration import Said
from acspec.errors import FormatError
from tests.acfetch.configuration import config_file

BASIC = {"basic": {"user": "me", "password": "secret"}}
BEARER = {"bearer": {"token": "secret"}}


def parse(entry: Any, place: str = "example.com") -> Entry:
    found = parse_auth(config_file({place: entry}))[place]
    assert found is not None
    return found


ENTRIES: dict[str, tuple[Any, Entry, list[str]]] = {
    "a password": (BASIC, Entry("me", Secret("secret")), ["basic"]),
    "a token": (BEARER, Entry(token=Secret("secret")), ["bearer"]),
    "both": (
        {**BASIC, **BEARER, "always": True},
        Entry("me", Secret("secret"), Secret("secret"), always=True),
        ["bearer", "basic"],
    ),
    "a password in a file": (
        {"basic": {"user": "me", "passwordFile": "/run/word"}},
        Entry("me", Secret(None, "/run/word")),
        ["basic"],
    ),
    "a token in a file beside": ({"bearer": {"tokenFile": "t/x"}}, Entry(token=Secret(None, "/etc/appc/t/x")), ["bearer"]),
    "letters beyond ASCII": (
        {"basic": {"user": "mé", "password": "wörd: €"}},
        Entry("mé", Secret("wörd: €")),
        ["basic"],
    ),
}


@pytest.mark.parametrize(("values", "entry", "schemes"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_can_answer_the_schemes_it_has_secrets_for(values: Any, entry: Entry, schemes: list[str]) -> None:
    found = parse(values)
    assert found == entry
    assert list(found.schemes) == schemes
    assert holds_secrets([None, found]) is ("File" not in str(values))


def test_no_secret_is_shown() -> None:
    both = parse({**BASIC, **BEARER})
    assert both.to_json() == {"basic": {"user": "me", "password": "…"}, "bearer": {"token": "…"}}
    assert parse({"bearer": {"tokenFile": "/t"}, "always": True}).to_json() == {"bearer": {"tokenFile": "/t"}, "always": True}
    assert "secret" not in repr(both)


def test_null_takes_an_entry_away() -> None:
    assert parse_auth(config_file({"example.com": None})) == {"example.com": None}


BAD: dict[str, tuple[Any, str]] = {
    "nothing": ({}, 'has neither "basic" nor "bearer"'),
    "only always": ({"always": True}, 'has neither "basic" nor "bearer"'),
    "no user": ({"basic": {"password": "secret"}}, "example.com.basic.user: is required"),
    "no password": ({"basic": {"user": "me"}}, 'example.com.basic: needs one of "password" and "passwordFile"'),
    "two passwords": ({"basic": {"user": "me", "password": "secret", "passwordFile": "x"}}, "needs one of"),
    "no token": ({"bearer": {}}, 'example.com.bearer: needs one of "token" and "tokenFile"'),
    "a colon in the user": ({"basic": {"user": "m:e", "password": "secret"}}, "user: is not the name of a user"),
    "an empty password": ({"basic": {"user": "me", "password": ""}}, "password: is not a password"),
    "a line feed in the password": ({"basic": {"user": "me", "password": "secret\r\nX: y"}}, "password: is not a password"),
    "a line feed in the token": ({"bearer": {"token": "secret\r\nX: y"}}, "token: is not a token"),
    "a space in the token": ({"bearer": {"token": "secret secret"}}, "token: is not a token"),
    "a token that is no text": ({"bearer": {"token": ["secret"]}}, "token: is not a string"),
    "a password at the wrong place": ({"user": "me", "password": "secret"}, "example.com.user: is not known"),
    "a typo": ({"basic": {"user": "me", "pasword": "secret"}}, r'pasword: is not known \("password" is\)'),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
def test_an_entry_is_refused_with(values: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        parse(values)
    assert caught.value.what.startswith("/etc/appc/x.json")
    assert "secret" not in str(caught.value)


PLACES = ["example.com", "example.com/a", "example.com/a/b", "example.com:8443", "[::1]", "[::1]:8443/x", "localhost", "10.0.0.1"]
NO_PLACES = {
    "a URL": "https://example.com",
    "a port that goes without saying": "example.com:443",
    "an empty port": "example.com:",
    "capitals": "Example.com",
    "a slash at the end": "example.com/a/",
    "a query": "example.com/?x",
    "an empty query": "example.com?",
    "a fragment": "example.com#x",
    "a user": "me:secret@example.com",
    "two dots": "example.com/../x",
    "nothing": "",
    "everything": "*",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_of_an_entry_is_accepted(place: str) -> None:
    assert parse(BASIC, place).user == "me"


@pytest.mark.parametrize("place", NO_PLACES.values(), ids=NO_PLACES)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(FormatError, match=r"x\.json: .* is no place of the form HOST\[:PORT\]\[/PATH\]") as caught:
        parse(BASIC, place)
    assert "secret" not in str(caught.value)


URLS = {
    "https://example.com": ["example.com"],
    "https://example.com/": ["example.com"],
    "https://EXAMPLE.com:443/a": ["example.com/a", "example.com"],
    "https://example.com/a/b/c?d": ["example.com/a/b", "example.com/a", "example.com"],
    "https://example.com/a/bc": ["example.com/a", "example.com"],
    "https://example.com/ab?x=/a": ["example.com"],
    "https://example.com//a": ["example.com"],
    "https://example.com:8443/a": ["example.com:8443"],
    "https://example.com:84430/a": [],
    "https://www.example.com/a": [],
    "https://example.com.evil.example/a": [],
    "https://example.comm/a": [],
    "https://example.com./a": [],
    "http://example.com/a": [],
    "http://example.com:443/a": [],
    "https://[::1]:8443/x/y": ["[::1]:8443/x"],
}


@pytest.mark.parametrize(("url", "places"), URLS.items())
def test_entries_count_for_their_place_and_what_is_below_it_the_longest_first(url: str, places: list[str]) -> None:
    entries = {place: Said(parse(BASIC), "x") for place in PLACES}
    assert [place for place, _ in entries_for(url, entries)] == places


CHALLENGES: dict[str, tuple[list[str], set[str]]] = {
    "nothing": ([], set()),
    "basic": (['Basic realm="x"'], {"basic"}),
    "a scheme alone": (["Negotiate"], {"negotiate"}),
    "a scheme with a token": (["Negotiate abc=="], {"negotiate"}),
    "two in one header": (['Bearer realm="x", scope="a b", Basic realm="y", charset="UTF-8"'], {"bearer", "basic"}),
    "two headers": (['bearer realm="x"', "BASIC"], {"bearer", "basic"}),
    "commas in a realm": (['Basic realm="a, Bearer b, c"'], {"basic"}),
    "escapes in a realm": (['Basic realm="a\\", Bearer b"'], {"basic"}),
    "spaces around a sign": (['Basic realm = "x", charset = "y"'], {"basic"}),
    "an open string": (['Basic realm="x, Bearer y'], {"basic"}),
    "nonsense": (["=, ,=x, \x00 y", ""], set()),
}


@pytest.mark.parametrize(("headers", "schemes"), CHALLENGES.values(), ids=CHALLENGES)
def test_a_challenge_asks_for_its_schemes(headers: list[str], schemes: set[str]) -> None:
    assert parse_challenges(headers) == schemes


@given(st.lists(st.text(st.sampled_from('Basicerl ",=\\\t\xff'), max_size=20)))
def test_any_challenge_asks_for_schemes_with_names(headers: list[str]) -> None:
    for scheme in parse_challenges(headers):
        assert scheme
        assert not set(scheme) & set(' ",=\\\t\xff')


texts = st.text(max_size=10)


@given(texts, texts)
def test_what_is_sent_is_one_line_of_a_header(user: str, password: str) -> None:
    try:
        entry = parse({"basic": {"user": user, "password": password}})
    except FormatError:
        return
    header = basic_header(entry.user or "", password)
    assert header.isascii()
    assert header.isprintable()
    assert b64decode(header.removeprefix("Basic ")).decode().partition(":") == (user, ":", check_password(password, "x"))


@given(st.text(st.sampled_from("aZ0-._~+/= \r\n:é"), max_size=8))
def test_a_token_is_sent_as_it_is_or_refused(token: str) -> None:
    try:
        header = bearer_header(check_token(token, "x"))
    except FormatError:
        return
    assert header == f"Bearer {token}"
    assert header.isascii()
    assert header.isprintable()


HINTS = {
    "not found": ((404, [], None), None),
    "asked for a password": ((401, ["basic"], None), "it asks for basic credentials; auth.json or netrc says which"),
    "asked for a token": ((401, ["bearer", "negotiate"], None), "it asks for bearer credentials; auth.json says which"),
    "asked for something else": ((401, ["negotiate"], None), "it asks for negotiate, which acfetch does not speak"),
    "asked for nothing": ((401, [], None), 'it asks for no credentials; "always" in auth.json sends some unasked'),
    "forbidden": ((403, [], None), 'it asks for no credentials; "always" in auth.json sends some unasked'),
    "told in vain": ((401, ["basic"], "/x"), "the credentials in /x did not help"),
    "told and forbidden": ((403, [], "/x"), "the credentials in /x did not help"),
}


@pytest.mark.parametrize(("given_", "hint"), HINTS.values(), ids=HINTS)
def test_a_refusal_is_explained(given_: Any, hint: str | None) -> None:
    assert explain_refusal(*given_) == hint
