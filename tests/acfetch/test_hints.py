"""What was meant by words and options of other tools, as a person types them."""

from __future__ import annotations

import re

import pytest

from acfetch.cli import COMMANDS
from acfetch.hints import _OPTIONS, advise
from acspec.errors import UnavailableError
from tests.acfetch.customer import Customer

# The words typed, and the line that they get.
TYPED = {
    "rkt's way to trust a key": ("trust --prefix example.com k.asc", "--prefix: no such option (acfetch trust add --prefix"),
    "the same for all names": ("trust --root k.asc", "--root: no such option (acfetch trust add --root,"),
    "the same with a key alone": ("trust k.asc", "k.asc: no such command (did you mean acfetch trust add?)"),
    "the same without a question": (
        "trust --skip-fingerprint-review k.asc", "--skip-fingerprint-review: no such option (acfetch trust add, and --yes)",
    ),
    "an option of the right command": (
        "trust add --root --insecure-allow-http k.asc", "--insecure-allow-http: no such option (--insecure-options=http)",
    ),
    "a slip in a command of trust": ("trust lst", "lst: no such command (did you mean list?)"),
    "an option of a fetch": ("fetch --pull-policy=never example.com/app", "--pull-policy: no such option (--pull)"),
    "an option of a fetch that is not named so": ("--no-store example.com/app", "--no-store: no such option (--pull update)"),
    "an option that nobody has": ("fetch --frobnicate example.com/app", "--frobnicate: no such option (--help shows the options)"),
    "an option of a list": ("images --full", "--full: no such option (--json)"),
    "an option of a removal": ("images rm -f example.com/app", "-f: no such option (nobody is asked;"),
    "a command below images": ("images prune", "prune: no such command (did you mean acfetch gc?)"),
    "a collection of rkt's": ("gc --grace-period=1h", "--grace-period: no such option (--keep-for DURATION)"),
    "a word of docker's": ("save", "save: no such command (did you mean acfetch images export?)"),
}  # fmt: skip


@pytest.mark.parametrize("title", TYPED)
def test_a_word_or_an_option_of_other_tools_brings_ours_to_mind(title: str, customer: Customer) -> None:
    words, line = TYPED[title]
    assert customer.refused(2, *words.split()).startswith(f"acfetch: {line}")


def test_no_option_is_ours_and_said_to_be_called_otherwise(customer: Customer) -> None:
    for command, options in _OPTIONS.items():
        ours = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", customer.run(*command.split(), "--help").out)
        assert "--help" in ours
        assert not set(ours) & set(options), command


def test_no_words_and_other_faults_bring_nothing_to_mind() -> None:
    assert advise(UnavailableError("pull", "x"), [], COMMANDS) is None
    assert advise(UnavailableError("example.com/app", "x"), ["example.com/app"], COMMANDS) is None
    assert advise(UnavailableError("pull", "x"), ["fetch", "pull"], COMMANDS) is None
    assert advise(ValueError("pull"), ["pull"], COMMANDS) is None
