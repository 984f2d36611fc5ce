"""A hostile server, in more than two hundred behaviours: each ends in the right image, or in one clear line and the right code.

Whatever it does: the store is as it was but for the right image, nobody is told who we are who should not be, and no bait is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acfetch.customer import Customer, id_of
from tests.acfetch.hostile.behaviour import AUTH, EVIL, IMAGE, PRIVATE, SECRETS, SIGNATURE, Scene, small_image
from tests.acfetch.hostile.bodies import BODIES
from tests.acfetch.hostile.contents import IMAGES, SIGNATURES
from tests.acfetch.hostile.heads import HEADS
from tests.acfetch.hostile.pages import PAGES, TEMPLATES
from tests.acfetch.hostile.questions import QUESTIONS
from tests.acfetch.hostile.redirects import REDIRECTED
from tests.acfetch.hostile.secrecy import SECRECY
from tests.support.desk import snapshot
from tests.support.gpg import Signer
from tests.support.server import Answer
from tests.support.stores import add_image

TABLES = (REDIRECTED, HEADS, BODIES, SECRECY, QUESTIONS, PAGES, TEMPLATES, IMAGES, SIGNATURES)
ALL = {words: behaviour for table in TABLES for words, behaviour in table.items()}
LONGEST_LINE = 1000


@pytest.fixture(scope="session")
def signed(publisher: Signer) -> tuple[bytes, bytes]:
    """Return the image that is to be had, and its signature."""
    image = small_image()
    return image, publisher.sign(image)


@pytest.fixture
def scene(customer: Customer, signed: tuple[bytes, bytes], mallory: Signer, homes: Path) -> Scene:
    """Give the test a scene in which all is well, and a store that holds another image."""
    image, signature = signed
    add_image(customer.store, "example.com/other", age=100)
    customer.configure("auth.json", AUTH)
    scene = Scene(customer, image, mallory, homes)
    scene.server.answers[IMAGE], scene.server.answers[SIGNATURE] = Answer(image), Answer(signature)
    return scene


@pytest.mark.parametrize("words", ALL)
def test_a_fetch_ends_well_or_in_one_line_where_a_server(words: str, scene: Scene) -> None:
    behaviour = ALL[words]
    behaviour.arrange(scene)
    before = snapshot(scene.customer.store)
    ended = scene.customer.run("--quiet", *behaviour.words)
    said = f"{ended.code} {ended.err[:LONGEST_LINE]!r}"
    assert ended.code == behaviour.code, said
    if behaviour.code == 0:
        _check_taken(scene, before, ended.out, ended.err)
    else:
        assert ended.out == ""
        assert len(ended.err.splitlines()) == 1, said
        assert len(ended.err) < LONGEST_LINE
        assert ended.err.startswith("acfetch: "), said
        assert ended.err.rstrip("\n").isprintable(), said
        assert behaviour.says in ended.err, said
        assert snapshot(scene.customer.store) == before
    _check_secrets(scene, ended.out + ended.err)


def _check_taken(scene: Scene, before: object, out: str, err: str) -> None:
    """Check that the right image is in the store, and nothing else is new."""
    assert err == ""
    assert out == f"{scene.customer.store}/images/{id_of(scene.image)}.aci\n"
    after = {path: value for path, value in snapshot(scene.customer.store).items() if id_of(scene.image) not in path}
    assert after == before


def _check_secrets(scene: Scene, written: str) -> None:
    """Check that nobody was told who we are but the one place that may be, and nobody saw what a bait leads to."""
    for request in [*scene.server.requests, *scene.server.connects]:
        assert EVIL not in request.url
        assert not {"cookie", "referer", "proxy-authorization"} & set(request.headers)
        assert "authorization" not in request.headers or request.url.startswith(PRIVATE), request
    assert not [secret for secret in SECRETS if secret in written]


def _repeated() -> Iterator[str]:
    counts = Counter(words for table in TABLES for words in table)
    return (words for words, count in counts.items() if count > 1)


def test_at_least_eighty_behaviours_have_a_name_of_their_own() -> None:
    assert not list(_repeated())
    assert len(ALL) >= 80
