"""Strict JSON, read and written without importing `json` (17 ms, most of it `re`).

The interpreter's own C scanner does the work; `json` is the fallback where an interpreter has none.
Refused: duplicate keys, NaN and Infinity, byte order marks, other encodings than UTF-8, lone surrogates,
nesting and numbers beyond the limits, anything after the value. It knows no manifest; `acspec.fields` does.

Source: RFC 4627 as aci.md and pods.md cite it; RFC 8259 for UTF-8.
"""

from __future__ import annotations

import os

from acspec import limits
from acspec.errors import FormatError, MissingInputError
from acspec.escape import INVISIBLE, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"

_SPACE = " \t\n\r"
_MAX_DIGITS = 40
# What a terminal would obey, or show as something else than it is: control codes beyond those that JSON never holds, and marks.
_UNSEEN = {ord(character): f"\\u{ord(character):04x}" for character in (*map(chr, range(0x7F, 0xA0)), *INVISIBLE)}
_MOST_INDENTED = 8  # what stands before every line, once for each level


class _Refusal(ValueError):
    """A value that is JSON by its grammar but not by our rules."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refusal(f'duplicate key "{escape(key)}"')
            seen.add(key)
    return result


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS or not -limits.JSON_INTEGER <= (value := int(text)) < limits.JSON_INTEGER:
        raise _Refusal(f"integer {escape(text, 24)} is beyond 64 bits")
    return value


def _real(text: str) -> float:
    if len(text) > _MAX_DIGITS or (value := float(text)) in (float("inf"), float("-inf")):
        raise _Refusal(f"number {escape(text, 24)} is out of range")
    return value


def _constant(text: str) -> Any:
    raise _Refusal(f"{text} is not JSON")


class _Context:
    """The attributes that the C scanner reads."""

    strict = True
    object_hook = None
    object_pairs_hook = staticmethod(_object)
    parse_int = staticmethod(_integer)
    parse_float = staticmethod(_real)
    parse_constant = staticmethod(_constant)


def _make_scanner() -> Callable[[str, int], tuple[Any, int]]:
    try:
        import _json

        make: Any = _json.make_scanner
        scanner: Callable[[str, int], tuple[Any, int]] = make(_Context())
    except ImportError:  # an interpreter without the accelerator
        import json

        decoder: Any = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant)
        scanner = decoder.scan_once
    return scanner


def _quote(text: str) -> str:
    try:
        from _json import encode_basestring
    except ImportError:
        import json

        quoted = json.dumps(text, ensure_ascii=False)
    else:
        quoted = encode_basestring(text)
    return quoted if quoted.isprintable() else quoted.translate(_UNSEEN)


def parse_json(data: bytes, what: str, limit: int = limits.MANIFEST_BYTES) -> JSONValue:
    """Return the one JSON value that *data* (UTF-8, at most *limit* bytes) holds; *what* names it in errors.

    Raises: FormatError with line and column, or with the rule that is broken.
    Source: RFC 4627; the limits of spec/limits.md.
    """
    if len(data) > limit:
        raise FormatError(what, f"larger than the limit of {limit} bytes")
    text = _decode(data, what)
    _check_depth(data, what)
    start = _skip_space(text, 0)
    try:
        value, end = _scan(text, start)
    except _Refusal as refusal:
        raise FormatError(what, str(refusal)) from None
    except StopIteration as stop:
        raise _fault(what, text, stop.value if isinstance(stop.value, int) else start, "a value is missing") from None
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:  # json.JSONDecodeError, imported by the scanner only now
        raise _fault(what, text, getattr(error, "pos", 0), str(getattr(error, "msg", error))) from None
    end = _skip_space(text, end)
    if end != len(text):
        raise _fault(what, text, end, "there is more after the value")
    _check_text(value, what)
    result: JSONValue = value
    return result


def _scan(text: str, start: int) -> tuple[Any, int]:
    scanner = _make_scanner()
    try:
        return scanner(text, start)
    except SystemError:
        # The scanner takes its exception from json.decoder, but only if somebody has imported that already.
        import json.decoder  # noqa: F401

        return scanner(text, start)


def _decode(data: bytes, what: str) -> str:
    if data[:3] == b"\xef\xbb\xbf":
        raise FormatError(what, "starts with a byte order mark, which JSON may not")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(what, f"not UTF-8 at byte {error.start}") from None


def _check_depth(data: bytes, what: str) -> None:
    # Cheap upper bound first: only text with that many brackets can be that deep.
    if data.count(b"[") + data.count(b"{") <= limits.JSON_DEPTH:
        return
    depth, in_string, skip = 0, False, False
    for byte in data:
        if skip:
            skip = False
        elif in_string:
            skip, in_string = byte == 0x5C, byte != 0x22
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > limits.JSON_DEPTH:
                raise _too_deep(what)
        elif byte in b"]}":
            depth -= 1


def _too_deep(what: str) -> FormatError:
    return FormatError(what, f"nested deeper than the limit of {limits.JSON_DEPTH}")


def _check_text(value: JSONValue, what: str) -> None:
    r"""Refuse lone surrogates, which `\ud800` smuggles in and no file or environment can carry."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise FormatError(what, "a string in it holds half of a surrogate pair") from None  # which may be a secret
    elif isinstance(value, list):
        for item in value:
            _check_text(item, what)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, what)
            _check_text(item, what)


