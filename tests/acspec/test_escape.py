"""Outside text made safe to show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acspec.escape import escape

SHOWN = {
    "ordinary text": ("héllo\\n", "héllo\\n"),
    "control codes": ("a\x1b[2J\r\nb", "a\\x1b[2J\\x0d\\x0ab"),
    "bytes that are not UTF-8": (b"a\xffb", "a\\xffb"),
    "marks that turn the reading direction": ("a\u202eb", "a\\u202eb"),
    "C1 control codes": ("\x9b31m", "\\x9b31m"),
    "characters beyond the first plane": ("\U000e0001", "\\U000e0001"),
}


def test_everything_that_could_move_a_terminal_is_shown() -> None:
    for case, (given_text, shown) in SHOWN.items():
        assert escape(given_text) == shown, case


def test_long_values_are_cut() -> None:
    assert escape("x" * 300, limit=10) == "x" * 10 + "…"


@given(st.text() | st.binary())
def test_the_result_is_always_printable(value: str | bytes) -> None:
    assert escape(value).isprintable()
