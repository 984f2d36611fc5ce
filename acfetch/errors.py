"""The errors of acfetch, beside those every tool has (`acspec.errors`)."""

from __future__ import annotations

from acspec.errors import BusyError, ProtocolError, TrustError, UnavailableError


class DiscoveryError(UnavailableError):
    """No template for a name could be found."""


class HTTPStatusError(UnavailableError):
    """A server answered with a status that is no success; `status` is its number.

    `retry_after` is the seconds for which it asks to be left alone, if it does.
    """

    def __init__(self, what: str, status: int, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(what, f"the server answered {status}", hint)
        self.status = status
        self.retry_after = retry_after


class AbsentError(UnavailableError):
    """A place has no such file, says the program that looked there."""


class UnreachableError(UnavailableError):
    """A server could not be reached, or the connection broke; `is_transient` when it was there and may be there again."""

    def __init__(self, what: str, why: str, hint: str | None = None, *, is_transient: bool = False) -> None:
        super().__init__(what, why, hint)
        self.is_transient = is_transient


class StartOverError(UnreachableError):
    """What has come of an image is of no use: the rest of it cannot be had."""


class TransportRefusedError(ProtocolError):
    """A URL that may not be used: plain http, another scheme, or something hidden in it."""


class UntrustedError(TrustError):
    """No signature that counts."""


class MissingSignatureError(UntrustedError):
    """The image is there, its signature is not."""


class MismatchError(TrustError):
    """The image is not the one that was asked for."""


class NeededError(BusyError):
    """An image that another image or a pod needs."""


class PolicyError(TrustError):
    """The operator's policy does not allow this."""


class HostRefusedError(PolicyError):
    """The operator's policy does not allow this host to be reached."""
