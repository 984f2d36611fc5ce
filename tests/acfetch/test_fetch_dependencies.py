"""Dependencies: held to the same rule as what needs them, bounded, each fetched once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acspec import limits
from acspec.store import Store
from tests.acfetch.customer import ARCH, TEMPLATE, Customer, app, id_of, page
from tests.support.gpg import Signer
from tests.support.server import Answer
from tests.support.stores import check_store
from tests.support.waiting import wait_for

NAME = "example.com/app"
UNSIGNED = "--insecure-options=image"


def need(name: str, **fields: Any) -> dict[str, Any]:
    """Return a dependency; the name is below example.com."""
    return {"imageName": f"example.com/{name}", **fields}


def publish(customer: Customer, name: str, *dependencies: dict[str, Any], by: Signer | None = None) -> bytes:
    """Publish an image that depends on others, and return it."""
    data = app(f"example.com/{name}", dependencies=dependencies)
    customer.publish(f"example.com/{name}", data, by=by)
    return data


def test_dependencies_are_in_the_store_and_only_what_was_asked_for_is_printed(customer: Customer) -> None:
    base, lib, other = publish(customer, "base"), publish(customer, "lib", need("base")), publish(customer, "other")
    data = publish(customer, "app", need("other"), need("lib"))
    [line] = customer.fetch(NAME)
    assert os.path.basename(line) == f"{id_of(data)}.aci"
    assert customer.record(line)["dependencies"] == [id_of(other), id_of(lib)]
    assert {record.id for record in Store.open(str(customer.store)).records()} == {id_of(item) for item in (base, lib, other, data)}


def test_a_dependency_that_is_right_in_everything(customer: Customer) -> None:
    lib = app("example.com/lib", {"os": "linux", "arch": ARCH, "version": "1"})
    customer.publish("example.com/lib", lib, version="1")
    labels = [{"name": "version", "value": "1"}]
    publish(customer, "app", need("lib", imageID=id_of(lib), size=len(lib), labels=labels))
    customer.fetch(NAME)


OTHER_ID = "sha512-" + "0" * 128
WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "is not there": (need("nowhere"), 69, "example.com/nowhere-latest-linux"),
    "is nowhere to be discovered": ({"imageName": "other.example/lib"}, 69, "other.example/lib: cannot be discovered: "),
    "has another ID": (need("lib", imageID=OTHER_ID), 77, f"example.com/lib: asked for {OTHER_ID}, the image is sha512-"),
    "is larger": (need("lib", size=10), 77, "is larger than the 10 bytes that the dependency's size says"),
    "is smaller": (need("lib", size=10**6), 77, "the dependency's size says 1000000"),
    "has another label": (need("lib", labels=[{"name": "version", "value": "latest"}]), 77, 'version: asked for "latest"'),
    "says another name": (need("liar"), 77, "asked for example.com/liar, the image says example.com/lib"),
    "has a name that no key is trusted for": ({"imageName": "example.org/lib"}, 77, "no key is trusted for this name"),
    "is signed by a stranger": (need("foreign"), 77, "no trusted signature for example.com/foreign"),
}


@pytest.mark.parametrize(("dependency", "code", "message"), WRONG.values(), ids=WRONG)
def test_an_image_is_refused_when_a_dependency(
    dependency: dict[str, Any], code: int, message: str, customer: Customer, mallory: Signer
) -> None:
    lib = publish(customer, "lib")
    customer.server.answers["https://example.org/?ac-discovery=1"] = page(("example.org", TEMPLATE))
    customer.publish("example.com/liar", lib)
    publish(customer, "foreign", by=mallory)
    publish(customer, "good")
    publish(customer, "app", need("good"), dependency)
    assert message in customer.refused(code, NAME)


def test_two_dependencies_that_differ_in_size_only_are_both_held_to_it(customer: Customer) -> None:
    lib = publish(customer, "lib")
    publish(customer, "app", need("lib", size=len(lib)), need("lib", size=len(lib) + 1))
    assert f"the dependency's size says {len(lib) + 1}" in customer.refused(77, NAME)


def test_a_pinned_dependency_comes_from_the_store(customer: Customer) -> None:
    lib = publish(customer, "lib")
    customer.fetch("example.com/lib")
    del customer.server.answers[f"https://example.com/images/example.com/lib-latest-linux-{ARCH}.aci"]
    publish(customer, "app", need("lib", imageID=id_of(lib), size=len(lib)))
    customer.fetch(NAME)
    publish(customer, "app", need("lib", imageID=id_of(lib), size=len(lib) - 1))
    customer.refused(69, NAME)


CYCLES = {
    "itself": ({"app": ["app"]}, "example.com/app -> example.com/app"),
    "one that needs it": ({"app": ["lib"], "lib": ["app"]}, "example.com/app -> example.com/lib -> example.com/app"),
    "others that need each other": (
        {"app": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]},
        "a -> example.com/b -> example.com/c -> example.com/a",
    ),
}


@pytest.mark.parametrize(("graph", "message"), CYCLES.values(), ids=CYCLES)
def test_a_cycle_is_shown(graph: dict[str, list[str]], message: str, customer: Customer) -> None:
    for name, needs in graph.items():
        publish(customer, name, *map(need, needs))
    assert customer.refused(65, UNSIGNED, NAME).endswith(message)


def test_diamonds_cost_what_their_images_cost(customer: Customer) -> None:
    # Ten storeys of two images, each of which needs both below: 1024 ways down.
    for storey in range(10):
        below = [need(f"{storey + 1}a"), need(f"{storey + 1}b")] if storey < 9 else []
        for side in "ab":
            publish_unsigned(customer, f"{storey}{side}", *below)
    publish_unsigned(customer, "app", need("0a"), need("0b"))
    customer.fetch(UNSIGNED, NAME)
    images = [url for url in customer.server.asked if url.endswith(".aci")]
    assert len(images) == len(set(images)) == 21


def publish_unsigned(customer: Customer, name: str, *dependencies: dict[str, Any]) -> None:
    url = f"https://example.com/images/example.com/{name}-latest-linux-{ARCH}.aci"
    customer.server.answers[url] = Answer(app(f"example.com/{name}", dependencies=dependencies))


def chain(customer: Customer, length: int) -> None:
    """Publish an image with a chain of *length* dependencies below it."""
    names = ["app", *(f"d{number}" for number in range(length))]
    for name, below in zip(names, [*names[1:], None], strict=True):
        publish_unsigned(customer, name, *([need(below)] if below else []))


def test_dependencies_have_a_limit_of_depth(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DEPENDENCY_DEPTH", 3)
    chain(customer, 3)
    customer.fetch(UNSIGNED, NAME)
    chain(customer, 4)
    assert customer.refused(65, UNSIGNED, NAME) == f"acfetch: {NAME}: dependencies deeper than the limit of 3"


def test_the_limit_of_depth_counts_what_has_been_fetched_before(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DEPENDENCY_DEPTH", 3)
    chain(customer, 4)
    message = customer.refused(65, UNSIGNED, "example.com/d0", NAME)
    assert message == f"acfetch: {NAME}: dependencies deeper than the limit of 3"


def test_dependencies_have_a_limit_of_number_for_each_image_and_not_for_all(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEPENDENCIES", 4)
    for name in "abcdef":
        publish_unsigned(customer, name)
    publish_unsigned(customer, "app", need("a"), need("b"), need("c"))
    publish_unsigned(customer, "other", need("d"), need("e"), need("f"))
    customer.fetch(UNSIGNED, NAME, "example.com/other", *(f"example.com/{name}" for name in "abcdef"))
    publish_unsigned(customer, "app", need("a"), need("b"), need("c"), need("d"))
    assert customer.refused(65, UNSIGNED, NAME) == f"acfetch: {NAME}: more than the limit of 4 dependencies"
    publish_unsigned(customer, "app", need("a"), need("other"))
    assert "more than the limit of 4 dependencies" in customer.refused(65, UNSIGNED, "example.com/other", NAME)


def test_endless_dependencies_end_at_the_limit(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DEPENDENCIES", 10)
    names = [f"d{number}" for number in range(100)]
    for name in names:
        publish_unsigned(customer, name)
    publish_unsigned(customer, "app", *map(need, names))
    customer.refused(65, UNSIGNED, NAME)
    assert len([url for url in customer.server.asked if url.endswith(".aci")]) <= 12


def test_a_collection_in_the_middle_of_a_fetch_leaves_what_it_relies_upon(customer: Customer) -> None:
    """The first dependency is there already; while the second one comes, everything that nothing needs is collected."""
    base, other = publish(customer, "base"), publish(customer, "other")
    customer.fetch("example.com/base")
    customer.fetch("example.com/other")
    slow = app("example.com/slow")
    url = customer.publish("example.com/slow", slow)
    publish(customer, "app", need("base", imageID=id_of(base)), need("slow"))
    collected: list[str] = []
    there = (customer.store / "images" / f"{id_of(base)}.aci").stat().st_ino

    def halves() -> Iterator[bytes]:
        yield slow[:60]
        wait_for(lambda: f":{there} " in Path("/proc/locks").read_text(), "the lock on the one that is there")
        collected.append(customer.run_program("gc", "--keep-for", "0").out)
        yield slow[60:]

    customer.server.answers[url] = Answer(halves(), length=len(slow))
    asked = len(customer.server.asked)
    [line] = customer.fetch(NAME)
    assert [text.split()[1] for text in collected[0].splitlines()] == [id_of(other)[:19]]
    assert id_of(base) in check_store(customer.store)
    assert customer.record(line)["dependencies"] == [id_of(base), id_of(slow)]
    assert not [url for url in customer.server.asked[asked:] if "base" in url]
