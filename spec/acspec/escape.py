"""Outside text made safe to show on a terminal or in a log.

Names and values from images and servers may hold control codes, bytes that are not UTF-8 and characters
that reorder a line. This module shows them; it never changes what is stored.
"""

from __future__ import annotations

# Unicode's line, paragraph, direction and zero-width marks: invisible, and able to make one line read as another.
INVISIBLE = frozenset("\u00ad\u061c\u180e\ufeff") | frozenset(
    chr(code) for first, last in ((0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F)) for code in range(first, last + 1)
)


def escape(value: str | bytes, limit: int = 200) -> str:
    r"""Return *value* as one printable line of at most *limit* characters, cut ones ending in an ellipsis.

    Control codes become `\xNN`, bytes that are not UTF-8 (also those Python keeps as lone surrogates) likewise,
    marks that reorder text `\uNNNN`. A backslash stays as it is, so that ordinary text is never changed.
    Source: spec/exit-codes.md.
    """
    text = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    cut = len(text) > limit
    shown = text[:limit] if cut else text
    if not shown.isprintable():
        shown = "".join(_show(character) for character in shown)
    return shown + "…" if cut else shown


def _show(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if character in INVISIBLE or 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    if character.isprintable():
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
