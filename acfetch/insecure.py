"""The words of `--insecure-options`: each gives up one thing, where the command has it to give up and the policy lets it.

    image    the signature of an image
    tls      the certificate of a server
    http     the s of https, wherever it stands
    pubkey   the s of https where public keys are fetched, and nowhere else

Source: spec/discovery.md, What is accepted.
"""

from __future__ import annotations

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acfetch.policy import Policy


def parse_insecure(text: str, known: Sequence[str], policy: Policy) -> frozenset[str]:
    """Return the words in *text*, all of them among *known* and allowed. Raises: UsageError; PolicyError."""
    words = frozenset(word for word in text.split(",") if word)
    for word in sorted(words):
        if word not in known:
            raise UsageError(f"--insecure-options={text}", f'"{word}" is none of {", ".join(known)}')
    policy.check_words(words)
    return words
