"""OpenPGP through gpg: keys read, signatures verified, one verdict for all tools. The only room that starts gpg.

gpg's exit code is no verdict: it is 0 for revoked and for expired keys. What counts are the lines of its status stream, on a
descriptor of their own, told by their beginning; and a signature counts only by the full fingerprint of a key that the
caller named. Every call has a home directory of its own, which holds these keys and nothing else.

Source: aci.md, Image Archives ("ascii-armored detached signature mode"); GnuPG doc/DETAILS, Format of the --status-fd output.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass

from acspec import limits
from acspec.errors import FormatError, MissingInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ARMOUR = b"-----BEGIN PGP SIGNATURE-----"
_KEY_ARMOUR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_OPTIONS = ("--no-options", "--batch", "--no-tty", "--no-autostart", "--no-auto-key-retrieve", "--trust-model", "always")
_STATUS = b"[GNUPG:] "

# What gpg says of a signature or its key, and what that means for us.
_REASONS = {
    "BADSIG": "the signature is of another file",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key that made it has expired",
    "REVKEYSIG": "the key that made it is revoked",
    "ERRSIG": "the key that made it is not among the trusted ones",
    "NODATA": "there is no signature in it",
    "FAILURE": "gpg failed",
}
_WEAK_HASHES = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: its fingerprint (40 or 64 lower-case hex digits), whose it is, and itself, ascii-armoured."""

    fingerprint: str
    identities: tuple[str, ...]
    armoured: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a signature is worth: the fingerprint of the trusted key that made it, or why there is none."""

    fingerprint: str | None
    reason: str = ""


def verify(signed: str, signature: bytes, keys: Mapping[str, bytes]) -> Verdict:
    """Return what *signature*, a detached ascii-armoured one, says of the file *signed*.

    *keys* are the trusted ones: ascii-armoured, by fingerprint (lower-case hex).

    Raises: FormatError when it is no such signature; MissingInputError without gpg; OSError.
    Source: aci.md, Image Archives; GnuPG doc/DETAILS.
    """
    _check_armour(signature)
    if not keys:
        return Verdict(None, "no key is trusted for this name")
    with tempfile.TemporaryDirectory(prefix="appc-gpg-") as home:
        for fingerprint, armoured in keys.items():
            _import(home, armoured, fingerprint)
        path = os.path.join(home, "signature.asc")
        with open(path, "wb") as file:
            file.write(signature)
        return judge(_run_verify(home, path, signed), keys)


def _check_armour(signature: bytes) -> None:
    if len(signature) > limits.SIGNATURE_BYTES:
        raise FormatError("signature", f"larger than the limit of {limits.SIGNATURE_BYTES} bytes")
    if not signature.lstrip().startswith(_ARMOUR):
        raise FormatError("signature", "is not an ascii-armoured detached signature")


def judge(status: bytes, trusted: Mapping[str, object]) -> Verdict:
    """Return the verdict that gpg's status stream amounts to.

    Accepted is only: a GOODSIG, a VALIDSIG whose primary key is trusted, made with a hash that is not broken, and
    not one line that speaks against any signature in the file.

    Source: GnuPG doc/DETAILS: GOODSIG, VALIDSIG, BADSIG, EXPSIG, EXPKEYSIG, REVKEYSIG, ERRSIG, NODATA, FAILURE.
    """
    good, fingerprints = False, []
    for line in status.split(b"\n"):
        if not line.startswith(_STATUS):
            continue
        words = line[len(_STATUS) :].decode("utf-8", "replace").split(" ")
        if words[0] in _REASONS:
            return Verdict(None, _REASONS[words[0]])
        if words[0] == "GOODSIG":
            good = True
        elif words[0] == "VALIDSIG" and len(words) >= 11:
            if words[8] in _WEAK_HASHES:
                return Verdict(None, f"it is made with {_WEAK_HASHES[words[8]]}, which is broken")
            fingerprints.append(words[10].lower())
    if not good or len(fingerprints) != 1:
        return Verdict(None, "it does not hold exactly one good signature")
    if fingerprints[0] not in trusted:
        return Verdict(None, f"key {fingerprints[0]} is not trusted for this name")
    return Verdict(fingerprints[0])


def _run_verify(home: str, signature: str, signed: str) -> bytes:
    reading, writing = os.pipe()
    command = ["gpg", *_OPTIONS, "--homedir", home, "--status-fd", str(writing), "--verify", "--", signature, signed]
    try:
        with _start(command, pass_fds=(writing,)) as process:
            os.close(writing)
            writing = -1
            with os.fdopen(reading, "rb") as stream:
                reading = -1
                status = stream.read(1 << 20)
            process.wait()
        return status
    finally:
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)


def _start(command: Sequence[str], pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=pass_fds,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise MissingInputError("gpg", "is not installed", "apt-get install gnupg") from None


def _import(home: str, armoured: bytes, fingerprint: str | None) -> list[str]:
    """Import keys into *home* and return their fingerprints; it must be *fingerprint* alone when that is given."""
    import gnupg

    try:
        gpg = gnupg.GPG(gnupghome=home, options=["--no-options", "--no-autostart", "--batch"])
    except OSError as error:
        raise MissingInputError("gpg", "is not installed", "apt-get install gnupg") from error
    found = sorted({item.lower() for item in gpg.import_keys(armoured).fingerprints if item})
    if fingerprint is not None and found != [fingerprint]:
        raise FormatError(f"key {fingerprint}", "the file holds another key, or none, or several")
    return found


def read_keys(data: bytes, what: str) -> list[Key]:
    """Return the public keys in *data* (ascii-armoured or binary, at most 1 MiB), each by itself.

    Raises: FormatError when there is none; MissingInputError without gpg; OSError.
    Source: discovery.md, ac-discovery-pubkeys; GnuPG.
    """
    if len(data) > limits.KEY_FILE_BYTES:
        raise FormatError(what, f"larger than the limit of {limits.KEY_FILE_BYTES} bytes")
    import gnupg

    with tempfile.TemporaryDirectory(prefix="appc-gpg-") as home:
        found = _import(home, data, None)
        if not found:
            raise FormatError(what, "holds no public key")
        gpg = gnupg.GPG(gnupghome=home, options=["--no-options", "--no-autostart", "--batch"])
        identities = {key["fingerprint"].lower(): tuple(key["uids"]) for key in gpg.list_keys()}
        keys = [Key(item, identities.get(item, ()), gpg.export_keys(item).encode("ascii")) for item in found]
    if not all(key.armoured.startswith(_KEY_ARMOUR) for key in keys):
        raise FormatError(what, "gpg could not export what it imported")
    return keys
