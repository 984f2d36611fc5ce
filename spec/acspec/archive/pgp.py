"""PGP messages, recognised by their first bytes so that an encrypted image is called what it is. Nothing is decrypted here.

Source: RFC 4880, 4.2 (packet headers), 5.1 and 5.3 (encrypted session keys), 6.2 (armour).
"""

from __future__ import annotations

_ARMOUR = b"-----BEGIN PGP "
_ENCRYPTED = "encrypted with PGP; decrypt it first with actool decrypt"
# Tag and version of the packets that begin an encrypted message: a session key for a public key, or for a passphrase.
_SESSION_KEYS = frozenset(((1, 2), (1, 3), (1, 6), (3, 4), (3, 5), (3, 6)))


def name_pgp(start: bytes) -> str | None:
    """Return in words what PGP data begins with *start*, or None when none does.

    Source: RFC 4880, 4.2 and 6.2; aci.md, Image Archives (encryption).
    """
    if start.startswith(_ARMOUR):
        if start.startswith(_ARMOUR + b"MESSAGE"):
            return _ENCRYPTED
        return "a PGP signature, not an image" if start.startswith(_ARMOUR + b"SIGNATURE") else "PGP data, not an image"
    if len(start) < 8 or not start[0] & 0x80:
        return None
    if start[0] & 0x40:
        tag, length_octets = start[0] & 0x3F, _new_length_octets(start[1])
    else:
        tag, length_octets = start[0] >> 2 & 0x0F, (1, 2, 4, 0)[start[0] & 3]
    return _ENCRYPTED if (tag, start[1 + length_octets]) in _SESSION_KEYS else None


def is_encrypted(start: bytes) -> bool:
    """Tell whether *start* begins an encrypted message; whether a passphrase opens it is not known yet.

    Source: RFC 4880, 4.2 and 6.2; aci.md, Image Archives (encryption).
    """
    return name_pgp(start) == _ENCRYPTED


def _new_length_octets(first: int) -> int:
    if first < 192:
        return 1
    return 5 if first == 255 else 2
