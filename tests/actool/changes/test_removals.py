"""The words of --remove; what they take out, test_manifest_changes.py shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.errors import UsageError
from actool.changes.removals import Removal, parse_removal


@pytest.mark.parametrize(
    ("text", "removal"),
    [
        ("env", Removal("env")),
        ("env=A", Removal("env", "A")),
        ("env=A=B", Removal("env", "A=B")),
        ("label=", Removal("label", "")),
        ("exec", Removal("exec")),
    ],
)
def test_a_removal_is_an_option_and_perhaps_a_name(text: str, removal: Removal) -> None:
    assert parse_removal(text) == removal
    assert str(removal) == f"--remove {text}"


BAD = {
    "an option that sets nothing": ("replace", '"replace" is nothing that can be removed (these are: label, annotation, '),
    "what every manifest has": ("name", '"name" is nothing that can be removed'),
    "nothing": ("", '"" is nothing that can be removed'),
    "a name where there is one thing only": ("exec=/bin/a", "--remove exec=/bin/a: exec is removed without a name (--remove exec)"),
    "a name of a handler": ("pre-start=x", "pre-start is removed without a name"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_removal_is_refused_for(case: str) -> None:
    text, line = BAD[case]
    with pytest.raises(UsageError) as caught:
        parse_removal(text)
    assert line in str(caught.value)


@given(some.text())
def test_any_word_is_read_or_refused_with_our_error(text: str) -> None:
    try:
        assert str(parse_removal(text)) == f"--remove {text}"
    except UsageError:
        return
