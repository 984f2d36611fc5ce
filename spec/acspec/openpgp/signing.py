"""Detached, ascii-armoured signatures made by the user's own gpg: own keyring, own agent, own gpg.conf.

What that configuration could make of it is not taken on trust: a signature counts when gpg says that it is a detached one, by
one key, over the bytes as they are, with a hash that is not broken.

Source: aci.md, Image Archives ("ascii-armored detached signature mode"); gpg(1); GnuPG doc/DETAILS: SIG_CREATED, FAILURE.
"""

from __future__ import annotations

import os

from acspec import limits
from acspec.errors import KernelError, MissingInputError, ToolError, TrustError, UsageError
from acspec.openpgp.filter import Filter
from acspec.openpgp.keys import OwnKey, check_home, find_own_keys
from acspec.values import Value

_ARMOUR = b"-----BEGIN PGP SIGNATURE-----"
# SHA-512 is the one hash that keys of every kind and size can sign.
_OPTIONS = ("--batch", "--no-tty", "--no-textmode", "--armor", "--digest-algo", "SHA512", "--output", "-")
_GOOD = ["D", "10", "00"]  # type, hash and class: detached, SHA-512, of a binary document
_NO_SECRET_KEY = 17
_REASONS = {  # by the number of an error of libgpg-error
    11: "the passphrase is wrong",
    54: "it cannot be used to sign",
    85: "the key is locked, and nobody can be asked for its passphrase",
    99: "the key is locked, and nobody gave its passphrase",
}
_LOCKED = (85, 99)
_UNLOCK = "--passphrase-file FILE unlocks it"


class Signer(Value):
    """Who signs: a key by the name that gpg is to find it by (None: gpg's default), its home directory, the key's passphrase.

    Without a passphrase the agent asks for it, where there is a terminal.
    """

    key: str | None = None
    home: str | None = None
    passphrase: bytes | None = None


class Signature(Value):
    """A detached signature, ascii-armoured, and the key that made it."""

    armoured: bytes
    key: OwnKey


def sign(descriptor: int, what: str, signer: Signer, *, head: bytes = b"") -> Signature:
    """Return a signature of *head* and what follows in *descriptor*, which errors call *what*.

    Raises: MissingInputError when there is no such key, or no gpg; TrustError when it cannot be used; UsageError; OSError.
    Source: aci.md, Image Archives.
    """
    check_home(signer.home)
    chosen = None if signer.key is None else _get_key(signer.key, signer.home)
    with _Signing(descriptor, what, signer, chosen, head) as signing:
        armoured = signing.read_all()
    key = chosen or _get_key(signing.made_by, signer.home)
    if signing.made_by not in (key.fingerprint, *key.subkeys):
        raise TrustError(what, f"gpg signed it with another key than was asked for, {signing.made_by}")
    return Signature(armoured, key)


def _get_key(name: str, home: str | None) -> OwnKey:
    """Return the one key that can sign and has this *name*. Raises: MissingInputError; TrustError; UsageError for two of them."""
    found = find_own_keys(name, home)
    usable = [key for key in found if not key.unusable]
    if not found:
        raise MissingInputError(name, "no such secret key in the keyring of gpg", "gpg --list-secret-keys shows them")
    if not usable:
        raise TrustError(name, f"this key {found[0].unusable}")
    if len(usable) > 1:
        raise UsageError(name, f"is the name of {len(usable)} keys", f"--key {usable[0].fingerprint}, for one")
    return usable[0]


class _Signing(Filter):
    """A signature being made; `made_by` is the fingerprint of the key or subkey that made it, when all has been read."""

    def __init__(self, descriptor: int, what: str, signer: Signer, key: OwnKey | None, head: bytes) -> None:
        self.made_by = ""
        self._signer = signer
        terminal = _find_terminal()
        words = [*_OPTIONS] if signer.home is None else ["--homedir", signer.home, *_OPTIONS]
        if signer.passphrase is None and terminal is None:
            words += ["--pinentry-mode", "error"]
        if key is not None:
            words += ["--local-user", _user(signer.key, key)]
        environment = dict(os.environ) if terminal is None else {"GPG_TTY": terminal, **os.environ}
        words += ["--detach-sign"]
        super().__init__(words, descriptor, what, head=head, secret=signer.passphrase, environment=environment)

    def read_all(self) -> bytes:
        """Return the signature. Raises: FormatError; what `judge` raises."""
        data = b""
        while more := self.read(limits.SIGNATURE_BYTES):
            data += more
            if len(data) > limits.SIGNATURE_BYTES:
                raise KernelError(self.what, f"gpg made a signature larger than the limit of {limits.SIGNATURE_BYTES} bytes")
        if not data.startswith(_ARMOUR):
            raise KernelError(self.what, "what gpg made is no ascii-armoured signature")
        return data

    def judge(self, said: list[list[str]], exit_code: int) -> None:  # noqa: ARG002 - it says less than the lines
        """Raise an error unless gpg says that it has made one signature of the kind that is wanted."""
        made = [words for words in said if words[0] == "SIG_CREATED" and len(words) > 6]
        failure = next((words[2] for words in said if words[0] == "FAILURE" and len(words) > 2), None)
        if failure is not None or not made:
            raise self._refusal(failure)
        if len(made) > 1:
            raise TrustError(self.what, f"gpg signs it with {len(made)} keys at once", "local-user in gpg.conf names them")
        if [made[0][1], *made[0][3:5]] != _GOOD:
            raise TrustError(self.what, "gpg made another kind of signature than was asked for", "gpg.conf may be why")
        self.made_by = made[0][6].lower()

    def _refusal(self, failure: str | None) -> ToolError:
        """Return what a *failure* of gpg's means, whose lower 16 bits are the error."""
        number = int(failure) & 0xFFFF if failure is not None and failure.isdecimal() else 0
        if number == _NO_SECRET_KEY:
            return MissingInputError("gpg", "has no secret key to sign with", "gpg --quick-generate-key makes one")
        if number in _REASONS:
            key = self._signer.key or "gpg's key"
            return TrustError(key, f"cannot sign {self.what}: {_REASONS[number]}", _UNLOCK if number in _LOCKED else None)
        return KernelError(self.what, "gpg could not sign it", "gpg --detach-sign says why")


def _user(name: str | None, key: OwnKey) -> str:
    """Return the one name of a key for gpg: its fingerprint, unless a ! says that a subkey is meant."""
    return name if name is not None and name.endswith("!") else key.fingerprint


def _find_terminal() -> str | None:
    """Return the terminal at which somebody can be asked for the passphrase of a key."""
    return next((os.ttyname(descriptor) for descriptor in (0, 1, 2) if os.isatty(descriptor)), None)
