"""The words of `--insecure-options`: each gives up one thing, where the command has it to give up and the policy lets it.

Source: spec/discovery.md, What is accepted.
"""

from __future__ import annotations

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE = "image"  # the signature of an image
TLS = "tls"  # the certificate of a server
HTTP = "http"  # the s of https, wherever it stands
PUBKEY = "pubkey"  # the s of https where public keys are fetched, and nowhere else

WORDS = (IMAGE, TLS, HTTP, PUBKEY)
FETCHING = (IMAGE, TLS, HTTP)
DISCOVERING = (TLS, HTTP)
TRUSTING = (TLS, HTTP, PUBKEY)
UNVERIFIED = frozenset({TLS, HTTP})  # those under which anybody on the way may have answered


def parse_insecure(text: str, known: Sequence[str]) -> frozenset[str]:
    """Return the words in *text*, all of them among *known*; whether they may be given up, the policy says. Raises: UsageError."""
    words = frozenset(word for word in text.split(",") if word)
    for word in sorted(words):
        if word not in known:
            raise UsageError(f"--insecure-options={text}", f'"{word}" is none of {", ".join(known)}')
    return words
