"""Heads of answers: status lines that are none, statuses nobody asked for, and headers without measure."""

from __future__ import annotations

from itertools import chain, repeat

from tests.acfetch.hostile.behaviour import IMAGE, PAGE, SIGNATURE, Behaviour, Table, answers, configured, every, raw_image
from tests.support.server import Answer

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NOT_HTTP = "the answer is not HTTP"


def _head(text: str, code: int = 0, says: str = "") -> Behaviour:
    """Return a server that sends the right image behind *text* and its size."""
    return Behaviour(raw_image(lambda size: f"{text}Content-Length: {size}\n\n"), code, says)


def _status(status: int, url: str = IMAGE) -> Behaviour:
    return Behaviour(answers(url, Answer(status=status, length=None)), 69, f"the server answered {status}")


HEADS: Table = {
    "speaks HTTP/0.9": Behaviour(answers(PAGE, Answer(raw=b"<html>\r\n\r\n<head></head></html>\n")), 76, _NOT_HTTP),
    "speaks HTTP/1.0": _head("HTTP/1.0 200 OK\n"),
    "speaks HTTP/2 without being asked": _head("HTTP/2.0 200 OK\n"),
    "speaks of HTTP in small letters": _head("http/1.1 200 OK\n", 76, _NOT_HTTP),
    "speaks the protocol of a radio station": _head("ICY 200 OK\n", 76, _NOT_HTTP),
    "speaks the protocol of mail": Behaviour(answers(SIGNATURE, Answer(raw=b"220 mail.example ESMTP\r\n\r\n")), 76, _NOT_HTTP),
    "gives a status without a reason": _head("HTTP/1.1 200\n"),
    "gives a status with a hostile reason": _head("HTTP/1.1 404 \x1b[2J\x1b[31m\n", 69, "the server answered 404"),
    "gives a status of four digits": _head("HTTP/1.1 2000 OK\n", 76, _NOT_HTTP),
    "gives a status of letters": _head("HTTP/1.1 abc OK\n", 76, _NOT_HTTP),
    "gives status 000": _head("HTTP/1.1 000 OK\n", 76, _NOT_HTTP),
    "gives status 999": _head("HTTP/1.1 999 OK\n", 69, "the server answered 999"),
    "has no content, unasked": _status(204),
    "has no page content, unasked": _status(204, PAGE),
    "resets the content, unasked": _status(205),
    "sends a part, unasked": Behaviour(
        answers(IMAGE, Answer(b"xyz", 206, headers={"Content-Range": "bytes 0-2/100"})), 69, "the server answered 206"
    ),
    "says that nothing has changed, unasked": _status(304),
    "says that it is full": _status(507, SIGNATURE),
    "fails": _status(500, PAGE),
    "switches protocols, unasked": Behaviour(
        answers(IMAGE, Answer(raw=b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n")), 76, _NOT_HTTP
    ),
    "asks for patience a thousand times": Behaviour(
        raw_image(lambda size: _CONTINUE.decode().replace("\r", "") * 1000 + f"HTTP/1.1 200 OK\nContent-Length: {size}\n\n")
    ),
    "asks for patience for ever": Behaviour(
        every(
            configured("fetch.json", {"silenceSeconds": 1}),
            answers(IMAGE, Answer(raw_pieces=repeat(_CONTINUE * 100))),
        ),
        69,
        "the answer did not begin within 1 s",
    ),
    "sends headers for ever": Behaviour(
        answers(IMAGE, Answer(raw_pieces=chain([b"HTTP/1.1 200 OK\r\n"], repeat(b"A: b\r\n" * 100)))), 76, _NOT_HTTP
    ),
    "sends one header for ever": Behaviour(
        answers(IMAGE, Answer(raw_pieces=chain([b"HTTP/1.1 200 OK\r\nA: "], repeat(b"b" * 1000)))), 76, _NOT_HTTP
    ),
    "sends a status line for ever": Behaviour(
        answers(PAGE, Answer(raw_pieces=repeat(b"HTTP/1.1 200 " + b"x" * 999))), 76, _NOT_HTTP
    ),
    "sends 10,000 headers": _head("HTTP/1.1 200 OK\n" + "A: b\n" * 10_000),
    "sends a header with a zero byte": _head("HTTP/1.1 200 OK\nA: b\0c\n", 76, _NOT_HTTP),
    "sends a header without a colon": _head("HTTP/1.1 200 OK\nA b\n", 76, _NOT_HTTP),
    "sends a header without a name": _head("HTTP/1.1 200 OK\n: b\n", 76, _NOT_HTTP),
    "sends a header with a space in its name": _head("HTTP/1.1 200 OK\nA b: c\n", 76, _NOT_HTTP),
    "sends a header beyond ASCII": _head("HTTP/1.1 200 OK\nA: \xff\xfe\n"),
    "sends a header that is folded": _head("HTTP/1.1 200 OK\nA: b\n c\n"),
    "sends cookies for everybody": _head("HTTP/1.1 200 OK\n" + "Set-Cookie: a=b; Domain=example.com; Path=/\n" * 100),
    "ends its lines oddly": Behaviour(
        lambda scene: answers(IMAGE, Answer(raw=b"HTTP/1.1 200 OK\nContent-Length: %d\n\n%b" % (len(scene.image), scene.image)))(
            scene
        )
    ),
    "answers twice at once": Behaviour(
        raw_image(lambda size: f"HTTP/1.1 200 OK\nContent-Length: {size}\n\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    ),
}
