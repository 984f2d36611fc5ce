"""What a word asks for, and where that may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.errors import DiscoveryError, TransportRefusedError
from acfetch.http import Client
from acfetch.request import Place, Request, parse_request, request_for
from acfetch.sources import get_places
from acspec.errors import UsageError
from acspec.image_manifest import parse_image_manifest
from tests.acfetch.customer import ARCH, PAGE, manifest, page
from tests.support.server import Server

ID = "sha512-" + "0" * 128


def test_a_name_with_labels_and_id() -> None:
    request = parse_request(f"example.com/app:1.2,os=linux,channel=beta@{ID}")
    assert (request.name, request.image_id, request.place) == ("example.com/app", ID, None)
    assert request.labels == {"version": "1.2", "os": "linux", "channel": "beta"}


def test_a_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")
    assert parse_request("./x.aci").place == Place("/tmp/x.aci", "/tmp/x.aci.asc", is_local=True)
    assert parse_request("/a/../b").place == Place("/b", "/b.asc", is_local=True)


FILES = {"file:///tmp/a%20b.aci": "/tmp/a b.aci", "file://localhost/x": "/x", "FILE:///x": "/x", "file:///%ff": "/\udcff"}


@pytest.mark.parametrize(("url", "path"), FILES.items())
def test_a_file_url_is_a_path(url: str, path: str) -> None:
    assert parse_request(url).place == Place(path, f"{path}.asc", is_local=True)


def test_an_https_url_is_a_place() -> None:
    url = "https://example.com:8443/a.aci?token=1"
    assert parse_request(url).place == Place(url, f"{url}.asc")


USAGE = {
    "a file: URL of another machine": "file://example.com/x.aci",
    "a file: URL with a zero byte": "file:///x%00.aci",
    "a file: URL with a query": "file:///x?y",
    "a file: URL that is none": "file://[",
    "another scheme": "ftp://example.com/x.aci",
    "no scheme": "://example.com",
    "a URL with user information": "https://me:word@example.com/x.aci",
    "a URL with a fragment": "https://example.com/x.aci#y",
    "a URL with two dots": "https://example.com/../x.aci",
    "a URL without a host": "https:///x.aci",
    "a URL with a zone": "https://[fe80::1%25eth0]/x",
    "an ID alone": ID,
    "a short ID": "sha512-abcdef",
    "a label twice": "example.com/app:1,version=2",
    "a label without a value": "example.com/app,version=",
    "nothing": "",
    "a name in capitals": "Example.com/app",
    "a short ID behind a name": "example.com/app@sha512-abcdef012345",
}


@pytest.mark.parametrize("text", USAGE.values(), ids=USAGE)
def test_a_word_is_a_usage_error_that_is(text: str) -> None:
    with pytest.raises(UsageError):
        parse_request(text)


@given(st.text(st.sampled_from("abf:/.@,=%0?#[]\udcff\x00é-"), max_size=25), st.sampled_from(["", "https://", "file://", "a.b/c"]))
def test_any_word_is_a_request_or_a_usage_error(text: str, start: str) -> None:
    try:
        request = parse_request(start + text)
    except UsageError:
        return
    assert (request.name is None) is (request.place is not None)


def dependency(name: str, **fields: Any) -> Request:
    parsed = parse_image_manifest(manifest(dependencies=[{"imageName": name, **fields}]), "manifest")
    return request_for(parsed.dependencies[0])


def test_a_dependency_is_a_request() -> None:
    request = dependency("a.b/lib", imageID=ID, labels=[{"name": "version", "value": "x"}], size=7)
    assert (request.text, request.name, request.image_id, request.size) == ("a.b/lib:x", "a.b/lib", ID, 7)


def test_requests_are_one_when_they_ask_for_the_same() -> None:
    assert parse_request("a.b/c,version=1,os=linux").key == parse_request("a.b/c,os=linux,version=1").key
    tricky = dependency("a.b/c", labels=[{"name": "version", "value": "1,os=linux"}])
    assert parse_request("a.b/c:1,os=linux").text == tricky.text
    assert parse_request("a.b/c,version=1,os=linux").key != tricky.key
    assert dependency("a.b/c", size=1).key != dependency("a.b/c", size=2).key
    assert parse_request("x.aci").text == dependency("x.aci").text
    assert parse_request("x.aci").key != dependency("x.aci").key


def places(server: Server, text: str, *templates: str, plain_http: bool = False) -> tuple[list[str], list[str]]:
    server.answers[PAGE] = page(*(("example.com", template) for template in templates))
    server.answers["https://example.com/app?ac-discovery=1"] = server.answers[PAGE]
    told: list[str] = []
    with Client() as client:
        found = get_places(parse_request(text), client, plain_http=plain_http, tell=told.append)
    assert all(place.signature == f"{place.image}.asc" and not place.is_local for place in found)
    return [place.image for place in found], told


def test_defaults_fill_the_template_and_labels_replace_them(server: Server) -> None:
    template = "https://a.b/{version}/{os}/{arch}/{name}.{ext}"
    assert places(server, "example.com/app", template)[0] == [f"https://a.b/latest/linux/{ARCH}/example.com/app.aci"]
    assert places(server, "example.com/app:1,arch=z,os=y", template)[0] == ["https://a.b/1/y/z/example.com/app.aci"]


def test_templates_keep_their_order_and_unusable_ones_are_told(server: Server) -> None:
    found, told = places(
        server,
        "example.com/app",
        "hdfs://a.b/{name}.{ext}",
        "https://one.b/{name}.{ext}",
        "https://a.b/{name}",
        "https://a.b/{colour}.{ext}",
        "http://a.b/{name}.{ext}",
        "file:///srv/{name}.{ext}",
        "a.b/{name}.{ext}",
        "https://two.b/{name}.{ext}",
    )
    assert found == ["https://one.b/example.com/app.aci", "https://two.b/example.com/app.aci"]
    assert told == [
        "example.com/app: left out template hdfs://a.b/{name}.{ext}: "
        'its scheme is "hdfs", and there is no acfetch-transport-hdfs on PATH',
        "example.com/app: left out template https://a.b/{name}: it has no {ext}",
        "example.com/app: left out template https://a.b/{colour}.{ext}: it has the unknown variable {colour}",
        'example.com/app: left out template http://a.b/{name}.{ext}: its scheme is "http"',
        'example.com/app: left out template file:///srv/{name}.{ext}: its scheme is "file"',
        "example.com/app: left out template a.b/{name}.{ext}: it is not a URL",
    ]


def test_plain_http_is_taken_from_those_who_gave_it_up(server: Server) -> None:
    assert places(server, "example.com/app", "http://a.b/{name}.{ext}", plain_http=True)[0] == ["http://a.b/example.com/app.aci"]


def test_without_a_usable_template_each_is_named(server: Server) -> None:
    with pytest.raises(
        DiscoveryError, match=r"no template can be used: template https://a\.b/x: it has no \{ext\}; template ftp://"
    ):
        places(server, "example.com/app", "https://a.b/x", "ftp://a.b/{name}.{ext}")


@pytest.mark.parametrize(
    "template", ["https://u:p@a.b/{name}.{ext}", "https://a.b/../{name}.{ext}", "https://a.b/{version}/x.{ext}"]
)
def test_a_template_that_hides_something_is_refused(template: str, server: Server) -> None:
    with pytest.raises(TransportRefusedError):
        places(server, "example.com/app:..", template)
