"""Fingerprints of OpenPGP keys: 40 or 64 hex digits, in lower case."""

from __future__ import annotations

from acspec.errors import UsageError

_HEX = frozenset("0123456789abcdef")


def is_fingerprint(text: str) -> bool:
    """Tell whether *text* is a fingerprint in the one form that files have. Source: spec/store.md, Trust."""
    return len(text) in (40, 64) and _HEX.issuperset(text)


def parse_fingerprint(text: str) -> str:
    """Return the fingerprint that *text* spells, blanks and capitals allowed. Raises: UsageError.

    Source: spec/store.md, Trust.
    """
    fingerprint = "".join(text.split()).lower()
    if not is_fingerprint(fingerprint):
        raise UsageError(text or '""', "is not a fingerprint", "40 or 64 hex digits")
    return fingerprint
