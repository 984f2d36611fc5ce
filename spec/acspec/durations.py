"""Lengths of time as people type them: `30d`, `12h`, `90m`, `45s`, `2w`, or a number of seconds.

Source: spec/store.md, Collecting images.
"""

from __future__ import annotations

from acspec.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DIGITS = frozenset("0123456789")
_MOST_DIGITS = 9  # decades, in any unit


def parse_duration(text: str, option: str) -> int:
    """Return the seconds that *text* means: a whole number and one of `s m h d w`, seconds without one; *option* says whose.

    Raises: UsageError.
    Source: spec/store.md, Collecting images.
    """
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    if not number or not _DIGITS.issuperset(number) or len(number) > _MOST_DIGITS:
        raise UsageError(f"{option} {text}".rstrip(), "is no length of time", "such as 30d, 12h, 90m, 45s, 2w or 0")
    return int(number) * _UNITS[unit]
