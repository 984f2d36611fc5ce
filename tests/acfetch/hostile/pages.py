"""Discovery pages: baits in odd HTML, encodings, prefixes that only look right, and templates that lead astray."""

from __future__ import annotations

from tests.acfetch.customer import TEMPLATE
from tests.acfetch.hostile.behaviour import EVIL, NAME, ORIGIN, PAGE, Arrange, Behaviour, Table, answers, every, leads
from tests.support.server import Answer

_BAIT = f'<meta name="ac-discovery" content="example.com https://{EVIL}/{{name}}.{{ext}}">'
_TAG = f'<meta name="ac-discovery" content="example.com {TEMPLATE}">'
_NO_TAGS = "example.com has no ac-discovery tags"
_OTHERS = "example.com has tags for other names only"


def _html(text: str | bytes) -> Arrange:
    return answers(PAGE, Answer(text if isinstance(text, bytes) else text.encode()))


def _found(text: str | bytes) -> Behaviour:
    return Behaviour(_html(text))


def _nothing(text: str | bytes, says: str = _NO_TAGS) -> Behaviour:
    return Behaviour(_html(text), 69, says)


PAGES: Table = {
    "hides a bait in a comment": _found(f"<!-- {_BAIT} -->{_TAG}"),
    "hides a bait in a script": _found(f"<script>'{_BAIT}'</script>{_TAG}"),
    "hides a bait in a script in a comment in a script": _found(f"<script><!--<script>{_BAIT}</script>{_BAIT}--></script>{_TAG}"),
    "hides a bait in a title": _found(f"<title>{_BAIT}</title>{_TAG}"),
    "hides a bait in a template": _found(f"<template>{_BAIT}</template>{_TAG}"),
    "hides a bait in an attribute": _found(f"<p title='{_BAIT}'>{_TAG}"),
    "hides a bait in references": _found(f"{_BAIT.replace('<', '&lt;')}{_TAG}"),
    "writes tags in capitals and without quotes": _found(f"<META CONTENT='example.com {TEMPLATE}' NAME=AC-DISCOVERY>"),
    "writes tags with references": _found(_TAG.replace("example.com/", "example&period;com&sol;").replace("ac-d", "ac&#x2d;d")),
    "writes tags outside of everything": _found(f"</html></body>{_TAG}"),
    "says where relative URLs begin": _found(f'<base href="https://{EVIL}/">{_TAG}'),
    "says where to go at once": _found(f'<meta http-equiv="refresh" content="0; url=https://{EVIL}/">{_TAG}'),
    "sends a page of 1 MiB": _found(_TAG + " " * ((1 << 20) - len(_TAG))),
    "sends a page of 1 MiB and a byte": Behaviour(_html(_TAG + " " * ((1 << 20) - len(_TAG) + 1)), 76, "limit of 1048576 bytes"),
    "writes tags after the first 256 KiB": _nothing(" " * (1 << 18) + _TAG),
    "nests a hundred thousand elements": _found(_TAG + "<div><b>" * 50_000),
    "writes ten thousand tags for others": _nothing(_TAG.replace('"example', '"a') * 2_000, _OTHERS),
    "writes a page of zero bytes": _nothing(bytes(10_000)),
    "writes zero bytes around tags": _found(b"\0\0" + _TAG.encode() + b"\0"),
    "writes a zero byte into a name": _nothing(_TAG.replace("ac-", "ac-\0")),
    "writes a mark of byte order": _found("\ufeff" + _TAG),
    "writes UTF-16": _nothing(_TAG.encode("utf-16")),
    "writes UTF-7": _nothing(_TAG.replace("<", "+ADw-").replace(">", "+AD4-")),
    "writes bytes that are no text": _nothing(bytes(range(128, 256)) * 100),
    "writes JSON": _nothing('{"name": "ac-discovery", "content": "example.com https://evil.example/{name}.{ext}"}'),
    "writes a tag without an end": _nothing(_BAIT[:-2]),
    "writes a tag with a word too many": _nothing(_TAG.replace("{name}", "{name} x")),
    "writes a tag with an end of line in its template": _nothing(_TAG.replace("{name}", "&#13;&#10;Host:evil.example")),
    # Prefixes
    "has a bait for a prefix of the text": _nothing(_BAIT.replace("example.com ", "example.com/ap "), _OTHERS),
    "has a bait for something below": _nothing(_BAIT.replace("example.com ", "example.com/app/sub "), _OTHERS),
    "has a bait for a prefix of the domain": _nothing(_BAIT.replace("example.com ", "exam "), _OTHERS),
    "has a bait for a suffix of the domain": _nothing(_BAIT.replace("example.com ", "com "), _OTHERS),
    "has a bait for all names": _nothing(_BAIT.replace("example.com ", "* "), _OTHERS),
    "has a bait for a slash": _nothing(_BAIT.replace("example.com ", "/ "), _OTHERS),
    "has a bait for the name in capitals": _nothing(_BAIT.replace("example.com ", "EXAMPLE.com "), _OTHERS),
    "has a bait for a way around": _nothing(_BAIT.replace("example.com ", "example.com/x/../app "), _OTHERS),
    "has a prefix with a slash at its end": _found(_TAG.replace("example.com ", "example.com/ ")),
}


