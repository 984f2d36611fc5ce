"""Bytes of files, shown on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from actool.printable import spell

SHOWN = {
    "plain text": (b"one\ttwo\nthree\n", "one\ttwo\nthree\n"),
    "letters of all the world": ("äöü Ω 漢字\n".encode(), "äöü Ω 漢字\n"),
    "an escape": (b"a\x1b[2Jb\n", "a\\x1b[2Jb\n"),
    "ends of lines of another system": (b"a\r\n", "a\\x0d\n"),
    "what is not UTF-8": (b"\xff\xc3", "\\xff\\xc3"),
    "an escape of eight bits": ("\x9b2J".encode(), "\\x9b2J"),
    "a mark that turns a line round": ("a\u202eb".encode(), "a\\u202eb"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("sentence", SHOWN)
def test_what_could_move_a_terminal_is_spelt(sentence: str) -> None:
    data, shown = SHOWN[sentence]
    assert b"".join(spell([data])).decode() == shown
    assert b"".join(spell(data[at : at + 1] for at in range(len(data)))).decode() == shown


@given(some.lists(some.binary(max_size=20)))
def test_nothing_else_than_text_tabs_and_ends_of_lines_is_ever_shown(chunks: list[bytes]) -> None:
    shown = b"".join(spell(chunks)).decode()
    assert all(character.isprintable() or character in "\t\n" for character in shown)


@given(some.text(alphabet=some.characters(categories=["L", "N", "P"], exclude_characters="")))
def test_text_is_shown_as_it_is(text: str) -> None:
    assert b"".join(spell([text.encode()])).decode() == text
