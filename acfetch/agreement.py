"""A person at a terminal, shown a key and asked whether it is to be trusted."""

from __future__ import annotations

import sys

from acspec import limits
from acspec.errors import TrustError
from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.newkeys import Offer


def agree(offer: Offer, *, yes: bool) -> bool:
    """Show a key and return whether it is to be trusted, which *yes* answers. Raises: TrustError where nobody can be asked."""
    key = offer.key
    shown = " ".join(key.fingerprint[start : start + 4] for start in range(0, len(key.fingerprint), 4))
    lines = [f"prefix:      {prefix or '* (all names)'}" for prefix in offer.prefixes]
    lines += [f"from:        {escape(url, limits.KIB)}" for url in offer.urls]
    lines.append(f"fingerprint: {shown}")
    lines += [f"identity:    {escape(identity)}" for identity in key.identities]
    sys.stderr.write("\n".join(lines) + "\n")
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise TrustError(key.fingerprint, "nobody is there to be asked", "--fingerprint HEX or --yes trusts it")
    sys.stderr.write("Trust this key? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
