"""Servers and proxies that ask who is there: with and without an entry for the place, in schemes that nobody knows, for ever."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from tests.acfetch.hostile.behaviour import (
    IMAGE,
    NAME,
    ORIGIN,
    PAGE,
    PRIVATE,
    SECRETS,
    SIGNATURE,
    Arrange,
    Behaviour,
    Scene,
    Table,
    answers,
    every,
    leads,
)
from tests.support.server import Answer, Request, redirect

_APP = f"{PRIVATE}app.aci"
_BASIC = f"Basic {b64encode(f'me:{SECRETS[0]}'.encode()).decode()}"
_BEARER = f"Bearer {SECRETS[1]}"
_INSIDE = leads(("example.com", f"{PRIVATE}app.{{ext}}"))


def _asked(*challenges: str, status: int = 401) -> Answer:
    lines = [f"HTTP/1.1 {status} Who", *(f"WWW-Authenticate: {challenge}" for challenge in challenges)]
    return Answer(raw="\r\n".join([*lines, "Content-Length: 0", "", ""]).encode("latin-1"))


def _asks(*challenges: str, wanted: str = "", then: Callable[[Request], Answer] | None = None) -> Arrange:
    """Arrange that the place for which there are credentials asks, and gives the image to who says *wanted*."""

    def arrange(scene: Scene) -> None:
        _INSIDE(scene)
        scene.put_all_at(_APP)
        for url in (_APP, f"{_APP}.asc"):
            answer = scene.server.answers[url]

            def decide(request: Request, answer: Answer = answer) -> Answer:
                if request.headers.get("authorization", "") != wanted or not wanted:
                    return _asked(*challenges)
                return then(request) if then else answer

            scene.server.decisions[url] = decide

    return arrange


def _elsewhere(place: str) -> Arrange:
    """Arrange that the private place leads on to *place*, which asks, too."""

    def arrange(scene: Scene) -> None:
        _asks("Basic", wanted=_BASIC, then=lambda _: redirect(place))(scene)
        scene.server.answers[place] = _asked("Basic", "Bearer")

    return arrange


def _refused(arrange: Arrange, says: str = "the server answered 401", *options: str) -> Behaviour:
    return Behaviour(arrange, 69, says, (*options, NAME))


QUESTIONS: Table = {
    "asks, without an entry for it, for an image": _refused(answers(IMAGE, _asked("Basic"))),
    "asks, without an entry for it, for a signature": _refused(answers(SIGNATURE, _asked("Bearer"))),
    "asks, without an entry for it, for a page": _refused(answers(PAGE, _asked("Basic")), "example.com answered 401"),
    "asks for a password that there is": Behaviour(_asks("Basic realm=x", wanted=_BASIC)),
    "asks for a token that there is": Behaviour(_asks("Bearer", wanted=_BEARER)),
    "asks for either in one header": Behaviour(_asks('Basic realm="a, Bearer b", Bearer', wanted=_BEARER)),
    "asks for something odd, and for a password in another header": Behaviour(_asks("Odd a=b", "basic", wanted=_BASIC)),
    "asks for ever": _refused(_asks("Basic")),
    "asks for a scheme that nobody knows": _refused(_asks("Kerberos-ish x")),
    "asks for a digest": _refused(_asks('Digest realm="x", nonce="Basic"')),
    "asks without saying for what": _refused(_asks()),
    "asks in words that have no end": _refused(_asks('Basic realm="never closed')),
    "asks in words beyond ASCII": _refused(_asks("\xff\xfe \xe4")),
    "asks for ten thousand schemes": _refused(_asks(", ".join(f"S{number}" for number in range(10_000)))),
    "forbids, with a question": _refused(
        every(_INSIDE, answers(f"{_APP}.asc", _asked("Basic", status=403))), "the server answered 403"
    ),
    "speaks as if it were a proxy that asks": _refused(
        every(_INSIDE, answers(f"{_APP}.asc", Answer(status=407, headers={"Proxy-Authenticate": "Basic"}))),
        "the server answered 407",
    ),
    "leads on to another host that asks": _refused(_elsewhere("https://other.example/private/app.aci")),
    "leads on to another port that asks": _refused(_elsewhere("https://example.com:8443/private/app.aci")),
    "leads on to another path that asks": _refused(_elsewhere(f"{ORIGIN}/privately/app.aci")),
    "leads on to a host that begins the same": _refused(_elsewhere("https://example.com.other.example/private/app.aci")),
    "leads on to a host that ends the same": _refused(_elsewhere("https://notexample.com/private/app.aci")),
    "leads on to plain http that asks": _refused(
        _elsewhere("http://example.com/private/app.aci"), "no credentials are sent over plain http", "--insecure-options=http"
    ),
    "asks where nobody looks at its certificate": _refused(
        _asks("Basic"), "no credentials are sent with --insecure-options=tls", "--insecure-options=tls"
    ),
    "asks as a proxy": _refused(
        answers("CONNECT example.com:443", Answer(status=407, headers={"Proxy-Authenticate": "Basic"})), "does not lead there: 407"
    ),
    "fails as a proxy": _refused(answers("CONNECT example.com:443", Answer(status=502)), "the proxy does not lead there: 502"),
    "speaks nonsense as a proxy": Behaviour(
        answers("CONNECT example.com:443", Answer(raw=b"SSH-2.0-x\r\n\r\n")), 76, "the answer is not HTTP"
    ),
    "goes away as a proxy": _refused(answers("CONNECT example.com:443", Answer(raw_pieces=[])), "ended before the answer began"),
}
