"""Words behind options that have parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.errors import FormatError, UsageError
from acspec.option_words import integer_or_text, parse_pair, parse_settings, typed


def test_a_pair_has_a_name_and_any_value() -> None:
    assert parse_pair("--env", "A==b c") == ("A", "=b c")
    assert parse_pair("--env", "A=") == ("A", "")
    for text in ("A", "=b", ""):
        with pytest.raises(UsageError, match="not of the form NAME=VALUE"):
            parse_pair("--env", text)


def test_settings_are_those_that_are_known_and_come_once() -> None:
    assert parse_settings("--x", ["a=1", "b=2=3", "c="], ("a", "b", "c")) == {"a": "1", "b": "2=3", "c": ""}
    assert parse_settings("--x", [], ("a",)) == {}


BAD = {
    "a key that is not known": (["d=1"], "d is no setting of it; KEY=VALUE with a, b are"),
    "a key without a value": (["a"], "a is no setting of it"),
    "a key twice": (["a=1", "a=1"], "a is given twice"),
    "nothing": ([""], "is no setting of it"),
}


@pytest.mark.parametrize("case", BAD)
def test_settings_are_refused_with(case: str) -> None:
    words, why = BAD[case]
    with pytest.raises(UsageError, match=f"^--x: .*{why}"):
        parse_settings("--x", words, ("a", "b"))


NUMBERS = {"0": 0, "007": 7, "-12": -12, "4294967295": 4294967295, "": "", "-": "-", "1.5": "1.5", "+1": "+1", " 1": " 1", "١": "١"}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_whole_number_is_told_from_other_words(text: str) -> None:
    assert integer_or_text(text) == NUMBERS[text]


def test_no_word_is_too_long_to_be_looked_at() -> None:
    assert integer_or_text("9" * 5000) == "9" * 5000


def test_what_was_typed_and_breaks_the_format_is_a_fault_of_the_command_line() -> None:
    with pytest.raises(UsageError) as caught, typed():
        raise FormatError("--x", "is bad", "a hint")
    assert (caught.value.what, caught.value.why, caught.value.hint) == ("--x", "is bad", "a hint")


@given(some.lists(some.text(alphabet="ab=,\0é")))
def test_any_words_are_read_or_refused_with_our_error(words: list[str]) -> None:
    try:
        settings = parse_settings("--x", words, ("a", "b"))
    except UsageError:
        return
    assert sorted(f"{key}={value}" for key, value in settings.items()) == sorted(words)
