"""Whose signature counts: real keys, real signatures, and each way in which they can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acfetch.customer import PAGE, TEMPLATE, Customer, app, page
from tests.support.gpg import Signer, make_signer
from tests.support.server import Answer, endless

NAME = "example.com/app"
LONG_AGO = "20200101T000000!"


def test_an_image_with_a_good_signature_is_taken(customer: Customer, publisher: Signer) -> None:
    data = app()
    url = customer.publish(NAME, data)
    [line] = customer.fetch(NAME)
    record = customer.record(line)
    assert record["signer"] == publisher.fingerprint.lower()
    assert record["givenUp"] == []
    assert Path(line.removesuffix(".aci") + ".asc").read_bytes() == customer.server.answers[f"{url}.asc"].body


SIGNATURES: dict[str, tuple[Callable[[Signer, Signer, bytes], Answer], int, str]] = {
    "missing": (lambda *_: Answer(status=404), 77, "there is no signature (--insecure-options=image goes without)"),
    "of a stranger": (
        lambda _, mallory, data: Answer(mallory.sign(data)),
        77,
        "no trusted signature for example.com/app: the key that made it is not among the trusted ones, ",
    ),
    "of another file": (lambda signer, _, data: Answer(signer.sign(data + b"x")), 77, "the signature is of another file"),
    "of the file's beginning": (lambda signer, _, data: Answer(signer.sign(data[:-1])), 77, "the signature is of another file"),
    "of the unpacked file": (lambda signer, _, data: Answer(signer.sign(b"tar")), 77, "the signature is of another file"),
    "empty": (lambda *_: Answer(b""), 65, "is not an ascii-armoured detached signature"),
    "garbage": (lambda *_: Answer(bytes(range(256))), 65, "is not an ascii-armoured detached signature"),
    "a page": (lambda *_: Answer(b"<!doctype html><p>Log in"), 65, "is not an ascii-armoured detached signature"),
    "the image itself": (lambda _s, _m, data: Answer(data), 65, "is not an ascii-armoured detached signature"),
    "not armoured": (lambda signer, _, data: Answer(signer.run("--detach-sign", data=data)), 65, "is not an ascii-armoured"),
    "carrying its own text": (lambda signer, _, data: Answer(signer.sign(data, "--sign")), 65, "is not an ascii-armoured"),
    "a clear-signed text": (lambda signer, _, data: Answer(signer.sign(b"hello", "--clear-sign")), 65, "is not an ascii-armoured"),
    "cut": (lambda signer, _, data: Answer(signer.sign(data)[:100]), 77, "no trusted signature for example.com/app: "),
    "armour around nothing": (
        lambda *_: Answer(b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"),
        77,
        "no trusted signature for example.com/app: ",
    ),
    "endless": (lambda *_: Answer(endless(), length=None), 76, "larger than the limit of 65536 bytes"),
    "broken off": (lambda *_: Answer(b"-----BEGIN", length=500), 69, "the connection ended early, after 10 of 500 bytes"),
    "packed": (lambda *_: Answer(b"x", headers={"Content-Encoding": "gzip"}), 76, 'with content-encoding "gzip"'),
    "on plain http": (lambda *_: Answer(status=301, headers={"Location": "http://example.com/s"}), 76, "is plain http"),
    "not to be had": (lambda *_: Answer(status=503), 69, ".aci.asc: the server answered 503"),
}


@pytest.mark.parametrize(("make", "code", "message"), SIGNATURES.values(), ids=SIGNATURES)
def test_an_image_is_refused_whose_signature_is(
    make: Callable[[Signer, Signer, bytes], Answer], code: int, message: str, customer: Customer, publisher: Signer, mallory: Signer
) -> None:
    data = app()
    url = customer.publish(NAME, data)
    customer.server.answers[f"{url}.asc"] = make(publisher, mallory, data)
    assert message in customer.refused(code, NAME)


def test_an_expired_key_does_not_count(customer: Customer, homes: Path) -> None:
    signer = make_signer(homes / "expired", expires="seconds=1000", clock=LONG_AGO)
    customer.trust(signer, "example.com")
    data = app()
    url = customer.publish(NAME, data)
    customer.server.answers[f"{url}.asc"] = Answer(signer.sign(data, clock=LONG_AGO))
    assert "the key that made it has expired" in customer.refused(77, NAME)


def test_an_expired_signature_does_not_count(customer: Customer, homes: Path) -> None:
    signer = make_signer(homes / "lasting", clock=LONG_AGO)
    customer.trust(signer, "example.com")
    data = app()
    url = customer.publish(NAME, data)
    signature = signer.sign(data, "--default-sig-expire", "seconds=100", "--detach-sign", clock=LONG_AGO)
    customer.server.answers[f"{url}.asc"] = Answer(signature)
    assert "the signature has expired" in customer.refused(77, NAME)


def test_a_key_that_has_been_revoked_counts_no_longer(customer: Customer, homes: Path) -> None:
    signer = make_signer(homes / "revoked")
    customer.trust(signer, "example.com")
    customer.publish(NAME, app(), by=signer)
    customer.fetch(NAME)
    signer.revoke()
    customer.trust(signer, "example.com")
    assert "the key that made it is revoked" in customer.refused(77, NAME)


PREFIXES = {
    "the domain": ("example.com", True),
    "the name": ("example.com/app", True),
    "all names": ("", True),
    "a name that begins the same": ("example.com/ap", False),
    "something below": ("example.com/app/x", False),
    "another domain": ("example.community", False),
}


@pytest.mark.parametrize(("prefix", "counts"), PREFIXES.values(), ids=PREFIXES)
def test_a_key_counts_for_its_prefix(prefix: str, counts: bool, customer: Customer, mallory: Signer) -> None:
    customer.trust(mallory, prefix)
    customer.publish(NAME, app(), by=mallory)
    if counts:
        customer.fetch(NAME)
    else:
        assert "the key that made it is not among the trusted ones" in customer.refused(77, NAME)


def test_a_key_for_another_prefix_does_not_count_for_a_url_either(customer: Customer, mallory: Signer) -> None:
    customer.trust(mallory, "mallory.example")
    url = customer.publish(NAME, app(), by=mallory)
    message = customer.refused(77, url)
    assert f"the key that made it is trusted for other names only, {mallory.fingerprint.lower()}" in message
    assert message.endswith("(acfetch trust add --prefix example.com FILE)")
    customer.put(url, app("mallory.example/app"), by=mallory)
    customer.fetch(url)


def test_without_a_key_for_the_name_nothing_but_the_page_is_asked_for(customer: Customer) -> None:
    customer.server.answers["https://example.org/?ac-discovery=1"] = page(("example.org", TEMPLATE))
    message = customer.refused(77, "example.org/app")
    assert message.endswith("no key is trusted for this name (acfetch trust add --prefix example.org --discover)")
    assert customer.server.asked == ["https://example.org/app?ac-discovery=1", "https://example.org/?ac-discovery=1"]


def test_a_key_that_is_distrusted_again_does_not_count(customer: Customer, publisher: Signer) -> None:
    customer.publish(NAME, app())
    customer.trust(publisher, "example.com").write_bytes(b"")
    assert "no key is trusted for this name" in customer.refused(77, NAME)


def test_a_keystore_that_is_wrong_is_bad_configuration(customer: Customer, publisher: Signer, mallory: Signer) -> None:
    customer.publish(NAME, app())
    file = customer.trust(publisher, "example.com")
    file.write_bytes(mallory.public)
    assert "its file is named for another key" in customer.refused(78, NAME)
    file.rename(file.with_name("README"))
    assert "its name is no fingerprint" in customer.refused(78, NAME)


# One template for both


TWO = ("https://one.example.com/{name}.{ext}", "https://two.example.com/{name}.{ext}")
ONE_URL, TWO_URL = (f"https://{host}.example.com/{NAME}.aci" for host in ("one", "two"))


@pytest.fixture
def mirrors(customer: Customer) -> Customer:
    customer.server.answers[PAGE] = page(*(("example.com", template) for template in TWO))
    return customer


def test_image_and_signature_never_come_from_two_templates(mirrors: Customer, publisher: Signer) -> None:
    data = app()
    mirrors.server.answers[ONE_URL] = Answer(data)
    mirrors.server.answers[f"{TWO_URL}.asc"] = Answer(publisher.sign(data))
    message = mirrors.refused(77, NAME)
    assert message == (
        f"acfetch: {NAME}: no template led to the image: {ONE_URL}.asc: there is no signature "
        f"(--insecure-options=image goes without); {TWO_URL}: the server answered 404"
    )


ABSENT: dict[str, tuple[Answer, Answer]] = {
    "has neither": (Answer(status=404), Answer(status=404)),
    "has the signature only": (Answer(status=404), Answer(b"-----BEGIN PGP SIGNATURE-----\n")),
    "has the image only": (Answer(app()), Answer(status=404)),
    "breaks off": (Answer(app(), length=10**6), Answer(b"-----BEGIN PGP SIGNATURE-----\n")),
    "fails": (Answer(status=500), Answer(status=500)),
}


@pytest.mark.parametrize(("image", "signature"), ABSENT.values(), ids=ABSENT)
def test_the_next_template_is_tried_when_the_first(image: Answer, signature: Answer, mirrors: Customer) -> None:
    mirrors.server.answers[ONE_URL], mirrors.server.answers[f"{ONE_URL}.asc"] = image, signature
    mirrors.put(TWO_URL, app())
    [line] = mirrors.fetch(NAME)
    assert mirrors.record(line)["origin"] == TWO_URL


def test_no_template_is_tried_after_one_that_lies(mirrors: Customer, mallory: Signer) -> None:
    mirrors.put(ONE_URL, app(), by=mallory)
    mirrors.put(TWO_URL, app())
    mirrors.refused(77, NAME)
    assert f"{TWO_URL}.asc" not in mirrors.server.asked


def test_when_no_template_leads_to_it_each_is_named(mirrors: Customer) -> None:
    message = mirrors.refused(69, NAME)
    assert f"no template led to the image: {ONE_URL}: the server answered 404; {TWO_URL}: the server answered 404" in message
