"""The errors of actool, beside those every tool has (`acspec.errors`)."""

from __future__ import annotations

from acspec.errors import OutputError, TrustError, UsageError


class OutputNameError(UsageError):
    """The name of an output is not one that the specification allows."""


class OutputExistsError(OutputError):
    """An output is there already, and nobody said that it may be replaced."""


class LostPropertyError(TrustError):
    """Files cannot keep what the image says of them, and --strict asks for all of it."""
