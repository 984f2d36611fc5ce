"""Images, each signed by the right key, that are not what was asked for or are none; and keys and signatures that do not count."""

from __future__ import annotations

from collections.abc import Callable

from tests.acfetch.customer import ARCH, app, id_of, manifest, page
from tests.acfetch.hostile.behaviour import IMAGE, NAME, SIGNATURE, Arrange, Behaviour, Scene, Table, answers, every
from tests.support import images
from tests.support.gpg import Signer, make_signer
from tests.support.server import Answer

_LONG_AGO = "20200101T000000!"
_OTHER = "sha512-" + "0" * 128


def _image(make: Callable[[], bytes]) -> Arrange:
    """Arrange another image, signed by the publisher."""
    return lambda scene: scene.customer.put(IMAGE, make())


def _with_manifest(data: bytes) -> Arrange:
    return _image(lambda: images.image({"file": b"content"}, data))


def _says(code: int, says: str, make: Callable[[], bytes], *words: str) -> Behaviour:
    return Behaviour(_image(make), code, says, words or (NAME,))


IMAGES: Table = {
    "says another name in the manifest": _says(
        77, f"asked for {NAME}, the image says example.com/other", lambda: app("example.com/other")
    ),
    "says a longer name in the manifest": _says(77, f"asked for {NAME}, the image says {NAME}/x", lambda: app(f"{NAME}/x")),
    "says a shorter name in the manifest": _says(77, "the image says example.com", lambda: app("example.com")),
    "says a name of somebody else": _says(77, "mallory.example", lambda: app("mallory.example/app")),
    "says another machine in the manifest": _says(
        77, f'asked for "{ARCH}", the image says "s390x"', lambda: app(labels={"os": "linux", "arch": "s390x"})
    ),
    "says another version than was asked for": Behaviour(
        lambda scene: scene.customer.publish(NAME, app(labels={"os": "linux", "arch": ARCH, "version": "1"}), version="2"),
        77,
        'label version: asked for "2", the image says "1"',
        (f"{NAME}:2",),
    ),
    "has another image than was pinned": Behaviour(lambda _: None, 77, f"asked for {_OTHER}", (f"{NAME}@{_OTHER}",)),
    "has no name in the manifest": Behaviour(_with_manifest(images.manifest_bytes(name=None)), 65, "manifest: "),
    "has a name in the manifest that is none": Behaviour(
        _with_manifest(images.manifest_bytes(name="../../evil")), 65, "manifest: name"
    ),
    "has a label twice in the manifest": Behaviour(
        _with_manifest(images.manifest_bytes(name=NAME, labels=[{"name": "os", "value": "linux"}] * 2)), 65, "manifest: "
    ),
    "has the manifest of a pod": Behaviour(
        _with_manifest(manifest().replace(b"ImageManifest", b"PodManifest")), 65, "manifest: acKind"
    ),
    "has a manifest that moves a terminal": Behaviour(
        _with_manifest(manifest().replace(b"ImageManifest", b"\\u001b[2J\\u0000")), 65, "manifest: acKind"
    ),
    "has a manifest that is not JSON": Behaviour(_with_manifest(b"{"), 65, "manifest:1:2: not JSON"),
    "has a manifest that is nested for ever": Behaviour(_with_manifest(b'{"a":' + b"[" * 100_000), 65, "manifest: "),
    "has a manifest that needs itself": Behaviour(
        _with_manifest(manifest(dependencies=[{"imageName": NAME}])), 65, f"dependency cycle {NAME} -> {NAME}"
    ),
    "has a manifest that needs what nobody trusts": Behaviour(
        every(
            _with_manifest(manifest(dependencies=[{"imageName": "mallory.example/lib"}])),
            answers("https://mallory.example/?ac-discovery=1", page(("mallory.example", "https://mallory.example/{ext}"))),
        ),
        77,
        "mallory.example/lib: no key is trusted for this name",
    ),
    "sends an image that is cut": Behaviour(lambda scene: scene.customer.put(IMAGE, scene.image[:-9]), 65, IMAGE),
    "sends an image with something behind it": Behaviour(lambda scene: scene.customer.put(IMAGE, scene.image + b"more"), 65, IMAGE),
    "sends the signature as the image": Behaviour(lambda scene: scene.customer.put(IMAGE, b"-----BEGIN PGP SIGNATURE-----\n"), 65),
    "sends the image that was pinned": Behaviour(lambda _: None, words=(f"{NAME}@{id_of(app(NAME))}",)),
}


def _signed(make: Callable[[Scene], bytes], code: int = 77, says: str = "") -> Behaviour:
    """Return a server whose signature is what *make* makes."""
    return Behaviour(lambda scene: answers(SIGNATURE, Answer(make(scene)))(scene), code, says)


