"""Values of options that have parts: `NAME=VALUE`, and `NAME,KEY=VALUE,…`. What the parts may be, others say.

Source: docs/man/acrun.1; docs/man/actool.1.
"""

from __future__ import annotations

from contextlib import contextmanager

from acspec.errors import FormatError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# More than any number of a manifest has; Python reads no more than 4,300.
_MOST_DIGITS = 20
# Words for a boolean: those of JSON.
BOOLEANS = {"true": True, "false": False}


@contextmanager
def typed() -> Iterator[None]:
    """Let a fault of a format that is found within this context be one of the command line: somebody typed it.

    Raises: UsageError in place of a FormatError.
    """
    try:
        yield
    except FormatError as error:
        raise UsageError(error.what, error.why, error.hint) from None


def parse_pair(option: str, text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`; the value is all that follows the first equals sign.

    Raises: UsageError, which names *option*.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{option} {text}".rstrip(), "not of the form NAME=VALUE")
    return name, value


def parse_settings(option: str, words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return the settings in *words*, each `KEY=VALUE` with a key that is *known*; *option* names it all in errors.

    Raises: UsageError, also for a key that comes twice.
    """
    settings: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in known or key in settings:
            why = "is given twice" if key in settings else f"is no setting of it; KEY=VALUE with {', '.join(known)} are"
            raise UsageError(option, f"{key or word} {why}")
        settings[key] = value
    return settings


def integer_or_text(word: str) -> int | str:
    """Return the whole number that *word* is in decimal, or *word* as it is, for whoever checks it to refuse."""
    digits = word.removeprefix("-")
    return int(word) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else word
