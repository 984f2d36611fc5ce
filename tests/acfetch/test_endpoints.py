"""`acfetch discover`: what a person learns of a name without fetching anything."""

from __future__ import annotations

import json

import pytest

from tests.acfetch.customer import ARCH, PAGE, Customer, page
from tests.support.server import Answer, redirect

NAME = "example.com/team/app"
PAGES = tuple(f"https://{path}?ac-discovery=1" for path in (NAME, "example.com/team", "example.com"))
T = "https://cdn.example/{os}/{name}-{version}.{ext}"
IMAGE = f"https://cdn.example/linux/{NAME}-latest.aci"


def answer(customer: Customer, url: str, *tags: tuple[str, str, str]) -> None:
    lines = [f'<meta name="{kind}" content="{prefix} {value}">' for kind, prefix, value in tags]
    customer.server.answers[url.replace(".com?", ".com/?")] = Answer("".join(lines).encode())


def test_pages_places_and_keys_are_shown_in_their_order(customer: Customer) -> None:
    answer(customer, PAGES[1], ("ac-discovery", "example.com/team", T), ("ac-discovery", "example.com", "hdfs://x/{name}.{ext}"))
    answer(customer, PAGES[2], ("ac-discovery-pubkeys", "example.com", "https://example.com/keys.asc"))
    ended = customer.run("discover", NAME)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"page       {PAGES[0]}  answered 404",
        f"page       {PAGES[1]}  has 2 templates and no key",
        f"page       {PAGES[2]}  has no template and 1 key",
        f"image      {IMAGE}",
        f"signature  {IMAGE}.asc",
        'left out   hdfs://x/{name}.{ext}  its scheme is "hdfs", and there is no acfetch-transport-hdfs on PATH',
        "keys       https://example.com/keys.asc",
    ]


def test_no_image_signature_or_key_is_asked_for(customer: Customer) -> None:
    tags = ("ac-discovery", "example.com", T), ("ac-discovery-pubkeys", "example.com", "https://example.com/keys.asc")
    answer(customer, PAGES[0], *tags)
    assert customer.run("discover", NAME).code == 0
    assert customer.server.asked == [PAGES[0]]
    assert not (customer.store / "images").exists()


def test_labels_are_those_of_a_reference(customer: Customer) -> None:
    answer(customer, PAGES[0], ("ac-discovery", "example.com", "https://a.b/{version}/{os}/{arch}/{channel}/{name}.{ext}"))
    out = customer.run("discover", f"{NAME}:1.0,os=linux,channel=a b").out
    assert f"image      https://a.b/1.0/linux/{ARCH}/a%20b/{NAME}.aci\n" in out


def test_sources_come_first_and_are_marked(customer: Customer) -> None:
    answer(customer, PAGES[0], ("ac-discovery", "example.com", T))
    file = customer.configure(
        "sources.json", {"example.com": {"templates": ["/srv/images/{name}.{ext}", "https://m.example/{x}.{ext}"]}}
    )
    out = customer.run("discover", NAME).out.splitlines()
    assert out[-5:] == [
        f"image      /srv/images/{NAME}.aci  (source: {file})",
        f"signature  /srv/images/{NAME}.aci.asc  (source: {file})",
        f"left out   https://m.example/{{x}}.{{ext}}  it has the unknown variable {{x}}  (source: {file})",
        f"image      {IMAGE}",
        f"signature  {IMAGE}.asc",
    ]


def test_where_a_source_is_the_only_one_no_page_is_asked(customer: Customer) -> None:
    file = customer.configure("sources.json", {"*": {"templates": ["/srv/images"], "only": True}})
    assert f"only       {file}  leaves no room for discovery\n" in customer.run("discover", NAME).out
    assert customer.server.asked == []


