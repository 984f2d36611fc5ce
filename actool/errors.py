"""The errors of actool, beside those every tool has (`acspec.errors`)."""

from __future__ import annotations

from acspec.errors import TrustError


class LostPropertyError(TrustError):
    """Files cannot keep what the image says of them, and --strict asks for all of it."""