def _astray(template: str, says: str, code: int = 69) -> Behaviour:
    return Behaviour(leads(("example.com", template)), code, says)


TEMPLATES: Table = {
    "has a template for a script": _astray("javascript:alert({ext})", "it is not a URL"),
    "has a template for a file": _astray("file:///etc/{name}.{ext}", 'its scheme is "file"'),
    "has a template for plain http": _astray("http://example.com/{name}.{ext}", 'its scheme is "http"'),
    "has a template for another protocol": _astray(f"ftp://{EVIL}/{{name}}.{{ext}}", 'its scheme is "ftp"'),
    "has a template for a scheme that moves a terminal": _astray("\x1b[2J://x/{ext}", "its scheme is "),
    "has a template without a host": _astray("https:///{name}.{ext}", "names no host that can be asked", 76),
    "has a template with credentials": _astray(
        f"https://me:hidden@{EVIL}/{{ext}}", "…@evil.example/aci: holds user information", 76
    ),
    "has a template for what is above": _astray("https://example.com/../{name}.{ext}", "its path has . or .. in it", 76),
    "has a template without an ending and an end": _astray(f"https://{EVIL}/{'x' * 200_000}", "it has no {ext}"),
    "has a template without an ending": _astray(f"https://{EVIL}/{{name}}", "it has no {ext}"),
    "has a template with a variable that nobody knows": _astray(f"https://{EVIL}/{{home}}.{{ext}}", "the unknown variable {home}"),
    "has a template in a template": _astray(f"https://{EVIL}/{{{{name}}}}.{{ext}}", "the unknown variable "),
    "has a template with a brace too many": _astray(f"https://{EVIL}/{{name}}.{{ext}}{{", "the unknown variable "),
    "has a template beyond ASCII": _astray("https://ex\u00e4mple.com/{name}.{ext}", "holds characters that no URL has", 76),
    "has a template behind a backslash": _astray(f"https://example.com\\@{EVIL}/{{ext}}", "holds characters that no URL has", 76),
    "has a template that is longer than a head": _astray(
        f"https://example.com/{{ext}}?{'x' * 200_000}", "the limit of 8192 bytes for a URL", 76
    ),
    "has a template whose host is the name": _astray("https://{name}/{ext}", "the server answered 404"),
    "has a template with the ending in a fragment": _astray(f"{ORIGIN}/app#.{{ext}}", ""),
    "has a hundred templates, of which the last is right": Behaviour(
        leads(*(("example.com", f"https://example.com/{number}.{{ext}}") for number in range(99)), ("example.com", TEMPLATE))
    ),
    "has the right template behind bad ones": Behaviour(
        leads(*(("example.com", bad) for bad in ("file:///{ext}", "x{ext}", f"https://{EVIL}/")), ("example.com", TEMPLATE))
    ),
    "leads the labels out of their place": Behaviour(
        leads(("example.com", f"{ORIGIN}/{{version}}/{{name}}.{{ext}}")),
        69,
        "/..%2F..%2Fevil/",
        (f"{NAME},version=../../evil",),
    ),
    "takes a name apart from its parent": Behaviour(
        every(answers(PAGE, Answer(status=404)), answers("https://example.com?ac-discovery=1", Answer(status=404))),
        69,
        "example.com/app answered 404; example.com answered 404",
    ),
}
