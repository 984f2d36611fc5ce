"""Sentences about command lines that no pattern knows; what Typer really says is tried in tests/actool/test_cli.py."""

from __future__ import annotations

from acspec.usage_errors import explain_usage


def test_a_sentence_that_is_not_known_passes_as_it_is() -> None:
    assert str(explain_usage("Something new.")) == "something new (--help shows the options)"


def test_what_was_typed_may_hold_anything() -> None:
    assert explain_usage("No such command 'a'b\n'.").what == "a'b\n"
    assert explain_usage("No such option: --a (b)").what == "--a (b)"
