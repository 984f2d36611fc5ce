"""Templates into URLs: what is substituted, what is encoded, what is refused."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acfetch.errors import TransportRefusedError
from acfetch.templates import IMAGE, SIGNATURE, check_url, render, variables_in, why_unusable

VALUES = {"name": "example.com/reduce-worker", "version": "1.0.0", "os": "linux", "arch": "amd64"}
TEMPLATE = "https://storage.example.com/{os}/{arch}/{name}-{version}.{ext}"


def test_the_example_of_the_specification() -> None:
    url = "https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0"
    assert render(TEMPLATE, VALUES, IMAGE) == f"{url}.aci"
    assert render(TEMPLATE, VALUES, SIGNATURE) == f"{url}.aci.asc"


VERSIONS = {
    "../../x": "..%2F..%2Fx",
    "{ext}": "%7Bext%7D",
    "%2e%2e": "%252e%252e",
    "a?b#c": "a%3Fb%23c",
    "1\r\nHost: evil.example": "1%0D%0AHost%3A%20evil.example",
    "é": "%C3%A9",
    "1.0+git@x&y=z:/": "1.0%2Bgit%40x%26y%3Dz%3A%2F",
}


@pytest.mark.parametrize(("version", "encoded"), VERSIONS.items())
def test_a_label_stays_in_its_place(version: str, encoded: str) -> None:
    assert (
        render("https://example.com/{version}.{ext}", {**VALUES, "version": version}, IMAGE) == f"https://example.com/{encoded}.aci"
    )


def test_nothing_is_substituted_twice_and_no_label_replaces_ext() -> None:
    values = {**VALUES, "version": "{name}", "ext": "exe", "{name}": "x"}
    assert render("https://a/{version}/{ext}", values, IMAGE) == "https://a/%7Bname%7D/aci"


def test_further_labels_are_variables_too() -> None:
    assert why_unusable("https://a/{channel}.{ext}", VALUES) == "it has the unknown variable {channel}"
    assert why_unusable("https://a/{channel}.{ext}", {**VALUES, "channel": "beta"}) is None


UNUSABLE = {
    "https://a/{name}": "it has no {ext}",
    "https://a/{name}.{ext}{": "it has the unknown variable {{}",
    "https://a/{}.{ext}": "it has the unknown variable {}",
    "https://a/{{name}}.{ext}": "it has the unknown variable {{}",
    "https://a/{Name}.{ext}": "it has the unknown variable {Name}",
    "https://a/{name }.{ext}": "it has the unknown variable {name }",
    "https://a/{+name}.{ext}": "it has the unknown variable {+name}",
}


@pytest.mark.parametrize(("template", "reason"), UNUSABLE.items())
def test_a_template_is_unusable(template: str, reason: str) -> None:
    assert why_unusable(template, VALUES) == reason


REFUSED = {
    "user information": "https://user:word@example.com/a",
    "user information without a word": "https://example.com@evil.example/",
    "a dot segment": "https://example.com/a/./b",
    "two dots": "https://example.com/../a",
    "two dots at the end": "https://example.com/a/..",
    "encoded dots": "https://example.com/%2e%2E/a",
    "half encoded dots": "https://example.com/.%2e/a",
    "a space": "https://example.com/a b",
    "a line feed": "https://example.com/a\n",
    "a carriage return": "https://example.com\r/a",
    "a tab": "https://exam\tple.com/a",
    "a zero byte": "https://example.com/\0",
    "a backslash": "https://example.com\\@evil.example/",
    "letters beyond ASCII": "https://exämple.com/a",
    "a control character": "https://example.com/\x9b31m",
    "port 0": "https://example.com:0/a",
    "a port that is none": "https://example.com:99999/a",
    "a port of letters": "https://example.com:https/a",
    "no host": "https:///a",
    "an encoded host": "https://example.com%2f.evil.example/a",
    "a host with braces": "https://{name}/a",
    "an address that is none": "https://[::1/a",
    "an address with a zone": "https://[fe80::1%25eth0]/a",
    "two dots in the host": "https://example..com/a",
    "a part of the host over 63 letters": f"https://{'a' * 64}.com/a",
    "a host over 253 letters": f"https://{'.'.join(['a' * 50] * 6)}/a",
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_a_url_is_refused_with(url: str) -> None:
    with pytest.raises(TransportRefusedError) as caught:
        check_url(url)
    assert caught.value.what == re.sub(r"//[^/]*@", "//…@", url)


@pytest.mark.parametrize("end", ["", " x", ":x/", "/../", "?\\"])
def test_a_password_in_a_url_is_not_shown(end: str) -> None:
    with pytest.raises(TransportRefusedError) as caught:
        check_url(f"https://user:word@example.com{end}")
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://EXAMPLE.com:8443/a..b/...?x=../y#z",
        "https://[::1]:443/a",
        "https://10.0.0.1/%2f",
        "https://a_b.example./",
    ],
)
def test_a_url_is_taken(url: str) -> None:
    check_url(url)


def test_two_dots_as_a_whole_segment_are_refused_even_as_a_label() -> None:
    with pytest.raises(TransportRefusedError, match=r"its path has \. or \.\. in it"):
        render("https://example.com/{version}/a.{ext}", {**VALUES, "version": ".."}, IMAGE)


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_labels_are_host_and_shape_of_the_url_stay(version: str, arch: str) -> None:
    assume(version not in (".", ".."))
    url = render("https://example.com/x/{version}/y-{arch}.{ext}", {**VALUES, "version": version, "arch": arch}, IMAGE)
    parts = urlsplit(url)
    assert (parts.netloc, parts.query, parts.fragment) == ("example.com", "", "")
    empty, x, segment, last = parts.path.split("/")
    assert (empty, x, unquote(segment), unquote(last)) == ("", "x", version, f"y-{arch}.aci")


@given(st.text(st.sampled_from("{}aext."), max_size=20))
def test_any_text_is_a_template_or_unusable(text: str) -> None:
    if why_unusable(text, {"a": "1", "": "2"}) is None:
        assert set(variables_in(text)) <= {"a", "", "ext"}
        with pytest.raises(TransportRefusedError):  # no such text is a URL
            render(text, {"a": "1", "": "2"}, IMAGE)


@given(st.text(st.sampled_from("htps:/@[]%.#?\\ae\n\x00é0"), max_size=30))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        check_url(f"https://{text}")
    except TransportRefusedError:
        return
    assert urlsplit(f"https://{text}").hostname