def _by(make: Callable[[Scene], Signer], *words: str, says: str) -> Behaviour:
    """Return a server whose signature is by a key of its own, trusted once, with further options of gpg."""

    def sign(scene: Scene) -> bytes:
        signer = make(scene)
        scene.customer.trust(signer, "example.com")
        return signer.sign(scene.image, *words, clock=_LONG_AGO)

    return _signed(sign, 77, says)


def _aged(name: str, expires: str = "0") -> Callable[[Scene], Signer]:
    return lambda scene: make_signer(scene.homes / name, expires=expires, clock=_LONG_AGO)


def _revoked(scene: Scene) -> bytes:
    signer = make_signer(scene.homes / "withdrawn")
    signature = signer.sign(scene.image)
    signer.revoke()
    scene.customer.trust(signer, "example.com")
    return signature


def _dearmoured(scene: Scene) -> bytes:
    return scene.publisher.run("--dearmor", data=scene.publisher.sign(scene.image))


def _two(first: Signer, second: Signer, data: bytes) -> bytes:
    """Return one armour around two signatures."""
    both = b"".join(signer.run("--dearmor", data=signer.sign(data)) for signer in (first, second))
    armour = first.run("--enarmor", data=both)
    return armour.replace(b"PGP ARMORED FILE", b"PGP SIGNATURE")


_NOT_ARMOURED = "is not an ascii-armoured detached signature"

SIGNATURES: Table = {
    "signs with a key that counts for nothing": _signed(
        lambda scene: scene.mallory.sign(scene.image), says="not among the trusted ones"
    ),
    "signs another file": _signed(lambda scene: scene.publisher.sign(b"other"), says="the signature is of another file"),
    "signs the image's ID": _signed(lambda scene: scene.publisher.sign(id_of(scene.image).encode()), says="is of another file"),
    "signs with a key that has expired": _by(_aged("aged", "seconds=1000"), says="the key that made it has expired"),
    "signs for a hundred seconds, long ago": _by(
        _aged("timed"), "--default-sig-expire", "seconds=100", "--detach-sign", says="the signature has expired"
    ),
    "signs with a key that was revoked": _signed(_revoked, says="the key that made it is revoked"),
    "signs with a digest that is weak": _by(_aged("weak"), "--digest-algo", "SHA1", "--detach-sign", says="no trusted signature"),
    "signs twice, first with a key that counts for nothing": _signed(
        lambda scene: _two(scene.mallory, scene.publisher, scene.image)
    ),
    "signs twice, then with a key that counts for nothing": _signed(
        lambda scene: _two(scene.publisher, scene.mallory, scene.image)
    ),
    "signs twice with a key that counts": _signed(lambda scene: _two(scene.publisher, scene.publisher, scene.image), 0),
    "sends a signature that is binary": _signed(_dearmoured, 65, _NOT_ARMOURED),
    "sends a message with its signature inside": _signed(
        lambda scene: scene.publisher.sign(scene.image, "--sign"), 65, _NOT_ARMOURED
    ),
    "sends a text that is clear-signed": _signed(lambda scene: scene.publisher.sign(b"x", "--clear-sign"), 65, _NOT_ARMOURED),
    "sends a key as the signature": _signed(lambda scene: scene.publisher.public, 65, _NOT_ARMOURED),
    "sends a page as the signature": _signed(lambda _: b"<!doctype html><p>Log in", 65, _NOT_ARMOURED),
    "sends an empty signature": _signed(lambda _: b"", 65, _NOT_ARMOURED),
    "sends a signature with something in front": _signed(
        lambda scene: b"Hello\n" + scene.publisher.sign(scene.image), 65, _NOT_ARMOURED
    ),
    "sends a signature with something behind": _signed(lambda scene: scene.publisher.sign(scene.image) + b"more\n", 0),
    "sends a signature with a damaged checksum": _signed(
        lambda scene: scene.publisher.sign(scene.image).replace(b"\n=", b"\n=A", 1), 77, "no trusted signature"
    ),
    "sends a signature with headers of its own": _signed(
        lambda scene: scene.publisher.sign(scene.image).replace(b"\n\n", b"\nComment: \x1b[2J\n\n", 1), 0
    ),
    "sends a signature of a byte too many": _signed(lambda _: b"x" * 65537, 76, "limit of 65536 bytes"),
    "has no signature": Behaviour(
        answers(SIGNATURE, Answer(status=404)), 77, "there is no signature (--insecure-options=image goes"
    ),
    "has its signature no more": Behaviour(answers(SIGNATURE, Answer(status=410)), 77, "there is no signature"),
    "has the signature and no image": Behaviour(answers(IMAGE, Answer(status=404)), 69, "the server answered 404"),
}