def _skip_space(text: str, index: int) -> int:
    while index < len(text) and text[index] in _SPACE:
        index += 1
    return index


def _fault(what: str, text: str, position: int, why: str) -> FormatError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    reason = why[:1].lower() + why[1:]
    return FormatError(f"{what}:{line}:{column}", f"not JSON: {reason}")


def dump_json(value: JSONValue) -> bytes:
    """Return *value* as compact UTF-8 JSON with one final newline; keys keep their order.

    Source: RFC 4627.
    """
    return (_dump(value, None, "") + "\n").encode("utf-8")


def dump_pretty(value: JSONValue) -> bytes:
    """Return *value* as UTF-8 JSON for people, indented by four spaces, with one final newline.

    Source: RFC 4627.
    """
    return (_dump(value, "    ", "\n") + "\n").encode("utf-8")


def dump_like(value: JSONValue, model: bytes) -> bytes:
    """Return *value* as UTF-8 JSON laid out as *model*, a JSON object, is: indented as that or not at all, with the same end.

    Source: RFC 4627.
    """
    inside = model.partition(b"{")[2]
    space = inside[: len(inside) - len(inside.lstrip())]
    step = space.rpartition(b"\n")[2][:_MOST_INDENTED].decode("ascii") if b"\n" in space else None
    end = model[len(model.rstrip()) :].decode("ascii")
    return (_dump(value, step, "" if step is None else "\n") + end).encode("utf-8")


def _dump(value: JSONValue, step: str | None, newline: str) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError("JSON has no NaN and no infinity")
        return repr(value)
    inner = newline + step if step is not None else ""
    comma, colon = ("," + inner, ": ") if step is not None else (",", ":")
    if isinstance(value, dict):
        parts = [f"{_quote(key)}{colon}{_dump(item, step, inner)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        parts = [_dump(item, step, inner) for item in value]
        opening, closing = "[", "]"
    return opening + inner + comma.join(parts) + newline + closing if parts else opening + closing


def read_json_file(path: str, limit: int = limits.MANIFEST_BYTES, *, dir_fd: int | None = None) -> JSONValue:
    """Return the JSON value in the file *path* (below *dir_fd*); a symbolic link at its end is refused.

    Raises: MissingInputError when there is no such file; FormatError; OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=dir_fd)
    except FileNotFoundError:
        raise MissingInputError(path, "no such file") from None
    try:
        return parse_json(read_limited(descriptor, limit), path, limit)
    finally:
        os.close(descriptor)


def read_limited(descriptor: int, limit: int) -> bytes:
    """Return what *descriptor* holds up to its end, but never more than *limit* + 1 bytes."""
    parts, left = [], limit + 1
    while left > 0 and (part := os.read(descriptor, min(left, 1 << 16))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
