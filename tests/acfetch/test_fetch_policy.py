"""The operator's policy, seen by a person who fetches: each refusal is one line, 77, and names the file that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acfetch.customer import PAGE, Customer, app, id_of, page
from tests.support.gpg import Signer
from tests.support.server import Answer, redirect

NAME = "example.com/app"


def test_a_word_that_is_not_allowed_gives_up_nothing(customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {"insecureOptions": ["http"]}, "system")
    message = customer.refused(77, "--insecure-options=image,http", NAME)
    assert message == f"acfetch: --insecure-options=image: is not allowed, says insecureOptions in {file}"
    assert customer.server.asked == []
    customer.fetch("--insecure-options=http", NAME)


def test_a_user_s_policy_only_tightens_the_system_s(customer: Customer) -> None:
    customer.publish(NAME, app())
    system = customer.configure("policy.json", {"insecureOptions": [], "signed": None}, "system")
    customer.configure("policy.json", {"insecureOptions": ["image"]})
    assert str(system) in customer.refused(77, "--insecure-options=image", NAME)
    customer.configure("policy.json", {"insecureOptions": None})
    assert str(system) in customer.refused(77, "--insecure-options=image", NAME)
    customer.configure("policy.json", {"insecureOptions": ["image"]}, "vendor")
    system.write_text("{}")
    own = customer.configure("policy.json", {"insecureOptions": ["tls"]})
    assert str(own) in customer.refused(77, "--insecure-options=image", NAME)
    own.unlink()
    customer.fetch("--insecure-options=image", NAME)


def test_of_the_system_s_files_the_later_wins(customer: Customer) -> None:
    customer.publish(NAME, app())
    vendor = customer.configure("policy.json", {"insecureOptions": []}, "vendor")
    assert str(vendor) in customer.refused(77, "--insecure-options=image", NAME)
    customer.configure("policy.json", {"insecureOptions": ["image"]}, "system")
    customer.fetch("--insecure-options=image", NAME)


# Signatures


def test_what_must_be_signed_is_not_fetched_without_a_signature(customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {"signed": ["example.com"]})
    message = customer.refused(77, "--insecure-options=image", NAME)
    assert message == f"acfetch: {NAME}: must be signed, says signed in {file}"
    assert customer.server.asked == []
    customer.publish("example.community/app", app("example.community/app"))
    customer.server.answers["https://example.community/?ac-discovery=1"] = page(
        ("example.community", "https://example.com/images/{name}-{version}-{os}-{arch}.{ext}")
    )
    customer.fetch("--insecure-options=image", "example.community/app")


def test_a_path_or_url_is_held_to_it_by_the_name_in_the_manifest(customer: Customer) -> None:
    file = customer.configure("policy.json", {"signed": ["example.com"]})
    (customer.path / "x.aci").write_bytes(app())
    (customer.path / "y.aci").write_bytes(app("mine/app"))
    assert f"./x.aci: must be signed, says signed in {file}" in customer.refused(77, "--insecure-options=image", "./x.aci")
    customer.fetch("--insecure-options=image", "./y.aci")


def test_a_dependency_that_must_be_signed_is_verified_all_the_same(customer: Customer, mallory: Signer) -> None:
    customer.configure("policy.json", {"signed": ["example.com"]})
    lib = app("example.com/lib")
    customer.publish("example.com/lib", lib)
    (customer.path / "x.aci").write_bytes(app("mine/app", dependencies=[{"imageName": "example.com/lib"}]))
    [line] = customer.fetch("--insecure-options=image", "./x.aci")
    assert (customer.record(line)["signer"], customer.record(line)["givenUp"]) == (None, ["image"])
    record = json.loads((customer.store / f"images/{id_of(lib)}.json").read_bytes())
    assert (record["signer"], record["givenUp"]) == (customer.publisher.fingerprint.lower(), [])
    customer.publish("example.com/lib", lib, by=mallory)
    assert "no trusted signature for example.com/lib" in customer.refused(77, "--insecure-options=image", "./x.aci")


def test_a_dependency_in_the_store_without_its_signature_is_fetched_again(customer: Customer) -> None:
    lib = app("example.com/lib")
    url = customer.publish("example.com/lib", lib)
    customer.fetch("--insecure-options=image", "example.com/lib")
    pinned = {"imageName": "example.com/lib", "imageID": id_of(lib)}
    (customer.path / "x.aci").write_bytes(app("mine/app", dependencies=[pinned]))
    customer.server.requests.clear()
    customer.fetch("--insecure-options=image", "./x.aci")
    assert url not in customer.server.asked
    file = customer.configure("policy.json", {"signed": ["example.com"]})
    customer.fetch("--insecure-options=image", "./x.aci")
    assert url in customer.server.asked
    assert customer.record(f"{customer.store}/images/{id_of(lib)}.aci")["signer"] == customer.publisher.fingerprint.lower()
    del customer.server.answers[f"{url}.asc"]
    (customer.store / f"images/{id_of(lib)}.json").unlink()
    message = customer.refused(77, "--insecure-options=image", "./x.aci")
    assert message == f"acfetch: {url}.asc: there is no signature (must be signed, says signed in {file})"


# Hosts


def test_a_host_that_is_denied_is_not_asked(customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {"denyHosts": ["example.com"]}, "system")
    message = customer.refused(77, NAME)
    assert message == (f"acfetch: https://example.com/app?ac-discovery=1: example.com may not be reached, says denyHosts in {file}")
    assert "www.example.com may not be reached" in customer.refused(77, "https://www.example.com/x.aci")
    assert customer.server.connects == []


def test_only_a_host_that_is_allowed_is_asked(customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {"allowHosts": ["mirror.example"]})
    message = customer.refused(77, NAME)
    assert message.endswith(f"example.com is none of the hosts that may be reached, says allowHosts in {file}")
    assert customer.server.connects == []
    customer.configure("policy.json", {"allowHosts": ["mirror.example", "example.com"]})
    customer.fetch(NAME)


def test_no_redirect_leads_to_a_host_that_is_denied(customer: Customer) -> None:
    url = customer.publish(NAME, app())
    customer.server.answers["https://evil.example/x"] = customer.server.answers[url]
    customer.server.answers[url] = redirect("https://evil.example/x")
    file = customer.configure("policy.json", {"denyHosts": ["evil.example"]})
    assert customer.refused(77, NAME).endswith(f"evil.example may not be reached, says denyHosts in {file}")
    assert [request.url for request in customer.server.connects if "evil" in request.url] == []


def test_the_next_template_is_tried_when_the_host_of_one_is_denied(customer: Customer) -> None:
    template = "https://{host}.example/{name}.{ext}"
    customer.server.answers[PAGE] = page(*(("example.com", template.replace("{host}", host)) for host in ("one", "two")))
    customer.put(f"https://two.example/{NAME}.aci", app())
    customer.configure("policy.json", {"denyHosts": ["one.example"]})
    ended = customer.run(NAME)
    assert ended.code == 0
    assert f"passed over https://one.example/{NAME}.aci.asc: one.example may not be reached" in ended.err
    customer.configure("policy.json", {"denyHosts": ["one.example", "two.example"]})
    assert "no template led to the image: https://one.example" in customer.refused(77, NAME)


def test_a_mirror_inside_and_nothing_outside(customer: Customer) -> None:
    customer.publish(NAME, app())
    customer.configure("sources.json", {"*": {"templates": ["https://mirror.example/{name}.{ext}"]}})
    file = customer.configure("policy.json", {"allowHosts": ["mirror.example"]})
    message = customer.refused(77, NAME)
    assert f"https://mirror.example/{NAME}.aci: the server answered 404; https://example.com/app?ac-discovery=1: " in message
    assert str(file) in message
    customer.put(f"https://mirror.example/{NAME}.aci", app())
    customer.fetch(NAME)


# Sizes


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "not announced"])
def test_an_image_that_is_too_large_as_served_is_refused(announced: bool, customer: Customer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    if not announced:
        customer.server.answers[url] = Answer(data, length=None)
    file = customer.configure("policy.json", {"servedBytes": len(data) - 1}, "system")
    customer.configure("policy.json", {"servedBytes": len(data)})
    assert customer.refused(77, NAME) == f"acfetch: {url}: is larger than the {len(data) - 1} bytes of servedBytes in {file}"
    file.write_text(json.dumps({"servedBytes": len(data)}))
    customer.fetch(NAME)


def test_an_image_that_is_too_large_unpacked_is_refused(customer: Customer) -> None:
    import gzip

    data = app()
    url = customer.publish(NAME, data)
    size = len(gzip.decompress(data))
    file = customer.configure("policy.json", {"unpackedBytes": size - 1})
    assert customer.refused(77, NAME) == f"acfetch: {url}: is larger than the {size - 1} bytes of unpackedBytes in {file}"
    customer.configure("policy.json", {"unpackedBytes": size})
    customer.fetch(NAME)


def test_a_file_and_a_dependency_are_held_to_the_sizes_as_well(customer: Customer, publisher: Signer) -> None:
    big = app(labels={"note": "x" * 9000, "more": "".join(chr(0x4E00 + number) for number in range(3000))})
    (customer.path / "x.aci").write_bytes(big)
    Path(customer.path / "x.aci.asc").write_bytes(publisher.sign(big))
    customer.configure("policy.json", {"servedBytes": len(big) - 1})
    assert "bytes of servedBytes in" in customer.refused(77, "./x.aci")
    customer.put("https://example.com/images/big.aci", big)
    customer.configure("sources.json", {"example.com/big": {"templates": ["https://example.com/images/big.{ext}"]}})
    customer.publish("example.com/top", app("example.com/top", dependencies=[{"imageName": "example.com/big"}]))
    assert "bytes of servedBytes in" in customer.refused(77, "example.com/top")


# Bad files


@pytest.mark.parametrize("place", ["vendor", "system", "config"])
def test_a_bad_policy_stops_everything(place: str, customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {"denyHost": ["x"]}, place)
    assert customer.refused(78, NAME) == f'acfetch: {file}: denyHost: is not known ("denyHosts" is)'
    assert customer.server.asked == []


def test_a_policy_that_cannot_be_read_stops_everything(customer: Customer) -> None:
    customer.publish(NAME, app())
    file = customer.configure("policy.json", {}, mode=0)
    ended = customer.run_program(NAME, held_to_modes=True)
    assert (ended.code, ended.err) == (77, f"acfetch: {file}: permission denied\n")


# --cafile


def test_a_file_of_authorities_stands_in_for_the_system_s(customer: Customer) -> None:
    customer.publish(NAME, app())
    authority = str(customer.server.authority)
    customer.monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    customer.monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    assert "its certificate is not accepted" in customer.refused(69, NAME)
    customer.fetch("--cafile", authority, NAME)
    customer.monkeypatch.setenv("SSL_CERT_FILE", authority)
    stranger = customer.path / "stranger.pem"
    customer.server._stranger.cert_pem.write_to_path(str(stranger))
    assert "its certificate is not accepted" in customer.refused(69, "--cafile", str(stranger), NAME)


def test_a_file_of_authorities_must_be_one(customer: Customer) -> None:
    customer.publish(NAME, app())
    (customer.path / "x.pem").write_text("nothing")
    assert "./nowhere.pem: no such file" in customer.refused(66, "--cafile", "./nowhere.pem", NAME)
    assert customer.refused(65, "--cafile", "x.pem", NAME) == "acfetch: x.pem: holds no certificates in PEM"
    assert customer.server.asked == []
