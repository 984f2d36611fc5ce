"""Whether a key is fit to sign: not revoked, expired or weak, told from gpg's listing of it. gpg itself accepts weak ones.

Weak is an RSA or DSA key of less than 2048 bits, and a key whose own signatures on itself, as far as they are good, are all made
with MD5, SHA-1 or RIPEMD-160: anybody who finds a collision could put another identity or subkey into it.

Source: GnuPG doc/DETAILS, Format of the colon listings; NIST SP 800-131A; RFC 9580, 9.5.
"""

from __future__ import annotations

import subprocess

from acspec.openpgp.process import OPTIONS, start_gpg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WEAK_HASHES = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
SHORTEST = 2048

# Algorithms whose strength is that of their modulus; an elliptic curve has no weak length that gpg would make.
_MODULAR = {"1": "RSA", "2": "RSA", "3": "RSA", "17": "DSA"}
_SPENT = {"r": "is revoked", "e": "has expired", "i": "is not valid", "n": "is not valid"}
_UNKNOWN = "is not what gpg lists"
_KEYS = ("pub", "sub")
_SIGNATURE = "sig"
_GOOD = "!"
_VALIDITY, _BITS, _ALGORITHM, _ID, _FINGERPRINT, _CLASS, _CAPABILITIES, _HASH = 1, 2, 3, 4, 9, 10, 11, 15
_OWN_CLASSES = ("10", "11", "12", "13", "18", "1f")  # on identities, on subkeys, on the key itself


class _Part:
    """A primary key or a subkey, and the hashes of the primary key's good signatures on it."""

    __slots__ = ("fields", "fingerprint", "hashes")

    def __init__(self, fields: list[str]) -> None:
        self.fields = fields
        self.fingerprint = ""
        self.hashes: list[str] = []

    @property
    def can_sign(self) -> bool:
        """Whether it may sign at all: small letters are for itself, capital ones for the whole key."""
        return "s" in self.fields[_CAPABILITIES]

    def find_fault(self) -> str | None:
        """Return why it is not fit, as the end of a sentence."""
        name, bits = _MODULAR.get(self.fields[_ALGORITHM]), self.fields[_BITS]
        if self.fields[_VALIDITY] in _SPENT:
            return _SPENT[self.fields[_VALIDITY]]
        if name is not None and bits.isdigit() and int(bits) < SHORTEST:
            return f"is weak: {name} of {bits} bits, less than {SHORTEST}"
        if self.hashes and all(number in WEAK_HASHES for number in self.hashes):
            return f"is weak: it vouches for itself by {WEAK_HASHES[self.hashes[-1]]}, which is broken, only"
        return None


def list_key(home: str, fingerprint: str | None = None) -> bytes:
    """Return gpg's listing of a key in *home*, or of all, with signatures checked. Raises: MissingInputError without gpg; OSError.

    Source: gpg(1), --check-signatures; GnuPG doc/DETAILS.
    """
    words = [*OPTIONS, "--homedir", home, "--with-colons", "--check-signatures", "--"]
    process = start_gpg([*words, *([] if fingerprint is None else [fingerprint])], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return process.communicate()[0]


def faults_in(listing: bytes, primaries: Iterable[str]) -> dict[str, str]:
    """Return why those of the keys *primaries*, fingerprints in lower case, that can sign nothing fit cannot, by fingerprint.

    Source: GnuPG doc/DETAILS, Format of the colon listings.
    """
    keys = _parse(listing)
    faults = {primary: _find_fault(keys.get(primary, [])) for primary in primaries}
    return {primary: why for primary, why in faults.items() if why is not None}


def _find_fault(parts: list[_Part]) -> str | None:
    if not parts:
        return _UNKNOWN
    able = [part for part in parts if part.can_sign]
    return parts[0].find_fault() or (_join([part.find_fault() for part in able]) if able else "cannot be used to sign")


def _join(faults: list[str | None]) -> str | None:
    """Return why none of several parts is fit, None when one is."""
    return None if None in faults else faults[0]


def why_unfit(listing: bytes, primary: str, signer: str) -> str | None:
    """Return why a signature by the part *signer* of the key *primary* counts for nothing, or None; both are fingerprints.

    Source: GnuPG doc/DETAILS, Format of the colon listings.
    """
    parts = _parse(listing).get(primary.lower(), [])
    part = next((part for part in parts if part.fingerprint == signer.lower()), None)
    if part is None:
        return _UNKNOWN
    return parts[0].find_fault() or part.find_fault()


def _parse(listing: bytes) -> dict[str, list[_Part]]:
    """Return the keys in *listing*: the primary key first, then its subkeys, by the primary key's fingerprint."""
    keys: list[list[_Part]] = []
    for line in listing.decode("utf-8", "replace").split("\n"):
        fields = line.split(":")
        if fields[0] in _KEYS and len(fields) > _CAPABILITIES:
            if fields[0] == "pub":
                keys.append([])
            if keys:
                keys[-1].append(_Part(fields))
        elif keys and keys[-1]:
            _add(keys[-1], fields)
    return {parts[0].fingerprint: parts for parts in keys if parts and parts[0].fingerprint}


def _add(parts: list[_Part], fields: list[str]) -> None:
    """Take a line about the last of *parts*."""
    if fields[0] == "fpr" and len(fields) > _FINGERPRINT and not parts[-1].fingerprint:
        parts[-1].fingerprint = fields[_FINGERPRINT].lower()
    if fields[0] != _SIGNATURE or len(fields) <= _HASH or fields[_VALIDITY] != _GOOD or not fields[_HASH]:
        return
    if fields[_ID] == parts[0].fields[_ID] and fields[_CLASS][:2] in _OWN_CLASSES:
        parts[-1].hashes.append(fields[_HASH])
