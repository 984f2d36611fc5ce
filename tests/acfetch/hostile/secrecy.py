"""TLS: certificates that are not the host's, hosts that speak something else, and connections that end anyhow."""

from __future__ import annotations

from tests.acfetch.hostile.behaviour import IMAGE, SIGNATURE, Arrange, Behaviour, Scene, Table, answers, every, leads
from tests.support.server import EXPIRED, OTHER_NAME, SELF_SIGNED, Answer, redirect

_NO_CERTIFICATE = "its certificate is not accepted: "
_LOUD = "loud.example"


def _on(host: str) -> Arrange:
    """Arrange that the image is on another host."""

    def arrange(scene: Scene) -> None:
        leads(("example.com", f"https://{host}/app.{{ext}}"))(scene)
        scene.put_all_at(f"https://{host}/app.aci")

    return arrange


def _speaks(data: bytes, says: str) -> Behaviour:
    """Return a server on which a host says *data* instead of TLS."""

    def arrange(scene: Scene) -> None:
        _on(_LOUD)(scene)
        scene.server.instead_of_tls[_LOUD] = data

    return Behaviour(arrange, 69, says)


def _moved_to(host: str) -> Behaviour:
    def arrange(scene: Scene) -> None:
        scene.put_all_at(f"https://{host}/app.aci")
        scene.server.answers[IMAGE] = redirect(f"https://{host}/app.aci")

    return Behaviour(arrange, 69, _NO_CERTIFICATE)


SECRECY: Table = {
    "has a certificate that has expired": Behaviour(_on(EXPIRED), 69, f"{_NO_CERTIFICATE}certificate has expired"),
    "has a certificate by nobody we know": Behaviour(_on(SELF_SIGNED), 69, _NO_CERTIFICATE),
    "has a certificate for another host": Behaviour(_on(OTHER_NAME), 69, f"{_NO_CERTIFICATE}Hostname mismatch"),
    "leads the image to a certificate that has expired": _moved_to(EXPIRED),
    "leads the image to a certificate for another host": _moved_to(OTHER_NAME),
    "speaks plain HTTP on the port of TLS": _speaks(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number"),
    "speaks SSH on the port of TLS": _speaks(b"SSH-2.0-OpenSSH_9.2\r\n", "wrong version number"),
    "speaks nonsense on the port of TLS": _speaks(bytes(range(200, 256)) * 10, "wrong version number"),
    "sends an alert on the port of TLS": _speaks(b"\x15\x03\x03\x00\x02\x02\x28", "handshake failure"),
    "sends half a record on the port of TLS": _speaks(b"\x16\x03\x03\x40\x00\x02\x00", "EOF occurred in violation of protocol"),
    "goes away on the port of TLS": _speaks(b"", "EOF occurred in violation of protocol"),
    "ends TLS without a word, behind a length": Behaviour(lambda _: None),
    "ends TLS without a word, in an image of no length": Behaviour(
        lambda scene: answers(IMAGE, Answer(scene.image[:-9], length=None))(scene), 65, IMAGE
    ),
    "ends TLS without a word, in a signature of no length": Behaviour(
        every(lambda scene: answers(SIGNATURE, Answer(scene.publisher.sign(scene.image)[:100], length=None))(scene)),
        77,
        "no trusted",
    ),
}
