"""The operator's sources, seen by a person who fetches: mirrors, directories, and sites without a way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acfetch.customer import ARCH, PAGE, Customer, app, page, without_waits
from tests.support.gpg import Signer
from tests.support.server import Answer

NAME = "example.com/app"
MIRROR = "https://mirror.example/{name}-{version}.{ext}"
ON_MIRROR = f"https://mirror.example/{NAME}-latest.aci"
IN_DIRECTORY = f"{NAME}-latest-linux-{ARCH}.aci"


def mirrored(customer: Customer, *templates: str, prefix: str = "example.com", only: bool = False) -> None:
    customer.configure("sources.json", {prefix: {"templates": list(templates), "only": only}})


def put_file(directory: Path, name: str, data: bytes, signature: bytes | None) -> Path:
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    if signature is not None:
        Path(f"{file}.asc").write_bytes(signature)
    return file


def test_a_mirror_is_asked_before_anybody_else(customer: Customer) -> None:
    customer.put(ON_MIRROR, app())
    mirrored(customer, MIRROR)
    [line] = customer.fetch(NAME)
    assert customer.record(line)["origin"] == ON_MIRROR
    assert customer.server.asked == [f"{ON_MIRROR}.asc", ON_MIRROR]


def test_a_directory_needs_no_network(customer: Customer, publisher: Signer) -> None:
    data = app()
    file = put_file(customer.path / "images", IN_DIRECTORY, data, publisher.sign(data))
    mirrored(customer, str(customer.path / "images"), prefix="*", only=True)
    [line] = customer.fetch(NAME)
    assert customer.record(line)["origin"] == str(file)
    assert customer.server.asked == []


def test_a_version_in_a_directory_is_written_as_it_is(customer: Customer, publisher: Signer) -> None:
    data = app(labels={"version": "1.0+b ü"})
    put_file(customer.path / "images", f"{NAME}-1.0+b ü.aci", data, publisher.sign(data))
    mirrored(customer, f"file://{customer.path}/images/{{name}}-{{version}}.{{ext}}")
    customer.fetch(f"{NAME}:1.0+b ü")


@pytest.mark.parametrize("version", ["../../secret", "..", "/etc/passwd"])
def test_no_label_leads_out_of_a_directory(version: str, customer: Customer, publisher: Signer) -> None:
    data = app(labels={"version": version})
    put_file(customer.path, f"images/{version}.aci" if version != "/etc/passwd" else "x.aci", data, publisher.sign(data))
    mirrored(customer, f"{customer.path}/images/{{version}}/x.{{ext}}", only=True)
    ended = customer.run(f"{NAME}:{version}")
    assert (ended.code, ended.out) == (69, "")
    note, error = ended.err.splitlines()
    assert f"left out template {customer.path}/images/{{version}}/x.{{ext}}: " in note
    assert note.endswith(f"({customer.config}/sources.json)")
    assert error == f"acfetch: {NAME}:{version}: is looked for nowhere else, says {customer.config}/sources.json"


def test_a_dependency_comes_from_the_sources_of_its_own_name(customer: Customer, publisher: Signer) -> None:
    lib = app("example.org/lib")
    customer.trust(publisher, "example.org")
    customer.publish(NAME, app(dependencies=[{"imageName": "example.org/lib"}]))
    put_file(customer.path, "libs/example.org/lib.aci", lib, publisher.sign(lib))
    mirrored(customer, f"{customer.path}/libs/{{name}}.{{ext}}", prefix="example.org")
    customer.fetch(NAME)
    assert "https://example.org/lib?ac-discovery=1" not in customer.server.asked


def test_the_longest_prefix_comes_first_then_shorter_ones_then_discovery(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    sources = {
        "*": {"templates": ["https://three.example/{name}.{ext}"]},
        NAME: {"templates": ["https://one.example/{name}.{ext}"]},
        "example.com": {"templates": ["https://two.example/{name}.{ext}", "https://more.example/{name}.{ext}"]},
        "example.com/ap": {"templates": ["https://never.example/{name}.{ext}"]},
    }
    customer.configure("sources.json", sources)
    [line] = customer.fetch("--insecure-options=image", NAME)
    assert customer.record(line)["origin"] == url
    asked = [f"https://{host}.example/{NAME}.aci" for host in ("one", "two", "more", "three")]
    assert customer.server.asked == [*asked, "https://example.com/app?ac-discovery=1", PAGE, url]


def test_a_user_may_replace_or_take_away_the_sources_of_a_prefix(customer: Customer) -> None:
    customer.monkeypatch.delenv("APPC_CONFIG")
    customer.monkeypatch.setattr("os.geteuid", lambda: 1000)
    customer.monkeypatch.setenv("XDG_CONFIG_HOME", str(customer.path / "xdg"))
    (customer.path / "xdg").mkdir()
    (customer.path / "xdg" / "appc").symlink_to(customer.config)
    customer.configure("sources.json", {NAME: {"templates": ["/nowhere"], "only": True}}, "system")
    assert "is looked for nowhere else" in customer.refused(69, NAME)
    customer.put(ON_MIRROR, app())
    mirrored(customer, MIRROR, prefix=NAME)
    customer.fetch(NAME)
    customer.publish(NAME, app())
    customer.configure("sources.json", {NAME: None})
    customer.server.requests.clear()
    customer.fetch(NAME)
    assert PAGE in customer.server.asked


# What leads to the next, and what does not


PASSED: dict[str, tuple[Answer | None, str | None]] = {
    "has nothing": (Answer(status=404), None),
    "has it no more": (Answer(status=410), None),
    "fails": (Answer(status=503), f"passed over {ON_MIRROR}.asc: the server answered 503"),
    "wants to know who asks": (
        Answer(status=401, headers={"WWW-Authenticate": "Basic"}),
        f"passed over {ON_MIRROR}.asc: the server answered 401 (it asks for basic credentials; auth.json or netrc says which)",
    ),
    "is down": (None, f"passed over {ON_MIRROR}.asc: the proxy does not lead there: 502 Said"),
    "breaks off": (Answer(b"-", length=9), f"passed over {ON_MIRROR}.asc: the connection ended early, after 1 of 9 bytes"),
}


@pytest.mark.parametrize(("answer", "note"), PASSED.values(), ids=PASSED)
def test_discovery_follows_a_mirror_that(answer: Answer | None, note: str | None, customer: Customer) -> None:
    customer.publish(NAME, app())
    mirrored(customer, MIRROR)
    if answer is None:
        customer.server.answers["CONNECT mirror.example:443"] = Answer(status=502)
    else:
        customer.server.answers[ON_MIRROR] = customer.server.answers[f"{ON_MIRROR}.asc"] = answer
    ended = customer.run(NAME)
    assert ended.code == 0
    assert without_waits(ended.err)[:-1] == ([f"acfetch: {NAME}: {note}"] if note else [])


def test_discovery_follows_a_directory_that_has_not_both(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    mirrored(customer, str(customer.path / "nowhere"), str(customer.path / "images"))
    for signature in (None, b"-----BEGIN PGP SIGNATURE-----"):
        file = put_file(customer.path / "images", IN_DIRECTORY, app(), signature)
        if signature is not None:
            file.unlink()
        [line] = customer.fetch(NAME)
        assert customer.record(line)["origin"] == url


def test_nothing_follows_a_source_that_lies(customer: Customer, mallory: Signer) -> None:
    customer.publish(NAME, app())
    customer.put(ON_MIRROR, app(), by=mallory)
    mirrored(customer, MIRROR)
    assert "no trusted signature" in customer.refused(77, NAME)
    customer.put(ON_MIRROR, app("example.com/other"))
    assert "asked for example.com/app" in customer.refused(77, NAME)
    assert PAGE not in customer.server.asked


def test_an_image_and_its_signature_come_from_one_source(customer: Customer, publisher: Signer) -> None:
    data = app()
    customer.server.answers[f"{ON_MIRROR}.asc"] = Answer(publisher.sign(data))
    put_file(customer.path / "images", IN_DIRECTORY, data, None)
    mirrored(customer, MIRROR, str(customer.path / "images"), only=True)
    message = customer.refused(77, NAME)
    assert f"{ON_MIRROR}: the server answered 404; {customer.path}/images/{IN_DIRECTORY}.asc: there is no signature" in message


def test_the_only_source_is_the_only_one_asked(customer: Customer) -> None:
    customer.publish(NAME, app())
    customer.configure(
        "sources.json",
        {"example.com": {"templates": [MIRROR], "only": True}, "*": {"templates": ["https://x.example/{name}.{ext}"]}},
    )
    message = customer.refused(69, NAME)
    assert message == (
        f"acfetch: {NAME}: no template led to the image: {ON_MIRROR}: the server answered 404; "
        f"{NAME}: is looked for nowhere else, says {customer.config}/sources.json"
    )
    assert customer.server.asked == [f"{ON_MIRROR}.asc", ON_MIRROR]


def test_with_sources_and_discovery_in_vain_all_of_it_is_told(customer: Customer) -> None:
    del customer.server.answers[PAGE]
    mirrored(customer, MIRROR, str(customer.path / "images"))
    message = customer.refused(69, NAME)
    assert f"{ON_MIRROR}: the server answered 404; {customer.path}/images/{IN_DIRECTORY}: no such file; " in message
    assert message.endswith(f"{NAME}: cannot be discovered: example.com/app answered 404; example.com answered 404")


def test_a_source_of_plain_http_is_for_those_who_gave_it_up(customer: Customer) -> None:
    plain = ON_MIRROR.replace("https", "http")
    customer.put(plain, app())
    mirrored(customer, MIRROR.replace("https", "http"), only=True)
    ended = customer.run(NAME)
    assert (ended.code, customer.server.asked) == (69, [])
    assert 'its scheme is "http"' in ended.err
    [line] = customer.fetch("--insecure-options=http", NAME)
    assert (customer.record(line)["origin"], customer.record(line)["givenUp"]) == (plain, ["http"])


def test_a_page_cannot_name_a_directory(customer: Customer, publisher: Signer) -> None:
    data = app()
    put_file(customer.path / "images", IN_DIRECTORY, data, publisher.sign(data))
    template = f"{customer.path}/images/{{name}}-{{version}}-{{os}}-{{arch}}.{{ext}}"
    customer.server.answers[PAGE] = page(("example.com", template))
    assert "it is not a URL" in customer.refused(69, NAME)


def test_a_program_that_is_missing_is_not_taken_for_a_file_of_a_source(customer: Customer, publisher: Signer) -> None:
    data = app()
    put_file(customer.path / "images", IN_DIRECTORY, data, publisher.sign(data))
    mirrored(customer, str(customer.path / "images"))
    customer.monkeypatch.setenv("PATH", "/nowhere")
    assert "gpg: is not installed" in customer.refused(66, NAME)


def test_sources_are_for_names_not_for_paths_and_urls(customer: Customer) -> None:
    customer.put("https://example.com/x.aci", app())
    mirrored(customer, MIRROR, only=True, prefix="*")
    customer.fetch("https://example.com/x.aci")
    assert "no such file" in customer.refused(66, "./nowhere.aci")


def test_a_bad_file_is_told_before_anything_is_asked(customer: Customer) -> None:
    customer.configure("sources.json", {"example.com": {"templates": ["https://me:word@mirror.example/{name}.{ext}"]}})
    message = customer.refused(78, NAME)
    assert message == (
        f"acfetch: {customer.config}/sources.json: example.com.templates[0]: holds user information (auth.json is for credentials)"
    )
    customer.configure("sources.json", "{")
    assert f"{customer.config}/sources.json:1:" in customer.refused(78, NAME)
    assert customer.server.asked == []


# Credentials, seen from here


def test_a_private_mirror_is_told_who_asks(customer: Customer) -> None:
    customer.put(ON_MIRROR, app())
    files = {url: customer.server.answers.pop(url) for url in (ON_MIRROR, f"{ON_MIRROR}.asc")}
    for url, answer in files.items():
        customer.server.decisions[url] = lambda request, answer=answer: (
            answer
            if request.headers.get("authorization") == "Bearer t0ken"
            else Answer(status=401, headers={"WWW-Authenticate": "Bearer"})
        )
    mirrored(customer, MIRROR, only=True)
    assert "it asks for bearer credentials; auth.json says which" in customer.refused(69, NAME)
    customer.configure("auth.json", {"mirror.example": {"bearer": {"token": "t0ken"}}})
    [line] = customer.fetch(NAME)
    assert "t0ken" not in json.dumps(customer.record(line))
    customer.configure("auth.json", {"mirror.example": {"bearer": {"token": "t0ken"}}}, mode=0o644)
    assert "auth.json: holds secrets and others may read it (chmod 600 " in customer.refused(78, NAME)


def test_a_private_page_says_what_is_missing(customer: Customer) -> None:
    customer.server.answers[PAGE] = Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    message = customer.refused(69, NAME)
    assert message.endswith("example.com answered 401 (it asks for basic credentials; auth.json or netrc says which)")