def test_the_same_is_there_for_programs(customer: Customer) -> None:
    tags = ("ac-discovery", "example.com", T), ("ac-discovery", "example.com", "https://a.b/{name}")
    answer(customer, PAGES[0], *tags, ("ac-discovery-pubkeys", "example.com", "https://example.com/keys.asc"))
    file = customer.configure("sources.json", {"example.com": {"templates": ["/srv/{name}.{ext}"]}})
    image = IMAGE.replace("latest", "1")
    assert json.loads(customer.run("discover", "--json", f"{NAME}:1").out) == {
        "name": NAME,
        "labels": [{"name": "version", "value": "1"}],
        "pages": [{"url": PAGES[0], "outcome": "has 2 templates and 1 key"}],
        "only": None,
        "endpoints": [
            {
                "template": "/srv/{name}.{ext}",
                "source": str(file),
                "image": f"/srv/{NAME}.aci",
                "signature": f"/srv/{NAME}.aci.asc",
                "leftOut": None,
            },
            {
                "template": T,
                "source": None,
                "image": image,
                "signature": f"{image}.asc",
                "leftOut": None,
            },
            {"template": "https://a.b/{name}", "source": None, "image": None, "signature": None, "leftOut": "it has no {ext}"},
        ],
        "keys": ["https://example.com/keys.asc"],
    }


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_nothing_at_all_is_69_and_no_output(words: tuple[str, ...], customer: Customer) -> None:
    answer(customer, PAGES[2])
    assert customer.refused(69, "discover", *words, NAME) == (
        f"acfetch: {NAME}: cannot be discovered: {NAME} answered 404; example.com/team answered 404; "
        "example.com has no ac-discovery tags"
    )


FAILURES = {
    "answers 500": (Answer(status=500), "failed: the server answered 500"),
    "breaks off": (Answer(b"<meta", length=100), "failed: the connection ended early, after 5 of 100 bytes"),
    "leads to plain http": (redirect("http://example.com/x"), "failed: is plain http"),
}


@pytest.mark.parametrize(("said", "outcome"), FAILURES.values(), ids=FAILURES)
def test_the_walk_ends_at_a_page_that(said: Answer, outcome: str, customer: Customer) -> None:
    customer.configure("sources.json", {"example.com": {"templates": ["/srv/{name}.{ext}"]}})
    customer.server.answers[PAGES[1]] = said
    ended = customer.run("discover", NAME)
    assert ended.code == 0
    assert f"page       {PAGES[1]}  {outcome}\n" in ended.out
    assert PAGE not in customer.server.asked
    (customer.config / "sources.json").unlink()
    assert outcome in customer.refused(69, "discover", NAME)


def test_a_template_cannot_move_the_terminal(customer: Customer) -> None:
    answer(customer, PAGES[0], ("ac-discovery", "example.com", "https://a.b/\u202e\x1b[31m"), ("ac-discovery", "example.com", T))
    assert all(line.isprintable() for line in customer.run("discover", NAME).out.split("\n"))


USAGE = {
    "a URL": ("https://example.com/x.aci",),
    "a path": ("./x.aci",),
    "an ID": ("sha512-" + "0" * 128,),
    "two names": (NAME, NAME),
    "no name": ("--json",),
    "a word that gives up what is not asked for": ("--insecure-options=image", NAME),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is(words: tuple[str, ...], customer: Customer) -> None:
    customer.refused(2, "discover", *words)
    assert customer.server.asked == []


def test_what_the_policy_keeps_is_not_given_up(customer: Customer) -> None:
    customer.configure("policy.json", {"insecureOptions": []})
    assert "--insecure-options=tls: is not allowed" in customer.refused(77, "discover", "--insecure-options=tls", NAME)


def test_plain_http_leads_somewhere_for_those_who_gave_it_up(customer: Customer) -> None:
    customer.server.answers[PAGES[0]] = page(("example.com", "http://a.b/{name}.{ext}"))
    assert f"image      http://a.b/{NAME}.aci\n" in customer.run("discover", "--insecure-options=http", NAME).out
