"""Bodies: of lengths that are not true, in chunks that are none, cut at each stage, without an end, and packed on the way."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from itertools import chain

from tests.acfetch.hostile.behaviour import (
    IMAGE,
    PAGE,
    SIGNATURE,
    Arrange,
    Behaviour,
    Scene,
    Table,
    answers,
    configured,
    every,
    raw_image,
    serves,
)
from tests.support.server import Answer, endless

_NOT_HTTP = "the answer is not HTTP"
_CHUNKED = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
_MIB = 1 << 20


def _sized(length: str, code: int, says: str = "") -> Behaviour:
    return Behaviour(raw_image(lambda _: f"HTTP/1.1 200 OK\nContent-Length: {length}\n\n"), code, says)


def _chunked(text: str, code: int = 76, says: str = _NOT_HTTP) -> Behaviour:
    """Return a server that sends *text* for chunks."""
    return Behaviour(answers(IMAGE, Answer(raw=(_CHUNKED + text).replace("\n", "\r\n").encode("latin-1"))), code, says)


def _in_chunks(size: int, after: bytes = b"") -> Arrange:
    """Arrange the right image in chunks of *size* bytes, the last one with *after* behind it."""

    def arrange(scene: Scene) -> None:
        pieces = [scene.image[start : start + size] for start in range(0, len(scene.image), size)]
        body = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        scene.server.answers[IMAGE] = Answer(raw=_CHUNKED.replace("\n", "\r\n").encode() + body + b"0\r\n" + after + b"\r\n")

    return arrange


def _with_length(answer: Answer) -> Answer:
    return Answer(raw=answer.raw.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1))


def _cut(url: str, stage: str) -> Arrange:
    """Arrange that the answer for *url* ends at a stage of it."""

    def arrange(scene: Scene) -> None:
        body = scene.server.answers[url].body
        assert isinstance(body, bytes)
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        head = whole.index(b"\r\n\r\n")
        ends = {
            "before its head": 0,
            "in its status line": 5,
            "in its head": head - 8,
            "after its head": head + 4,
            "in its body": -1,
        }
        scene.server.answers[url] = Answer(raw_pieces=[whole[: ends[stage]]])

    return arrange


def _cuts() -> Iterator[tuple[str, Behaviour]]:
    for what, url in (("page", PAGE), ("signature", SIGNATURE), ("image", IMAGE)):
        for stage in ("before its head", "in its status line", "in its head", "after its head", "in its body"):
            says = (
                "the connection ended early, after "
                if stage in ("after its head", "in its body")
                else "ended before the answer began"
            )
            yield f"cuts the {what} {stage}", Behaviour(_cut(url, stage), 69, says)


def _goes_on(scene: Scene) -> None:
    """Arrange an image that is right up to its end, behind which zeros come for ever."""
    tar = gzip.decompress(scene.image)
    scene.server.answers[IMAGE] = Answer(chain([tar], endless(bytes(4096))), length=None)


def _silent(url: str, answer: Answer, says: str = "timed out: ") -> Behaviour:
    return Behaviour(every(configured("fetch.json", {"silenceSeconds": 1}), answers(url, answer)), 69, says)


BODIES: Table = {
    **dict(_cuts()),
    "says a length that is too small": _sized("100", 65),
    "says a length that is too large": _sized("1000000", 69, "the connection ended early, after "),
    "says a length below zero": _sized("-1", 76, _NOT_HTTP),
    "says a length with a sign": _sized("+100", 76, _NOT_HTTP),
    "says a length in hexadecimal": _sized("0x100", 76, _NOT_HTTP),
    "says no length where it should": _sized("", 76, _NOT_HTTP),
    "says two lengths in one header": _sized("100, 200", 76, _NOT_HTTP),
    "says two lengths in two headers": _sized("100\nContent-Length: 200", 76, _NOT_HTTP),
    "says the same length twice": Behaviour(
        raw_image(lambda size: f"HTTP/1.1 200 OK\nContent-Length: {size}\nContent-Length: {size}\n\n")
    ),
    "says a length of 20 digits": _sized("9" * 20, 76, "larger than the limit of 17179869184 bytes"),
    "says a length of 5,000 digits": _sized("9" * 5000, 76, _NOT_HTTP),
    "says a length for a page beyond the limit": Behaviour(answers(PAGE, Answer(length=2**40)), 76, "limit of 1048576 bytes"),
    "says a length and sends chunks": Behaviour(
        every(_in_chunks(50), lambda scene: answers(IMAGE, _with_length(scene.server.answers[IMAGE]))(scene))
    ),
    "sends chunks of one byte": Behaviour(_in_chunks(1)),
    "sends chunks with trailers": Behaviour(_in_chunks(50, b"Content-Length: 5\r\nLocation: https://evil.example/\r\n")),
    "sends chunks that are none": _chunked("xyz\n\n"),
    "sends a chunk of a size below zero": _chunked("-5\nhello\n"),
    "sends a chunk of an immense size": _chunked("f" * 30 + "\nhello\n"),
    "sends a chunk of more than it says": _chunked("2\nhello\n0\n\n"),
    "sends a chunk whose size never ends": _chunked("1;" + "x" * 1_000_000),
    "sends chunks without a last one": _chunked("2\nhe\n", 69, "the connection ended early, after 2 bytes"),
    "sends in a coding that nobody knows": Behaviour(
        answers(IMAGE, Answer(b"x", headers={"Transfer-Encoding": "gzip, chunked"})), 76, _NOT_HTTP
    ),
    "sends nothing for an image": Behaviour(answers(IMAGE, Answer(b"")), 65, "an empty file"),
    "sends nothing for a page": Behaviour(answers(PAGE, Answer(b"")), 69, "has no ac-discovery tags"),
    "sends a page for an image": Behaviour(
        answers(IMAGE, Answer(b"<!doctype html><p>Log in</p>" * 99)), 65, "not an image archive"
    ),
    "sends zeros for ever as an image": Behaviour(answers(IMAGE, Answer(endless(), length=None)), 65),
    "sends zeros for ever as a page": Behaviour(answers(PAGE, Answer(endless(), length=None)), 76, "limit of 1048576 bytes"),
    "sends zeros for ever as a signature": Behaviour(
        answers(SIGNATURE, Answer(endless(), chunked=True)), 76, "limit of 65536 bytes"
    ),
    "goes on for ever behind the image": Behaviour(
        every(configured("policy.json", {"unpackedBytes": _MIB}), _goes_on),
        77,
        "is larger than the 1048576 bytes of unpackedBytes in ",
    ),
    "goes on for ever behind the image, as served": Behaviour(
        every(configured("policy.json", {"servedBytes": _MIB}), _goes_on), 77, "is larger than the 1048576 bytes of servedBytes in "
    ),
    "sends one byte too much for a cap": Behaviour(
        configured("policy.json", {"servedBytes": 100}), 77, "is larger than the 100 bytes of servedBytes in "
    ),
    "packs the image on the way": Behaviour(
        lambda scene: answers(IMAGE, Answer(gzip.compress(scene.image), headers={"Content-Encoding": "gzip"}))(scene),
        76,
        'content-encoding "gzip", which nobody asked for',
    ),
    "packs the page on the way": Behaviour(
        answers(PAGE, Answer(b"x", headers={"Content-Encoding": "br"})), 76, 'content-encoding "br", which nobody asked for'
    ),
    "calls the image something else": Behaviour(
        serves(headers={"Content-Type": "text/html; charset=utf-16", "Content-Disposition": "x"})
    ),
    "sends the image without a length": Behaviour(serves(length=None)),
    "falls silent in the image": _silent(
        IMAGE, Answer(b"abc", length=10, silent=threading.Event()), "timed out: nothing came for 1 s"
    ),
    # A head that does not come: nothing has come for a second, and the answer has not begun within one, whichever is seen first.
    "falls silent before its head": _silent(SIGNATURE, Answer(raw_pieces=[], silent=threading.Event())),
    "falls silent in its head": _silent(PAGE, Answer(raw=b"HTTP/1.1 200 OK\r\nContent-", silent=threading.Event())),
}
