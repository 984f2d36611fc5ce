"""Redirects: round in circles, out of https, to what is no address, and to other hosts."""

from __future__ import annotations

from acspec.limits import REDIRECTS
from tests.acfetch.hostile.behaviour import EVIL, IMAGE, ORIGIN, PAGE, SIGNATURE, Behaviour, Scene, Table, answers, every
from tests.support.server import Answer, endless, redirect

_CDN = "https://cdn.example/app.aci"


def _hops(count: int) -> Behaviour:
    def arrange(scene: Scene) -> None:
        scene.server.answers[f"{ORIGIN}/{count}"] = scene.server.answers[IMAGE]
        for number in range(1, count):
            scene.server.answers[f"{ORIGIN}/{number}"] = redirect(f"/{number + 1}")
        scene.server.answers[IMAGE] = redirect("/1")

    return Behaviour(arrange) if count <= REDIRECTS else Behaviour(arrange, 76, "more than the limit of 20 redirects")


def _moved(location: str, place: str, **more: object) -> Behaviour:
    """Return a server that has moved the image: *location* says where to, which means *place*."""

    def arrange(scene: Scene) -> None:
        scene.server.answers[place] = scene.server.answers[IMAGE]
        answer = redirect(location)
        scene.server.answers[IMAGE] = Answer(status=302, headers=answer.headers, **more)  # type: ignore[arg-type]

    return Behaviour(arrange)


def _refused(url: str, location: str, says: str) -> Behaviour:
    return Behaviour(answers(url, redirect(location)), 76, says)


REDIRECTED: Table = {
    "leads the image round in a circle": Behaviour(
        every(answers(IMAGE, redirect("/round")), answers(f"{ORIGIN}/round", redirect(IMAGE))), 76, "limit of 20 redirects"
    ),
    "leads the image over 20 hops": _hops(20),
    "leads the image over 21 hops": _hops(21),
    "leads the page back to itself": _refused(PAGE, "", "limit of 20 redirects"),
    "leads the page to plain http": _refused(PAGE, "http://example.com/", "is plain http (--insecure-options=http allows it)"),
    "leads the signature to plain http": _refused(SIGNATURE, "http://example.com/s", "is plain http"),
    "leads the image to plain http": _refused(IMAGE, "http://example.com/i", "is plain http"),
    "leads the image to a file of ours": _refused(IMAGE, "file:///etc/passwd", "file:///etc/passwd: names no host"),
    "leads the image to a file on a host": _refused(IMAGE, f"file://{EVIL}/x", 'the scheme "file" is neither https nor http'),
    "leads the image to a script": _refused(IMAGE, "javascript:alert(1)", "it leads to what is not a URL"),
    "leads the image to data": _refused(IMAGE, "data:text/plain,x", "it leads to what is not a URL"),
    "leads the image to another protocol": _refused(IMAGE, f"gopher://{EVIL}/x", 'the scheme "gopher" is neither'),
    "leads the image to user information": _refused(IMAGE, f"https://me:hidden@{EVIL}/x", "…@evil.example/x: holds user info"),
    "leads the image behind a backslash": _refused(IMAGE, f"https://example.com\\@{EVIL}/x", "holds characters that no URL has"),
    "leads the image to a name beyond ASCII": _refused(IMAGE, "https://ex\xe4mple.com/x", "holds characters that no URL has"),
    "leads the image to an address with a zone": _refused(IMAGE, "https://[fe80::1%25eth0]/x", "names no host that can be asked"),
    "leads the image to port 0": _refused(IMAGE, f"https://{EVIL}:0/x", "names no host that can be asked"),
    "leads the image to port 65536": _refused(IMAGE, f"https://{EVIL}:65536/x", "is not a URL"),
    "leads the image up out of the root": _refused(IMAGE, "https://example.com/%2e%2e/x", "its path has . or .. in it"),
    "names two places to go to": Behaviour(
        answers(IMAGE, Answer(raw=b"HTTP/1.1 302 X\r\nLocation: https://a.example/\r\nLocation: https://b.example/\r\n\r\n")),
        76,
        "https://a.example/, https://b.example/: holds characters that no URL has",
    ),
    "names a place too long for a URL": _refused(IMAGE, "/" + "x" * 9_000, "longer than the limit of 8192 bytes for a URL"),
    "names a place too long for a head": _refused(IMAGE, "/" + "x" * 200_000, "the answer is not HTTP"),
    "leads on without saying where to": Behaviour(answers(IMAGE, Answer(status=302)), 69, "the server answered 302"),
    "lets us choose": Behaviour(answers(IMAGE, redirect(f"https://{EVIL}/", 300)), 69, "the server answered 300"),
    "leads on with a body that never ends": _moved(_CDN, _CDN, body=endless(), length=None),
    "leads the image to another host": _moved(_CDN, _CDN),
    "leads the image to another host by its name alone": _moved("//cdn.example/app.aci", _CDN),
    "leads the image to another query": _moved("?again", f"{IMAGE}?again"),
    "leads the image to a place above": _moved("../../up.aci", f"{ORIGIN}/up.aci"),
    "leads the image to a fragment": _moved("/other.aci#part", f"{ORIGIN}/other.aci"),
    "leads the image to an encoded end of line": _moved("/x%0d%0aHost:%20y", f"{ORIGIN}/x%0d%0aHost:%20y"),
    "leads the image to a text with a tabulator": _refused(IMAGE, "/ot\ther.aci", "it leads to what is not a URL"),
}
