"""Keys: public ones read from files or out of the user's own keyring, and which of the user's can sign. Trust is decided elsewhere.

Source: discovery.md, ac-discovery-pubkeys; gpg(1); GnuPG doc/DETAILS, Format of the colon listings.
"""

from __future__ import annotations

import os
import tempfile

from acspec import limits
from acspec.errors import FormatError, KernelError, MissingInputError, UsageError
from acspec.openpgp.armour import add_checksums
from acspec.openpgp.process import without_gpg
from acspec.openpgp.strength import faults_in, list_key
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY_ARMOUR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"


class Key(Value):
    """A public key: its fingerprint (40 or 64 lower-case hex digits), whose it is, and itself, ascii-armoured.

    *unfit* says why no signature by it would count, and is empty when one may.
    """

    fingerprint: str
    identities: tuple[str, ...]
    armoured: bytes
    unfit: str = ""


class OwnKey(Value):
    """A key of the user's keyring: its fingerprint and those of its subkeys, whose it is.

    *unusable* says why it can sign nothing, and is empty when it can.
    """

    fingerprint: str
    subkeys: tuple[str, ...]
    identities: tuple[str, ...]
    unusable: str


def read_keys(data: bytes, what: str) -> list[Key]:
    """Return the public keys in *data* (ascii-armoured or binary, at most 1 MiB), each by itself; *what* names it in errors.

    Raises: FormatError when there is none, or a secret one; MissingInputError without gpg; OSError.
    Source: discovery.md, ac-discovery-pubkeys; GnuPG.
    """
    if len(data) > limits.KEY_FILE_BYTES:
        raise FormatError(what, f"larger than the limit of {limits.KEY_FILE_BYTES} bytes")
    if b"-----BEGIN PGP PRIVATE KEY BLOCK-----" in data:
        raise FormatError(what, "holds a secret key", "gpg --export --armor gives the public one")
    with tempfile.TemporaryDirectory(prefix="appc-gpg-") as home:
        found = import_keys(home, data)
        if not found:
            raise FormatError(what, "holds no public key")
        gpg = _open_home(home)
        identities = {key["fingerprint"].lower(): _identities(key) for key in gpg.list_keys()}
        faults = faults_in(list_key(home), found)
        keys = [Key(item, identities.get(item, ()), gpg.export_keys(item).encode("ascii"), faults.get(item, "")) for item in found]
    if not all(key.armoured.startswith(_KEY_ARMOUR) for key in keys):
        raise FormatError(what, "gpg could not export what it imported")
    return keys


def import_keys(home: str, data: bytes) -> list[str]:
    """Import public keys into *home* and return their fingerprints, in order. Raises: MissingInputError without gpg; OSError."""
    result = _open_home(home).import_keys(add_checksums(data))
    return list(dict.fromkeys(item.lower() for item in result.fingerprints if item))


def get_public_key(fingerprint: str, home: str | None) -> Key:
    """Return a key of the user's keyring, in *home* or where gpg has it.

    Raises: MissingInputError when it is not there, or without gpg; OSError.
    Source: gpg(1).
    """
    armoured = _open_user_home(home).export_keys(fingerprint).encode("ascii")
    found = read_keys(armoured, fingerprint) if armoured else []
    for key in found:
        if key.fingerprint == fingerprint:
            return key
    raise MissingInputError(fingerprint, "no such key in the keyring of gpg", "--key FILE names a file with it")


def find_own_keys(pattern: str, home: str | None) -> list[OwnKey]:
    """Return the keys of the user's keyring that *pattern* names as gpg reads it, the secret ones.

    Raises: UsageError for what gpg would take for an option; MissingInputError without gpg; OSError.
    Source: gpg(1), How to specify a user ID.
    """
    if pattern.startswith("-") or not pattern.strip():
        raise UsageError(pattern or '""', "is not the name of a key", "a fingerprint, a key ID or an e-mail address")
    return [_own_key(key) for key in _open_user_home(home).list_keys(True, keys=[pattern])]


def _own_key(key: dict[str, Any]) -> OwnKey:
    """Return a line of gpg's listing as a value: the capital S among its capabilities means that it can sign now."""
    why = "" if "S" in key["cap"] else {"e": "has expired", "r": "is revoked"}.get(key["trust"], "cannot be used to sign")
    subkeys = tuple(str(subkey[2]).lower() for subkey in key["subkeys"])
    return OwnKey(key["fingerprint"].lower(), subkeys, _identities(key), why)


def _open_home(home: str) -> Any:
    return _open(gnupghome=home, options=["--no-options", "--no-autostart", "--batch"])


def check_home(home: str | None) -> None:
    """Check that *home*, if it is named at all, can be a home directory of gpg. Raises: MissingInputError."""
    if home is not None and not os.path.isdir(home):
        raise MissingInputError(home or '""', "no such directory")


def _open_user_home(home: str | None) -> Any:
    check_home(home)
    return _open(gnupghome=home, options=["--batch"])


def _open(**how: Any) -> Any:
    import gnupg

    try:
        return gnupg.GPG(**how)
    except OSError as error:
        raise without_gpg() from error
    except ValueError as error:  # it is there, and cannot be run
        raise KernelError("gpg", "is installed and cannot be run", "gpg --version says why") from error


def _identities(key: dict[str, Any]) -> tuple[str, ...]:
    """Return whose a key is: what python-gnupg reads as Latin-1 is UTF-8."""
    return tuple(text.encode("latin-1", "replace").decode("utf-8", "surrogateescape") for text in key["uids"])
