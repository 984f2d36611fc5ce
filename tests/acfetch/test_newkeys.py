"""`acfetch trust add` over the network, real TLS and real keys: where keys come from, and what it takes to trust them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from acspec import limits
from tests.acfetch.customer import PAGE, Customer, app, page
from tests.support.gpg import Signer, make_signer, make_signer_like
from tests.support.server import Answer, endless, redirect

URL = "https://keys.example/publisher.asc"
ADD = ("trust", "add", "--prefix", "example.org")
DISCOVER = (*ADD, "--discover")
ORG = "https://example.org/?ac-discovery=1"


def placed(customer: Customer, signer: Signer, prefix: str = "example.org") -> Path:
    return customer.config / "trustedkeys/prefix.d" / prefix / signer.fingerprint.lower()


def key_page(*tags: tuple[str, str]) -> Answer:
    return page(*tags, kind="ac-discovery-pubkeys")


@pytest.fixture
def key_home(homes: Path) -> Path:
    """Return a new home for keys of one test."""
    return Path(tempfile.mkdtemp(dir=homes))


def test_a_key_comes_from_a_url_and_shows_it(customer: Customer, publisher: Signer) -> None:
    customer.server.answers["https://example.org/keys"] = redirect(URL)
    customer.server.answers[URL] = Answer(publisher.run("--export"))
    ended = customer.run(*ADD, "--yes", "https://example.org/keys")
    assert (ended.code, ended.out) == (0, f"{placed(customer, publisher)}\n")
    assert "from:        https://example.org/keys\n" in ended.err
    assert "identity:    Publisher\n" in ended.err


def test_discovered_keys_let_images_be_fetched(customer: Customer, publisher: Signer) -> None:
    image = f"https://example.org/{'{name}'}.{'{ext}'}"
    body = page(("example.org", image)).body
    tags = key_page(("example.org", URL), ("example.net", "https://no.example/")).body
    assert isinstance(body, bytes)
    assert isinstance(tags, bytes)
    customer.server.answers[ORG] = Answer(body + tags)
    customer.server.answers[URL] = Answer(publisher.public)
    customer.put("https://example.org/example.org/app.aci", app("example.org/app"))
    hint = customer.refused(77, "example.org/app").rpartition("(")[2].removesuffix(")")
    assert customer.run(*hint.split()[1:], "--yes").out == f"{placed(customer, publisher)}\n"
    assert len(customer.fetch("example.org/app")) == 1


def test_the_nearest_page_with_keys_for_the_prefix_decides(customer: Customer, publisher: Signer) -> None:
    customer.server.answers["https://example.org/team?ac-discovery=1"] = page(("example.org", "https://a.b/{name}.{ext}"))
    customer.server.answers[ORG] = key_page(("example.org/te", "https://no.example/"), ("example.org", URL))
    customer.server.answers[URL] = Answer(publisher.public)
    ended = customer.run("trust", "add", "--prefix", "example.org/team", "--discover", "--yes")
    assert ended.out == f"{placed(customer, publisher, 'example.org/team')}\n"
    assert customer.server.asked[-2:] == [ORG, URL]


def test_no_keys_on_any_page_is_69(customer: Customer) -> None:
    customer.server.answers[ORG] = page(("example.org", "https://a.b/{name}.{ext}"))
    assert customer.refused(69, *DISCOVER, "--yes") == (
        "acfetch: example.org: no keys can be discovered: example.org has 1 template and no key"
    )


def test_each_prefix_gets_the_keys_of_its_own_page(customer: Customer, publisher: Signer, mallory: Signer) -> None:
    customer.server.answers[ORG] = key_page(("example.org", URL))
    customer.server.answers[URL] = Answer(publisher.public)
    customer.server.answers[PAGE] = key_page(("example.com", "https://example.com/keys"))
    customer.server.answers["https://example.com/keys"] = Answer(mallory.public)
    ended = customer.run(*DISCOVER, "--prefix", "example.com", "--yes")
    assert ended.out.splitlines() == [str(placed(customer, publisher)), str(placed(customer, mallory, "example.com"))]


def test_a_key_is_trusted_for_several_prefixes(customer: Customer, mallory: Signer) -> None:
    (customer.path / "key").write_bytes(mallory.public)
    ended = customer.run(*ADD, "--prefix", "example.net", "--prefix", "example.org", "--yes", "key")
    assert ended.out.splitlines() == [str(placed(customer, mallory)), str(placed(customer, mallory, "example.net"))]
    assert "prefix:      example.org\nprefix:      example.net\nfingerprint: " in ended.err


def test_a_revocation_at_one_place_counts_for_the_key_at_another(customer: Customer, key_home: Path) -> None:
    signer = make_signer(key_home, "Left")
    customer.server.answers[ORG] = key_page(("example.org", URL), ("example.org", f"{URL}.new"))
    customer.server.answers[URL] = Answer(signer.public)
    signer.revoke()
    customer.server.answers[f"{URL}.new"] = Answer(signer.public)
    message = customer.refused(77, *DISCOVER, "--yes")
    assert message == f"acfetch: key {signer.fingerprint.lower()}: is revoked, and is not trusted"


def test_one_place_that_has_no_keys_trusts_nobody(customer: Customer, publisher: Signer) -> None:
    customer.server.answers[ORG] = key_page(("example.org", URL), ("example.org", f"{URL}.new"))
    customer.server.answers[URL] = Answer(publisher.public)
    assert customer.refused(69, *DISCOVER, "--yes") == f"acfetch: {URL}.new: the server answered 404"
    assert not placed(customer, publisher).exists()


def test_a_page_that_names_very_many_places_is_refused(customer: Customer) -> None:
    customer.server.answers[ORG] = key_page(*(("example.org", f"{URL}{number}") for number in range(limits.KEY_URLS + 1)))
    assert "names 17 places of keys, more than the limit of 16" in customer.refused(65, *DISCOVER, "--yes")
    assert customer.server.asked == [ORG]


BAD = {
    "not there": (Answer(status=404), 69, "the server answered 404"),
    "a page": (Answer(b"<!doctype html>"), 65, "holds no public key"),
    "endless": (Answer(endless(), length=None), 76, "larger than the limit of 1048576 bytes"),
    "cut short": (Answer(b"-----BEGIN", length=100), 69, "the connection ended early"),
    "compressed on the way": (Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), 76, "content-encoding"),
    "on the way to plain http": (redirect("http://keys.example/x"), 76, "is plain http"),
}


@pytest.mark.parametrize(("said", "code", "message"), BAD.values(), ids=BAD)
def test_keys_are_refused_that_are(said: Answer, code: int, message: str, customer: Customer) -> None:
    customer.server.answers[URL] = said
    assert message in customer.refused(code, *ADD, "--yes", URL)
    assert not (customer.config / "trustedkeys/prefix.d/example.org").exists()


UNFIT = {
    "short": ("rsa1024", "is weak: RSA of 1024 bits, less than 2048"),
    "a DSA key": ("dsa1024", "is weak: DSA of 1024 bits, less than 2048"),
}


@pytest.mark.parametrize(("algorithm", "why"), UNFIT.values(), ids=UNFIT)
def test_a_key_is_refused_by_name_that_is(algorithm: str, why: str, customer: Customer, mallory: Signer, key_home: Path) -> None:
    weak = make_signer_like(key_home, algorithm)
    told = f"acfetch: key {weak.fingerprint.lower()}: {why}, and is not trusted"
    (customer.path / "weak").write_bytes(weak.public)
    (customer.path / "both").write_bytes(weak.public + mallory.public)
    assert customer.refused(77, *ADD, "--yes", "weak") == told
    assert customer.refused(77, *ADD, "--fingerprint", weak.fingerprint, "both") == told
    ended = customer.run(*ADD, "--yes", "both")
    assert (ended.code, ended.out) == (0, f"{placed(customer, mallory)}\n")
    assert ended.err.startswith(f"{told}\n")


def test_a_weak_key_that_is_in_the_keystore_already_counts_for_nothing(customer: Customer, key_home: Path) -> None:
    weak = make_signer_like(key_home, "rsa1024")
    customer.trust(weak, "example.com")
    customer.publish("example.com/app", app(), by=weak)
    assert "the key that made it is weak: RSA of 1024 bits, less than 2048" in customer.refused(77, "example.com/app")


@pytest.mark.parametrize("words", [(URL,), ("--discover",)], ids=["a URL", "discovery"])
def test_without_a_terminal_nobody_is_asked(words: tuple[str, ...], customer: Customer, publisher: Signer) -> None:
    customer.server.answers[ORG] = key_page(("example.org", URL))
    customer.server.answers[URL] = Answer(publisher.public)
    ended = customer.run(*ADD, *words)
    assert (ended.code, ended.out) == (77, "")
    assert "nobody is there to be asked" in ended.err
    assert customer.run(*ADD, *words, "--fingerprint", publisher.fingerprint).out == f"{placed(customer, publisher)}\n"


@pytest.mark.parametrize("word", ["tls", "http", "pubkey", "http,tls"])
@pytest.mark.parametrize("words", [(URL,), ("--discover",)], ids=["a URL", "discovery"])
def test_yes_needs_to_know_who_answers(words: tuple[str, ...], word: str, customer: Customer) -> None:
    message = customer.refused(2, *ADD, "--yes", f"--insecure-options={word}", *words)
    assert "--yes: trusts keys from the network only where TLS says who answers" in message
    assert customer.server.asked == []


PLAIN = "http://keys.example/publisher.asc"


@pytest.mark.parametrize("word", ["http", "pubkey"])
def test_keys_come_over_plain_http_for_those_who_gave_it_up(word: str, customer: Customer, publisher: Signer) -> None:
    customer.server.answers[ORG] = key_page(("example.org", PLAIN))
    customer.server.answers[PLAIN] = Answer(publisher.public)
    named = ("--fingerprint", publisher.fingerprint)
    for words in ((PLAIN,), ("--discover",)):
        assert "is plain http" in customer.refused(76, *ADD, *named, *words)
        assert customer.run(*ADD, *named, f"--insecure-options={word}", *words).out == f"{placed(customer, publisher)}\n"


def test_pubkey_gives_up_nothing_on_the_way_to_the_page(customer: Customer, publisher: Signer) -> None:
    customer.server.answers[ORG] = redirect("http://example.org/page")
    customer.server.answers["http://example.org/page"] = key_page(("example.org", URL))
    customer.server.answers[URL] = Answer(publisher.public)
    named = ("--fingerprint", publisher.fingerprint)
    assert "is plain http" in customer.refused(76, *DISCOVER, *named, "--insecure-options=pubkey")
    assert customer.run(*DISCOVER, *named, "--insecure-options=http").code == 0


def test_only_tls_gives_up_the_certificate(customer: Customer, publisher: Signer) -> None:
    url = "https://selfsigned.example/key"
    customer.server.answers[url] = Answer(publisher.public)
    named = ("--fingerprint", publisher.fingerprint)
    assert "its certificate is not accepted" in customer.refused(69, *ADD, *named, "--insecure-options=http,pubkey", url)
    assert customer.run(*ADD, *named, "--insecure-options=tls", url).code == 0


def test_the_policy_counts_for_keys(customer: Customer) -> None:
    customer.configure("policy.json", {"insecureOptions": ["tls"], "denyHosts": ["keys.example"]})
    assert "--insecure-options=pubkey: is not allowed" in customer.refused(77, *ADD, "--insecure-options=pubkey", URL)
    assert "keys.example may not be reached" in customer.refused(77, *ADD, "--yes", URL)


USAGE = {
    "a file and --discover": (*DISCOVER, "key"),
    "neither a file nor --discover": ADD,
    "--discover for all names": ("trust", "add", "--root", "--discover"),
    "a word that gives up what is not asked for": (*ADD, "--insecure-options=image", "key"),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is(words: tuple[str, ...], customer: Customer) -> None:
    customer.refused(2, *words)
    assert customer.server.asked == []
