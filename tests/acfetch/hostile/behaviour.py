"""What a hostile server does, and how a fetch from it ends: the values that the tables beside this are made of.

A scene begins well: the publisher's page, image and signature are all in place. What a behaviour arranges is the one fault in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.acfetch.customer import ARCH, Customer, app, page
from tests.support.gpg import Signer
from tests.support.server import Answer, Server

NAME = "example.com/app"
ORIGIN = "https://example.com"
PAGE = f"{ORIGIN}/?ac-discovery=1"
IMAGE = f"{ORIGIN}/images/{NAME}-latest-linux-{ARCH}.aci"
SIGNATURE = f"{IMAGE}.asc"

# The only place that somebody is told at who asks, once it has asked; and the two secrets.
PRIVATE = f"{ORIGIN}/private/"
SECRETS = ("pass-word", "t0ken-t0ken")
AUTH = {"example.com/private": {"basic": {"user": "me", "password": SECRETS[0]}, "bearer": {"token": SECRETS[1]}}}

# Where baits lead to: nothing may ever be asked of it.
EVIL = "evil.example"


@dataclass(frozen=True)
class Scene:
    """The customer, the image that is to be had, and a second key that counts for nothing."""

    customer: Customer
    image: bytes
    mallory: Signer
    homes: Path

    @property
    def server(self) -> Server:
        """The server that all hosts are."""
        return self.customer.server

    @property
    def publisher(self) -> Signer:
        """Whose signature counts."""
        return self.customer.publisher

    def put_all_at(self, url: str) -> None:
        """Put the image and its signature at another place, too."""
        self.server.answers[url] = self.server.answers[IMAGE]
        self.server.answers[f"{url}.asc"] = self.server.answers[SIGNATURE]


Arrange = Callable[[Scene], object]


@dataclass(frozen=True)
class Behaviour:
    """What the server does, and how it ends: 0 is the right image, anything else one line in which *says* is."""

    arrange: Arrange
    code: int = 0
    says: str = ""
    words: tuple[str, ...] = (NAME,)


Table = Mapping[str, Behaviour]


def answers(url: str, answer: Answer) -> Arrange:
    """Arrange one answer."""

    def arrange(scene: Scene) -> None:
        scene.server.answers[url] = answer

    return arrange


def serves(**changes: object) -> Arrange:
    """Arrange the right image, in an answer that is odd otherwise."""

    def arrange(scene: Scene) -> None:
        scene.server.answers[IMAGE] = Answer(**{"body": scene.image, **changes})  # type: ignore[arg-type]

    return arrange


def raw_image(head: Callable[[int], str], after: bytes = b"") -> Arrange:
    """Arrange the right image behind a head that is as it is; it is given the image's size."""

    def arrange(scene: Scene) -> None:
        start = head(len(scene.image)).replace("\n", "\r\n").encode("latin-1")
        scene.server.answers[IMAGE] = Answer(raw=start + scene.image + after)

    return arrange


def leads(*tags: tuple[str, str]) -> Arrange:
    """Arrange a discovery page with tags of prefix and template."""
    return answers(PAGE, page(*tags))


def every(*steps: Arrange) -> Arrange:
    """Arrange all of several things, in order."""

    def arrange(scene: Scene) -> None:
        for step in steps:
            step(scene)

    return arrange


def configured(name: str, value: object) -> Arrange:
    """Arrange a file of the customer's configuration."""
    return lambda scene: scene.customer.configure(name, value)


def small_image() -> bytes:
    """Return the image that is to be had."""
    return app(NAME)
